//! What every platform's adapter does, shown through the real binary against that platform's double.
//!
//! A behaviour is written once, against [`fake::Fake`], and shown of each platform in [`conforms!`]'s last lines. Not every
//! platform has everything: what it has is what its adapter says in `docs/platforms.md`, and the line of a platform that says
//! something else fails. Who lacks a thing shows what is true without it. What one platform alone has (Slack's
//! `response_url`, Discord's gateway) is shown in `e2e`.
//!
//! Needs `cargo build -p katad --features failpoints` first.

mod answers;
mod arrival;
mod discord;
mod fake;
mod gmail;
mod kill;
mod limits;
mod links;
mod platforms;
mod slack;

/// One test for each behaviour, of one platform.
macro_rules! behaviours {
    ($fake:ty; $($topic:ident { $($behaviour:ident)* })*) => { $(
        mod $topic { $(
            #[tokio::test]
            async fn $behaviour() { crate::$topic::$behaviour::<$fake>().await; }
        )* }
    )* };
}

/// The table: what is shown of every platform, and of those that have a thing or lack it.
macro_rules! shown {
    ($fake:ty, always) => {
        behaviours! { $fake;
            arrival {
                the_first_contact_makes_no_work_of_what_was_there
                what_came_while_the_daemon_was_down_is_read_page_by_page_in_order
                what_is_told_twice_and_read_again_is_one_turn
                conversations_run_side_by_side_and_each_in_order
                a_thread_is_a_session_of_its_own_and_is_answered_there
                what_was_said_in_a_thread_while_the_daemon_was_down_is_read
                a_deletion_of_what_waits_withdraws_it
                what_is_deleted_before_it_is_read_is_no_turn
                machines_and_our_own_words_are_no_turns
            }
            answers {
                an_answer_is_sent_once_when_the_connection_is_cut_before_it_took_effect
                an_answer_is_sent_once_when_the_connection_is_cut_after_it_took_effect
                an_answer_is_sent_once_when_a_503_comes_instead
                an_answer_is_sent_once_when_a_503_follows_its_effect
                an_answer_is_sent_once_when_the_reply_is_a_page_of_a_hotel
                an_answer_is_sent_once_when_no_reply_ever_comes
                an_answer_is_sent_once_when_the_reply_is_slow
                an_unknown_outcome_is_settled_by_the_next_life
                a_long_answer_is_split_in_the_platforms_unit_and_nothing_is_lost
                an_answer_is_written_in_the_platforms_markup
            }
            links {
                a_cut_and_a_farewell_lose_nothing
                what_was_never_told_is_found_in_history_after_the_next_connect
                the_platform_is_down_for_a_while_and_nothing_is_lost_or_said_twice
                a_frozen_daemon_goes_on
                a_channel_that_is_not_wanted_any_more_lets_go_within_two_seconds
                a_channel_lets_go_within_two_seconds_of_a_platform_that_has_died
            }
            limits {
                a_pause_that_the_platform_asks_for_is_kept_and_nothing_overtakes
                a_revoked_token_stops_the_calls_until_there_is_another
                a_flood_is_stored_and_not_held_in_memory
            }
        }
    };
    ($fake:ty, push) => {
        behaviours! { $fake;
            arrival { an_edit_of_what_waits_replaces_it }
            links { a_link_that_is_open_and_silent_is_noticed }
        }
    };
    ($fake:ty, no_push) => {
        behaviours! { $fake;
            links { a_call_that_is_never_answered_is_given_up }
        }
    };
    ($fake:ty, approvals) => {
        behaviours! { $fake;
            arrival { a_reset_begins_a_new_session_for_good }
        }
    };
    ($fake:ty, no_approvals) => {
        behaviours! { $fake;
            arrival { a_reset_is_a_text_like_any_other }
        }
    };
    ($fake:ty, notices) => {
        behaviours! { $fake;
            limits { what_is_given_up_is_said_once_where_it_was_said }
        }
    };
    ($fake:ty, no_notices) => {
        behaviours! { $fake;
            limits { what_is_given_up_is_said_at_the_desk_alone }
        }
    };
    ($fake:ty, signs) => {
        behaviours! { $fake;
            answers { a_sign_of_life_is_shown_while_a_turn_runs }
        }
    };
    ($fake:ty, no_signs) => {
        behaviours! { $fake;
            answers { nothing_is_changed_on_the_platform_while_a_turn_runs }
        }
    };
    ($fake:ty, files) => {
        behaviours! { $fake;
            arrival { a_shared_file_is_fetched_for_its_turn }
        }
    };
    ($fake:ty, no_files) => {
        behaviours! { $fake;
            arrival { a_shared_file_is_named_in_its_turn_and_not_fetched }
        }
    };
}

/// Each platform: its double, and what it has.
macro_rules! conforms {
    ($($platform:ident: $fake:ty, $($thing:ident)*;)*) => {
        mod of { $(
            mod $platform {
                mod always { shown! { $fake, always } }
                $( mod $thing { shown! { $fake, $thing } } )*

                #[test]
                fn has_what_its_adapter_says() {
                    crate::platforms::say(stringify!($platform), &[$(stringify!($thing)),*]);
                }
            }
        )* }
        mod killed { $(
            mod $platform { crate::kill::dies_at_each! {
                $fake; admit claim finish fail busy give_back cancel claim_out prepare settle adopt
            } }
        )* }

        #[test]
        fn every_platform_is_shown() {
            crate::platforms::are_all(&[$(stringify!($platform)),*]);
        }
    };
}

conforms! {
    slack: kata_testkit::slack::FakeSlack, push approvals notices signs files;
    discord: kata_testkit::discord::FakeDiscord, push approvals notices signs files;
    gmail: kata_testkit::gmail::FakeGmail, no_push no_approvals no_notices no_signs no_files;
}
