//! Socket Mode.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};

use super::{super::*, Socket, workspace};

#[tokio::test]
async fn an_event_is_acknowledged_once_it_is_read() {
    let slack = workspace().await;
    let mut socket = Socket::open(&slack).await;
    let ts = slack.user_posts("C1", "U1", "hello");
    let frame = socket.frame().await;
    assert_eq!(frame["payload"]["event"]["ts"], ts.as_str());
    assert_eq!(
        (
            frame["retry_attempt"].as_u64(),
            frame["accepts_response_payload"].as_bool()
        ),
        (Some(0), Some(false))
    );
    assert!(!slack.is_acknowledged(&ts));
    socket.ack(&frame).await;
    slack.wait_acknowledged(&ts).await;
}

#[tokio::test]
async fn a_mention_comes_twice_in_a_channel_and_once_in_a_direct_conversation() {
    let slack = workspace().await;
    let mut socket = Socket::open(&slack).await;
    slack.user_mentions_bot("C1", "U1", "hello");
    let (first, second) = (socket.frame().await, socket.frame().await);
    assert_eq!(first["payload"]["event"]["type"], "message");
    assert_eq!(second["payload"]["event"]["type"], "app_mention");
    assert_eq!(first["payload"]["event"]["ts"], second["payload"]["event"]["ts"]);
    slack.user_writes_to_bot("U1", &format!("<@{BOT_USER}> hello"));
    slack.user_posts("C1", "U1", "last");
    assert_eq!(socket.frame().await["payload"]["event"]["channel_type"], "im");
    assert_eq!(socket.frame().await["payload"]["event"]["text"], "last");
}

#[tokio::test]
async fn what_a_lost_socket_did_not_acknowledge_comes_again_in_order() {
    let slack = workspace().await;
    let mut socket = Socket::open(&slack).await;
    slack.user_posts("C1", "U1", "one");
    slack.user_posts("C1", "U1", "two");
    socket.frame().await;
    slack.cut_sockets();
    slack.wait_disconnected().await;
    slack.user_posts("C1", "U1", "three");
    let mut next = Socket::open(&slack).await;
    for (text, attempt) in [("one", 1), ("two", 1), ("three", 0)] {
        let frame = next.frame().await;
        assert_eq!(frame["payload"]["event"]["text"], text);
        assert_eq!(frame["retry_attempt"], attempt);
        next.ack(&frame).await;
    }
    slack.wait_all_acknowledged().await;
}

#[tokio::test]
async fn an_unacknowledged_event_comes_again_until_slack_gives_up() {
    let slack = workspace().await;
    slack.set_redelivery(Redelivery {
        after: Duration::from_millis(1),
        attempts: 2,
    });
    let mut socket = Socket::open(&slack).await;
    slack.user_posts("C1", "U1", "hello");
    for attempt in 0..3 {
        let frame = socket.frame().await;
        assert_eq!(frame["retry_attempt"], attempt);
        assert_eq!(frame["retry_reason"], if attempt == 0 { "" } else { "timeout" });
    }
    slack.wait_all_acknowledged().await;
    assert!(slack.acks().is_empty());
}

#[tokio::test]
async fn an_event_goes_to_one_socket_and_none_to_one_that_was_asked_to_go() {
    let slack = workspace().await;
    let mut old = Socket::open(&slack).await;
    slack.ask_to_disconnect("refresh_requested");
    assert_eq!(old.frame().await["reason"], "refresh_requested");
    let mut new = Socket::open(&slack).await;
    slack.user_posts("C1", "U1", "hello");
    assert_eq!(new.frame().await["payload"]["event"]["text"], "hello");
    assert!(old.0.next().now_or_never().is_none());
}

#[tokio::test]
async fn a_silent_socket_takes_events_to_its_grave_until_there_is_another() {
    let slack = workspace().await;
    let mut dead = Socket::open(&slack).await;
    slack.silence_sockets();
    slack.user_posts("C1", "U1", "hello");
    assert!(dead.0.next().now_or_never().is_none());
    let mut alive = Socket::open(&slack).await;
    assert_eq!(alive.frame().await["payload"]["event"]["text"], "hello");
}

#[tokio::test]
async fn a_slash_command_reaches_an_open_socket_or_nobody() {
    let slack = workspace().await;
    slack.slash_command("C1", "U1", "/kata", "lost");
    let mut socket = Socket::open(&slack).await;
    let command = slack.slash_command("C1", "U1", "/kata", "hello");
    let frame = socket.frame().await;
    assert_eq!(frame["type"], "slash_commands");
    assert_eq!(frame["payload"]["response_url"], command.response_url.as_str());
    assert_eq!(frame["payload"]["text"], "hello");
}

#[tokio::test]
async fn sockets_are_pinged() {
    let slack = workspace().await;
    slack.ping_every(Duration::from_millis(1));
    let mut socket = Socket::open(&slack).await;
    assert!(socket.0.next().await.unwrap().unwrap().is_ping());
}
