//! Answers: where they go, what they carry, and what is known when they fail (D19).

use std::time::Duration;

use kata_channel::{
    ChannelError, Effect, Outbound, Place,
    settings::{ReplyIn, Settings},
};
use kata_plugin::ChannelContext;
use kata_testkit::slack::{BOT_TOKEN, ChannelKind, Fault, Via};

use crate::rig::{Ear, Rig};

#[tokio::test]
async fn an_answer_goes_to_its_place_with_its_key() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let root = rig.slack.post_silently("C1", "U1", "hello");
    let receipt = adapter
        .send(&rig.answer(Place::conversation("C1"), "k1", "*hi*"))
        .await
        .unwrap();
    adapter
        .send(&rig.answer(Place::thread("C1", root.as_str()), "k2", "in the thread"))
        .await
        .unwrap();
    let posted = rig.slack.posted();
    assert_eq!(
        (
            posted[0].text.as_str(),
            posted[0].key.as_deref(),
            &posted[0].thread
        ),
        ("*hi*", Some("k1"), &None)
    );
    assert_eq!(receipt.id.as_ref().map(|id| id.as_str()), Some(&*posted[0].ts));
    assert_eq!(
        (posted[1].key.as_deref(), &posted[1].thread),
        (Some("k2"), &Some(root))
    );
}

#[tokio::test]
async fn a_channel_may_answer_in_the_conversation_always() {
    let rig = Rig::start().await;
    let settings = Settings {
        reply_in: ReplyIn::Conversation,
        ..Settings::default()
    };
    let adapter = rig
        .connected(ChannelContext {
            settings,
            ..rig.context("support", &["C1"])
        })
        .await;
    let root = rig.slack.post_silently("C1", "U1", "hello");
    adapter
        .send(&rig.answer(Place::thread("C1", root.as_str()), "k1", "hi"))
        .await
        .unwrap();
    assert_eq!(rig.slack.posted()[0].thread, None);
}

#[tokio::test]
async fn our_own_answer_comes_back_as_our_own() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let mut ear = Ear::open(&adapter).await;
    adapter
        .send(&rig.answer(Place::conversation("C1"), "k1", "hi"))
        .await
        .unwrap();
    let heard = ear.next().await;
    assert!(heard.sender.is_self && heard.sender.is_bot);
    rig.slack.other_bot_posts("C1", "beep");
    let heard = ear.next().await;
    assert!(!heard.sender.is_self && heard.sender.is_bot);
}

/// The effect that a fault of `chat.postMessage` has, and the code of its error.
async fn fails(fault: Fault) -> (Effect, &'static str) {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    rig.slack.fail_next("chat.postMessage", fault);
    let failed = adapter
        .send(&rig.answer(Place::conversation("C1"), "k1", "hi"))
        .await
        .unwrap_err();
    (failed.effect, failed.error.code())
}

#[tokio::test]
async fn a_failed_send_says_whether_the_message_may_be_there() {
    use Effect::{Maybe, None};
    for (fault, told) in [
        (Fault::OkFalse("channel_not_found"), (None, "rejected")),
        (Fault::OkFalse("msg_too_long"), (None, "rejected")),
        (Fault::OkFalse("token_revoked"), (None, "auth_expired")),
        (Fault::OkFalse("internal_error"), (Maybe, "other")),
        (Fault::OkFalseAfter("fatal_error"), (Maybe, "other")),
        (Fault::OkFalse("a_code_of_tomorrow"), (Maybe, "other")),
        (Fault::RateLimited { retry_after: 3 }, (None, "rate_limited")),
        (Fault::Http(404), (None, "other")),
        (Fault::Http(503), (Maybe, "connection_lost")),
        (Fault::HttpAfter(500), (Maybe, "connection_lost")),
        (Fault::CutBefore, (Maybe, "connection_lost")),
        (Fault::CutAfter, (Maybe, "connection_lost")),
        (Fault::Html, (Maybe, "connection_lost")),
    ] {
        assert_eq!(fails(fault.clone()).await, told, "{fault:?}");
    }
}

#[tokio::test]
async fn a_slack_that_cannot_be_reached_has_had_no_effect() {
    let rig = Rig::start().await;
    let adapter = rig.make(rig.context("support", &["C1"])).unwrap();
    rig.slack.down().await;
    let failed = adapter
        .send(&rig.answer(Place::conversation("C1"), "k1", "hi"))
        .await
        .unwrap_err();
    assert_eq!(
        (failed.effect, failed.error.code()),
        (Effect::None, "connection_lost")
    );
}

#[tokio::test]
async fn a_pause_is_one_conversations_and_is_kept() {
    let rig = Rig::start().await;
    rig.slack.add_channel("C2", "ops", ChannelKind::Public, &["U1"]);
    let adapter = rig.channel("support", &["C1"]).await;
    rig.slack
        .fail_next("chat.postMessage", Fault::RateLimited { retry_after: 30 });
    for _ in 0..2 {
        let failed = adapter
            .send(&rig.answer(Place::conversation("C1"), "k1", "hi"))
            .await
            .unwrap_err();
        assert!(
            failed
                .error
                .retry_after()
                .is_some_and(|pause| pause > Duration::from_secs(28))
        );
    }
    adapter
        .send(&rig.answer(Place::conversation("C2"), "k2", "hi"))
        .await
        .unwrap();
    assert_eq!(rig.slack.calls("chat.postMessage").len(), 2);
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_holds_no_secret() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    rig.slack.kick_bot("C1");
    let failed = adapter
        .send(&rig.answer(Place::conversation("C1"), "k1", "hi"))
        .await
        .unwrap_err();
    assert!(
        matches!(&failed.error, ChannelError::Rejected(s) if s.contains("/invite")),
        "{failed}"
    );
    assert!(!format!("{failed:?}").contains(BOT_TOKEN));
}

/// The answer to a slash command that was just given.
async fn to_a_command(rig: &Rig, ear: &mut Ear) -> Outbound {
    rig.slack.slash_command("C1", "U1", "/kata", "hello");
    let heard = ear.next().await;
    Outbound {
        metadata: heard.metadata,
        ..rig.answer(heard.place, "k1", "hi")
    }
}

#[tokio::test]
async fn a_command_is_answered_where_it_was_given_while_its_address_lives() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let answer = to_a_command(&rig, &mut Ear::open(&adapter).await).await;
    assert_eq!(adapter.send(&answer).await.unwrap().id, None);
    assert!(matches!(&rig.slack.posted()[..], [posted] if matches!(posted.via, Via::ResponseUrl)));
    let sixth = Outbound {
        part: 6,
        of: 6,
        ..answer.clone()
    };
    assert!(
        adapter.send(&sixth).await.unwrap().id.is_some(),
        "a response_url takes five"
    );
    rig.time.advance(Duration::from_secs(30 * 60));
    assert!(
        adapter.send(&answer).await.unwrap().id.is_some(),
        "and lives half an hour"
    );
    assert_eq!(rig.slack.posted()[2].via, Via::PostMessage);
}

#[tokio::test]
async fn an_address_that_is_used_up_early_is_no_loss() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let answer = to_a_command(&rig, &mut Ear::open(&adapter).await).await;
    rig.slack.expire_response_urls();
    assert!(adapter.send(&answer).await.unwrap().id.is_some());
    assert_eq!(rig.slack.posted()[0].via, Via::PostMessage);
}

#[tokio::test]
async fn an_address_that_is_not_slacks_is_not_posted_to() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let mut answer = to_a_command(&rig, &mut Ear::open(&adapter).await).await;
    answer
        .metadata
        .insert("responseUrl".into(), "http://10.0.0.1/steal".into());
    adapter.send(&answer).await.unwrap();
    assert_eq!(rig.slack.posted()[0].via, Via::PostMessage);
}
