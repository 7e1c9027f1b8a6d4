//! Socket Mode: acknowledged after the commit, shared by the channels of a token.

use std::sync::atomic::Ordering;

use kata_channel::{
    ChannelError, Emoji, Kind, Place,
    settings::{ReplyIn, Settings},
};
use kata_plugin::ChannelContext;
use kata_testkit::slack::{APP_TOKEN, BOT_USER, ChannelKind, Fault};

use crate::rig::{Ear, Rig};

#[tokio::test]
async fn a_message_is_acknowledged_after_its_commit_and_not_before() {
    let rig = Rig::start().await;
    rig.slack.add_channel("C2", "random", ChannelKind::Public, &[]);
    rig.slack.add_user("U2", "bob");
    let mut ear = Ear::open(&rig.channel("support", &["C1"]).await).await;
    ear.commits.forget_permits(usize::MAX);
    let ts = rig.slack.user_posts("C1", "U1", "hello");
    // A later event that is for nobody: once it is acknowledged, the socket was read up to here.
    let later = rig.slack.user_joins("C2", "U2");
    rig.slack.wait_acknowledged(&later).await;
    assert!(!rig.slack.is_acknowledged(&ts));
    ear.commits.add_permits(1);
    assert_eq!(ear.next().await.id.as_str(), ts);
    rig.slack.wait_acknowledged(&ts).await;
}

#[tokio::test]
async fn a_slow_conversation_holds_up_no_other_and_keeps_its_order() {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("open", &[]).await).await;
    ear.commits.forget_permits(usize::MAX);
    let slow: Vec<String> = ["one", "two", "three"]
        .map(|text| rig.slack.user_posts("C1", "U1", text))
        .into();
    let quick = rig.slack.user_writes_to_bot("U1", "quick");
    ear.commits.add_permits(2);
    let (first, second) = (ear.next().await, ear.next().await);
    assert_eq!([first.id.as_str(), second.id.as_str()], [&*slow[0], &*quick]);
    ear.commits.add_permits(1);
    let rest: Vec<String> = ear
        .page()
        .await
        .iter()
        .map(|message| message.id.to_string())
        .collect();
    assert_eq!(rest, slow[1..], "what waited is one commit, in order");
    rig.slack.wait_all_acknowledged().await;
}

#[tokio::test]
async fn a_store_that_takes_nothing_closes_the_socket_and_acknowledges_nothing() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let mut ear = Ear::open(&adapter).await;
    ear.full.store(true, Ordering::Relaxed);
    let ts = rig.slack.user_posts("C1", "U1", "hello");
    let error = ear.end().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::Other(s) if s.contains("the disk is full")),
        "{error}"
    );
    rig.slack.wait_disconnected().await;
    assert!(!rig.slack.is_acknowledged(&ts));
    let mut again = Ear::open(&adapter).await;
    assert_eq!(again.next().await.id.as_str(), ts, "slack sends it again");
}

#[tokio::test]
async fn messages_of_every_kind_of_conversation_come_in() {
    let rig = Rig::start().await;
    rig.slack
        .add_channel("G1", "secret", ChannelKind::Private, &["U1"]);
    rig.slack.add_channel("G2", "several", ChannelKind::Mpim, &["U1"]);
    let mut ear = Ear::open(&rig.channel("open", &[]).await).await;
    for conversation in ["C1", "G1", "G2"] {
        rig.slack.user_posts(conversation, "U1", "hello");
        let heard = ear.next().await;
        assert_eq!(
            (heard.place, heard.is_direct),
            (Place::conversation(conversation), false)
        );
    }
    rig.slack.user_writes_to_bot("U1", "hello");
    assert!(ear.next().await.is_direct);
}

#[tokio::test]
async fn the_twin_of_a_mention_is_the_same_message() {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("support", &["C1"]).await).await;
    let ts = rig.slack.user_mentions_bot("C1", "U1", "help");
    let mut heard = Vec::new();
    while heard.len() < 2 {
        heard.extend(ear.page().await);
    }
    assert_eq!(heard[0], heard[1], "message and app_mention");
    assert_eq!((heard[0].id.as_str(), &*heard[0].text.prompt), (&*ts, "help"));
    assert!(heard[0].mentions_us);
}

#[tokio::test]
async fn edits_and_deletions_name_the_message_they_concern() {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("support", &["C1"]).await).await;
    let ts = rig.slack.user_posts("C1", "U1", "helo");
    ear.next().await;
    rig.slack.user_edits("C1", &ts, "hello");
    let edit = ear.next().await;
    assert!(matches!(edit.kind, Kind::Edit { edited } if edited > edit.order));
    assert_eq!(
        (edit.id.as_str(), &*edit.text.readable, edit.sender.id.as_str()),
        (&*ts, "hello", "U1")
    );
    rig.slack.user_deletes("C1", &ts);
    let deletion = ear.next().await;
    assert_eq!((deletion.kind, deletion.id.as_str()), (Kind::Deletion, &*ts));
}

#[tokio::test]
async fn a_reaction_names_its_message_and_each_one_has_an_id_of_its_own() {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("support", &["C1"]).await).await;
    let ts = rig.slack.user_posts("C1", "U1", "hello");
    ear.next().await;
    let event = rig.slack.user_reacts("C1", "U1", "octagonal_sign", &ts);
    let first = ear.next().await;
    let stop = Emoji::new("🛑");
    assert_eq!(
        first.kind,
        Kind::Reaction {
            on: ts.as_str().into(),
            emoji: stop
        }
    );
    assert_eq!((first.sender.id.as_str(), &*first.text.readable), ("U1", "🛑"));
    assert!(!first.sender.is_self);
    rig.slack.event(&event);
    assert_eq!(ear.next().await.id, first.id, "delivered twice");
    rig.slack.user_reacts("C1", "U1", "octagonal_sign", &ts);
    assert_ne!(ear.next().await.id, first.id, "put on again");
    rig.slack.user_reacts("C1", BOT_USER, "eyes", &ts);
    assert!(ear.next().await.sender.is_self, "our own sign of life");
    rig.slack.wait_all_acknowledged().await;
}

#[tokio::test]
async fn a_reply_is_in_its_thread_and_every_message_opens_one_if_wanted() {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("support", &["C1"]).await).await;
    let root = rig.slack.user_posts("C1", "U1", "root");
    assert_eq!(ear.next().await.place, Place::conversation("C1"));
    rig.slack.user_replies("C1", &root, "U1", "reply");
    assert_eq!(ear.next().await.place, Place::thread("C1", root.as_str()));
    drop(ear);

    let settings = Settings {
        reply_in: ReplyIn::Thread,
        ..Settings::default()
    };
    let threaded = rig
        .connected(ChannelContext {
            settings,
            ..rig.context("support", &["C1"])
        })
        .await;
    rig.slack.wait_disconnected().await;
    let mut ear = Ear::open(&threaded).await;
    let ts = rig.slack.user_posts("C1", "U1", "another");
    assert_eq!(ear.next().await.place, Place::thread("C1", ts.as_str()));
}

#[tokio::test]
async fn a_slash_command_comes_with_what_its_answer_needs() {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("support", &["C1"]).await).await;
    let command = rig.slack.slash_command("C1", "U1", "/kata", "reset <@U1>");
    let heard = ear.next().await;
    assert_eq!(heard.kind, Kind::Command { name: "/kata".into() });
    assert_eq!(heard.id.as_str(), command.trigger_id);
    assert_eq!(heard.text.readable, "reset @ada");
    assert!(heard.mentions_us);
    for (name, value) in [
        ("command", "/kata"),
        ("triggerId", &*command.trigger_id),
        ("responseUrl", &*command.response_url),
        ("slackChannel", "C1"),
    ] {
        assert_eq!(heard.metadata[name], value, "{name}");
    }
}

#[tokio::test]
async fn one_socket_serves_the_channels_of_a_token_each_with_its_own() {
    let rig = Rig::start().await;
    rig.slack.add_channel("C2", "ops", ChannelKind::Public, &["U1"]);
    let mut first = Ear::open(&rig.channel("support", &["C1"]).await).await;
    let mut second = Ear::open(&rig.channel("ops", &["C2"]).await).await;
    assert_eq!(rig.slack.connections(), 1);
    let (one, two) = (
        rig.slack.user_posts("C1", "U1", "one"),
        rig.slack.user_posts("C2", "U1", "two"),
    );
    assert_eq!(first.next().await.id.as_str(), one);
    assert_eq!(second.next().await.id.as_str(), two);
    rig.slack.slash_command("C2", "U1", "/kata", "status");
    assert!(matches!(second.next().await.kind, Kind::Command { .. }));
    rig.slack.wait_all_acknowledged().await;
    assert!(first.heard_nothing() && second.heard_nothing());
}

#[tokio::test]
async fn the_socket_closes_when_the_last_channel_has_left() {
    let rig = Rig::start().await;
    rig.slack.add_channel("C2", "ops", ChannelKind::Public, &["U1"]);
    let first = Ear::open(&rig.channel("support", &["C1"]).await).await;
    let mut second = Ear::open(&rig.channel("ops", &["C2"]).await).await;
    drop(first);
    rig.slack.user_posts("C2", "U1", "still here");
    second.next().await;
    drop(second);
    rig.slack.wait_disconnected().await;
}

#[tokio::test]
async fn a_driver_that_comes_back_gets_a_new_socket() {
    let rig = Rig::start().await;
    rig.slack.add_channel("C2", "ops", ChannelKind::Public, &["U1"]);
    let (support, ops) = (
        rig.channel("support", &["C1"]).await,
        rig.channel("ops", &["C2"]).await,
    );
    let first = Ear::open(&support).await;
    let mut second = Ear::open(&ops).await;
    drop(first);
    let _again = Ear::open(&support).await;
    assert_eq!(second.end().await, Ok(()), "the other moves along");
    assert_eq!(rig.slack.connections(), 2);
}

#[tokio::test]
async fn slack_may_ask_for_a_new_socket() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    for reason in ["refresh_requested", "warning"] {
        let mut ear = Ear::open(&adapter).await;
        rig.slack.ask_to_disconnect(reason);
        assert_eq!(ear.end().await, Ok(()), "{reason}");
    }
    let mut ear = Ear::open(&adapter).await;
    rig.slack.ask_to_disconnect("link_disabled");
    let error = ear.end().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::Rejected(s) if s.contains("Socket Mode")),
        "{error}"
    );
}

#[tokio::test]
async fn a_socket_that_breaks_is_a_lost_connection() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let mut ear = Ear::open(&adapter).await;
    rig.slack.cut_sockets();
    assert!(matches!(ear.end().await, Err(ChannelError::ConnectionLost(_))));
    rig.slack.fail_next("link", Fault::Http(503));
    let error = Ear::attach(&adapter).end().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::ConnectionLost(s) if !s.contains("ticket")),
        "{error}"
    );
}

#[tokio::test]
async fn an_app_token_that_is_no_good_is_told_from_a_bot_token() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    rig.slack.refuse_token(APP_TOKEN, Some("token_revoked"));
    let error = Ear::attach(&adapter).end().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::AuthExpired(s) if s.contains("app-level token")),
        "{error}"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_acknowledged_and_harms_nobody() {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("support", &["C1"]).await).await;
    rig.slack
        .event(&serde_json::json!({"type": "message", "channel": "C1", "ts": 7, "text": ["odd"]}));
    rig.slack
        .event(&serde_json::json!({"type": "reaction_added", "user": "U1", "item": {"channel": "C1"}}));
    let ts = rig.slack.user_posts("C1", "U1", "hello");
    assert_eq!(ear.next().await.id.as_str(), ts);
    rig.slack.wait_all_acknowledged().await;
}
