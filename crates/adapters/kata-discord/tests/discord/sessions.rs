//! Sessions: resumed where they can be, begun anew where not, and never in a storm.

use std::time::{Duration, Instant};

use kata_channel::ChannelError;
use kata_testkit::discord::Fault;

use crate::rig::{ADA, Ear, GENERAL, Rig};

#[tokio::test]
async fn what_was_said_between_two_sockets_comes_with_the_resumed_session() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    rig.discord.user_posts(GENERAL, ADA, "one");
    ear.next().await;
    rig.discord.cut_connections();
    assert!(matches!(ear.end().await, Err(ChannelError::ConnectionLost(_))));
    let missed = rig.discord.user_posts(GENERAL, ADA, "two");
    let mut again = Ear::open(&adapter).await;
    assert_eq!(again.next().await.id.as_str(), missed);
    assert_eq!((rig.discord.resumes(), rig.discord.identifies().len()), (1, 1));
}

#[tokio::test]
async fn discord_may_ask_for_a_new_socket() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    rig.discord.ask_to_reconnect();
    assert_eq!(ear.end().await, Ok(()));
    let _again = Ear::open(&adapter).await;
    assert_eq!(rig.discord.resumes(), 1);
}

#[tokio::test]
async fn a_session_that_is_refused_begins_anew_after_a_moment_and_that_is_no_failure() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    rig.discord.forget_sessions();
    rig.discord.cut_connections();
    ear.end().await.unwrap_err();
    let asked = Instant::now();
    let mut again = Ear::open(&adapter).await;
    assert!(asked.elapsed() >= Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!((rig.discord.resumes(), rig.discord.identifies().len()), (0, 2));
    let id = rig.discord.user_posts(GENERAL, ADA, "hello");
    assert_eq!(again.next().await.id.as_str(), id);
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_ends_its_socket_and_is_resumed_if_it_may_be() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    for n in 1..=4 {
        let mut ear = Ear::open(&adapter).await;
        rig.discord.invalidate_sessions(true);
        // History is read for each socket, so the end of this one must be seen; and it is no failure.
        assert_eq!(ear.end().await, Ok(()));
        assert_eq!(
            (rig.discord.resumes(), rig.discord.identifies().len()),
            (n - 1, 1)
        );
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_read_on_ends_its_socket_and_the_session_goes_on() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    rig.discord.garble();
    let missed = rig.discord.user_posts(GENERAL, ADA, "behind it");
    let error = ear.end().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::ConnectionLost(s) if s.contains("cannot be read on")),
        "{error}"
    );
    let mut again = Ear::open(&adapter).await;
    assert_eq!(again.next().await.id.as_str(), missed);
    assert_eq!(rig.discord.resumes(), 1);
}

#[tokio::test]
async fn a_heartbeat_that_is_not_heard_ends_the_socket_and_the_session_goes_on() {
    let rig = Rig::start().await;
    rig.discord.heartbeat_every(Duration::from_millis(200));
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    rig.discord.wait_heartbeats(2).await;
    rig.discord.acknowledge_heartbeats(false);
    let error = ear.end().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::ConnectionLost(s) if s.contains("no longer answers")),
        "{error}"
    );
    rig.discord.acknowledge_heartbeats(true);
    let _again = Ear::open(&adapter).await;
    assert_eq!(rig.discord.resumes(), 1);
}

#[tokio::test]
async fn a_heartbeat_that_is_asked_for_is_given_at_once() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let _ear = Ear::open(&adapter).await;
    let before = rig.discord.heartbeats();
    rig.discord.ask_for_heartbeat();
    rig.discord.wait_heartbeats(before + 1).await;
}

#[tokio::test]
async fn close_codes_say_what_to_do() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    for (code, kind) in [
        (Some(4000), "connection_lost"),
        (None, "connection_lost"),
        (Some(4009), "connection_lost"),
        (Some(4004), "auth_expired"),
        (Some(4013), "rejected"),
        (Some(4014), "rejected"),
    ] {
        let mut ear = Ear::open(&adapter).await;
        rig.discord.close_connections(code);
        let error = ear.end().await.unwrap_err();
        assert_eq!(error.code(), kind, "{code:?}: {error}");
    }
}

#[tokio::test]
async fn when_no_more_sessions_may_begin_none_is_tried() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    rig.discord.leave_session_starts(0);
    let error = Ear::attach(&adapter).end().await.unwrap_err();
    assert!(error.retry_after().is_some(), "{error}");
    assert!(rig.discord.identifies().is_empty());
}

#[tokio::test]
async fn a_gateway_that_says_nothing_is_given_up() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    rig.discord.fail_next("gateway", Fault::Http(503));
    let error = Ear::attach(&adapter).end().await.unwrap_err();
    assert!(matches!(error, ChannelError::ConnectionLost(_)), "{error}");
}

#[tokio::test]
async fn a_session_that_cannot_be_resumed_again_and_again_is_given_up() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    rig.discord.cut_connections();
    ear.end().await.unwrap_err();
    for _ in 0..3 {
        rig.discord.fail_next("gateway", Fault::Http(503));
        Ear::attach(&adapter).end().await.unwrap_err();
    }
    let _again = Ear::open(&adapter).await;
    assert_eq!((rig.discord.resumes(), rig.discord.identifies().len()), (0, 2));
}

#[tokio::test]
async fn no_gateway_but_the_configured_one_is_dialled_also_not_to_resume() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    rig.discord.resume_at("wss://gateway.discord.gg");
    let mut ear = Ear::open(&adapter).await;
    rig.discord.cut_connections();
    ear.end().await.unwrap_err();
    let _again = Ear::open(&adapter).await;
    assert_eq!((rig.discord.resumes(), rig.discord.identifies().len()), (0, 2));
}
