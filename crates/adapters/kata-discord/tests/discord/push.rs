//! The gateway: what is said comes in, in order, and to the channel it is for.

use std::{sync::atomic::Ordering, time::Duration};

use kata_channel::{
    ChannelError, Kind, Place,
    settings::{ReplyIn, Settings},
};
use kata_plugin::ChannelContext;
use kata_testkit::discord::{BOT_ROLE, BOT_USER, ChannelKind};
use serde_json::json;

use crate::rig::{ADA, Ear, GENERAL, Rig};

#[tokio::test]
async fn messages_of_every_kind_of_place_come_in() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "help", ChannelKind::Forum);
    let mut ear = Ear::open(&rig.channel("open", &[]).await).await;
    let id = rig.discord.user_posts(GENERAL, ADA, "hello");
    let said = ear.next().await;
    assert_eq!(
        (said.id.as_str(), &said.place),
        (&*id, &Place::conversation(GENERAL))
    );
    let thread = rig.discord.user_starts_thread(GENERAL, &id, ADA, "a thread");
    rig.discord.user_posts(&thread, ADA, "in the thread");
    assert_eq!(ear.next().await.place, Place::thread(GENERAL, thread.as_str()));
    let post = rig.discord.user_opens_post("2002", ADA, "how?", "like this?");
    let said = ear.next().await;
    assert_eq!(
        (said.place, &*said.text.readable),
        (Place::thread("2002", post.as_str()), "like this?")
    );
    rig.discord.user_writes_to_bot(ADA, "psst");
    let said = ear.next().await;
    assert!(said.is_direct && said.place.thread.is_none());
}

#[tokio::test]
async fn a_mention_a_role_and_a_reply_address_us() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    rig.discord.user_posts(GENERAL, ADA, "hello");
    assert!(!ear.next().await.mentions_us);
    rig.discord.user_mentions_bot(GENERAL, ADA, "help");
    let said = ear.next().await;
    assert!(said.mentions_us);
    assert_eq!(said.text.prompt, "help");
    rig.discord
        .user_posts(GENERAL, ADA, &format!("<@&{BOT_ROLE}> help"));
    assert!(ear.next().await.mentions_us);
    let answer = rig.answer(Place::conversation(GENERAL), "k1", "hi");
    let ours = adapter.send(&answer).await.unwrap().id.unwrap();
    rig.discord
        .user_replies(GENERAL, ours.as_str(), ADA, "thanks", false);
    assert!(ear.next().await.mentions_us);
}

#[tokio::test]
async fn we_bots_and_webhooks_are_told_from_people() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    adapter
        .send(&rig.answer(Place::conversation(GENERAL), "k1", "hi"))
        .await
        .unwrap();
    let ours = ear.page().await.remove(0);
    assert!(ours.sender.is_self && ours.sender.id.as_str() == BOT_USER);
    rig.discord.other_bot_posts(GENERAL, "beep");
    rig.discord.webhook_posts(GENERAL, "build failed");
    for _ in 0..2 {
        let said = ear.next().await;
        assert!(said.sender.is_bot && !said.sender.is_self, "{said:?}");
    }
}

#[tokio::test]
async fn edits_deletions_and_reactions_name_the_message_they_concern() {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("support", &[GENERAL]).await).await;
    let id = rig.discord.user_posts(GENERAL, ADA, "helo https://example.com");
    ear.next().await;
    rig.discord.preview_unfurls(GENERAL, &id);
    rig.discord.user_edits(GENERAL, &id, "hello");
    let edit = ear.next().await;
    assert!(
        matches!(edit.kind, Kind::Edit { .. }),
        "a preview is none: {edit:?}"
    );
    assert_eq!((edit.id.as_str(), &*edit.text.readable), (&*id, "hello"));
    rig.discord.user_reacts(GENERAL, &id, ADA, "🔁");
    let reaction = ear.next().await;
    assert!(matches!(&reaction.kind, Kind::Reaction { on, .. } if on.as_str() == id));
    let other = rig.discord.user_posts(GENERAL, ADA, "another");
    ear.next().await;
    rig.discord.user_deletes(GENERAL, &id);
    let deletion = ear.next().await;
    assert_eq!((deletion.kind, deletion.id.as_str()), (Kind::Deletion, &*id));
    rig.discord.bulk_deletes(GENERAL, &[&other]);
    assert_eq!(ear.next().await.id.as_str(), other);
}

#[tokio::test]
async fn a_reaction_counts_once_however_often_it_is_told_and_again_when_it_is_put_on_again() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    let id = rig.discord.user_posts(GENERAL, ADA, "hello");
    ear.next().await;
    rig.discord.tell_each(2);
    rig.discord.user_reacts(GENERAL, &id, ADA, "🔁");
    rig.discord.user_unreacts(GENERAL, &id, ADA, "🔁");
    rig.discord.user_reacts(GENERAL, &id, ADA, "🔁");
    let mut told = Vec::new();
    while told.len() < 4 {
        told.extend(ear.page().await.into_iter().map(|reaction| reaction.id));
    }
    assert!(
        told[0] == told[1] && told[2] == told[3] && told[0] != told[2],
        "{told:?}"
    );
    // A new session knows of no reaction that was taken off meanwhile.
    rig.discord.tell_each(1);
    rig.discord.invalidate_sessions(false);
    assert_eq!(ear.end().await, Ok(()));
    let mut again = Ear::open(&adapter).await;
    rig.discord.user_reacts(GENERAL, &id, ADA, "🔁");
    assert!(!told.contains(&again.next().await.id));
}

#[tokio::test]
async fn one_socket_serves_the_channels_of_a_token_each_with_its_own() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "ops", ChannelKind::Text);
    let mut first = Ear::open(&rig.channel("support", &[GENERAL]).await).await;
    let mut second = Ear::open(&rig.channel("ops", &["2002"]).await).await;
    assert_eq!(rig.discord.connections(), 1);
    let one = rig.discord.user_posts(GENERAL, ADA, "one");
    let two = rig.discord.user_posts("2002", ADA, "two");
    assert_eq!(first.next().await.id.as_str(), one);
    assert_eq!(second.next().await.id.as_str(), two);
    drop((first, second));
    rig.discord.wait_disconnected().await;
}

#[tokio::test]
async fn order_is_kept_while_a_slow_store_holds_up_its_channel_alone() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "ops", ChannelKind::Text);
    let mut ear = Ear::open(&rig.channel("support", &[GENERAL, "2002"]).await).await;
    ear.commits.forget_permits(usize::MAX);
    let slow: Vec<String> = ["one", "two", "three"]
        .map(|text| rig.discord.user_posts(GENERAL, ADA, text))
        .into();
    let quick = rig.discord.user_posts("2002", ADA, "quick");
    // A heartbeat that is asked for is given once all before it has been read.
    let beats = rig.discord.heartbeats();
    rig.discord.ask_for_heartbeat();
    rig.discord.wait_heartbeats(beats + 1).await;
    ear.commits.add_permits(2);
    let first = [ear.page().await, ear.page().await].concat();
    let ids: Vec<_> = first.iter().map(|m| m.id.to_string()).collect();
    assert_eq!(ids, [slow[0].clone(), quick]);
    ear.commits.add_permits(1);
    let rest: Vec<_> = ear.page().await.iter().map(|m| m.id.to_string()).collect();
    assert_eq!(rest, slow[1..], "what waited is one commit, in order");
}

#[tokio::test]
async fn a_command_is_acknowledged_after_its_commit_and_comes_with_what_its_answer_needs() {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("support", &[GENERAL]).await).await;
    rig.discord.wait_command("kata").await;
    ear.commits.forget_permits(usize::MAX);
    let id = rig
        .discord
        .slash_command(GENERAL, ADA, "kata", &json!({"message": "reset"}));
    tokio::task::yield_now().await;
    assert!(rig.discord.answered().is_empty());
    ear.commits.add_permits(10);
    let said = ear.next().await;
    assert_eq!(said.kind, Kind::Command { name: "/kata".into() });
    assert_eq!((said.id.as_str(), &*said.text.readable), (&*id, "reset"));
    assert!(said.metadata.contains_key("responseUrl"));
    assert_eq!(rig.discord.wait_answered(&id).await.kind, 5);
}

#[tokio::test]
async fn a_command_that_is_stored_too_late_is_not_acknowledged() {
    let rig = Rig::start().await;
    rig.discord.heartbeat_every(Duration::from_secs(1));
    let mut ear = Ear::open(&rig.channel("support", &[GENERAL]).await).await;
    rig.discord.wait_command("kata").await;
    ear.commits.forget_permits(usize::MAX);
    rig.discord
        .slash_command(GENERAL, ADA, "kata", &json!({"message": "slow"}));
    // A heart that beats every second is a clock.
    rig.discord.wait_heartbeats(rig.discord.heartbeats() + 5).await;
    ear.commits.add_permits(10);
    ear.next().await;
    let second = rig
        .discord
        .slash_command(GENERAL, ADA, "kata", &json!({"message": "quick"}));
    rig.discord.wait_answered(&second).await;
    assert_eq!(rig.discord.answered().len(), 1);
}

#[tokio::test]
async fn a_stranger_gets_silence_for_a_command_too() {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("support", &[GENERAL]).await).await;
    rig.discord.wait_command("kata").await;
    ear.refuses.store(true, Ordering::Relaxed);
    rig.discord
        .slash_command(GENERAL, ADA, "kata", &json!({"message": "hi"}));
    ear.next().await;
    ear.refuses.store(false, Ordering::Relaxed);
    let served = rig
        .discord
        .slash_command(GENERAL, ADA, "kata", &json!({"message": "hi"}));
    rig.discord.wait_answered(&served).await;
    assert_eq!(rig.discord.answered().len(), 1);
}

#[tokio::test]
async fn a_server_that_has_the_command_is_left_alone() {
    let rig = Rig::start().await;
    let first = Ear::open(&rig.channel("support", &[GENERAL]).await).await;
    rig.discord.wait_command("kata").await;
    drop(first);
    rig.discord.wait_disconnected().await;
    let again = rig.after_a_restart();
    let _second = Ear::open(&again.channel("support", &[GENERAL]).await).await;
    again
        .discord
        .wait_calls("list_guild_application_commands", 2)
        .await;
    let registered = again.discord.calls("bulk_set_guild_application_commands");
    assert_eq!(registered.len(), 1);
}

#[tokio::test]
async fn a_command_that_has_changed_is_registered_and_the_others_stay() {
    let rig = Rig::start().await;
    let option = json!([{"type": 3, "name": "message", "description": "words", "required": false}]);
    rig.discord.set_commands(&[
        json!({"id": "1", "type": 1, "name": "weather", "description": "of tomorrow"}),
        json!({"id": "2", "type": 1, "name": "kata", "description": "of yesterday", "options": option}),
    ]);
    let _ear = Ear::open(&rig.channel("support", &[GENERAL]).await).await;
    rig.discord
        .wait_calls("bulk_set_guild_application_commands", 1)
        .await;
    assert_eq!(rig.discord.commands(), ["weather", "kata"]);
    let ours = rig.discord.command("kata").unwrap();
    assert_ne!(ours["description"], "of yesterday");
}

#[tokio::test]
async fn a_store_that_takes_nothing_closes_the_socket_and_what_it_refused_comes_again() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    ear.full.store(true, Ordering::Relaxed);
    let id = rig.discord.user_posts(GENERAL, ADA, "hello");
    let error = ear.end().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::Other(s) if s.contains("the disk is full")),
        "{error}"
    );
    let mut again = Ear::open(&adapter).await;
    assert_eq!(
        again.next().await.id.as_str(),
        id,
        "the session is resumed before it"
    );
    assert_eq!(rig.discord.resumes(), 1);
}

#[tokio::test]
async fn every_message_opens_a_thread_if_wanted() {
    let rig = Rig::start().await;
    let settings = Settings {
        reply_in: ReplyIn::Thread,
        ..Settings::default()
    };
    let context = ChannelContext {
        settings,
        ..rig.context("support", &[GENERAL])
    };
    let adapter = rig.connected(context).await;
    let mut ear = Ear::open(&adapter).await;
    let id = rig.discord.user_posts(GENERAL, ADA, "hello");
    let said = ear.next().await;
    assert_eq!(said.place, Place::thread(GENERAL, id.as_str()));
    let answer = rig.answer(said.place, "k1", "hi");
    adapter.send(&answer).await.unwrap();
    assert_eq!(rig.discord.posted()[0].channel, id, "its first answer opens it");
}
