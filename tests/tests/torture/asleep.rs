//! Stopped for longer than a tick may be late: the daemon must take it for a night's sleep.

use std::time::Duration;

use kata_testkit::Stage;
use tokio::time::sleep;

/// A tick that is later than due by 30 s is the sign of a sleep; the last one may have been just before it.
const NIGHT: Duration = Duration::from_secs(40);

#[tokio::test]
async fn what_was_said_at_night_is_answered_in_the_morning() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "good night");
    stage.slack.wait_text("good night").await;
    let sockets = stage.slack.connections();
    host.freeze();
    stage.slack.post_silently("C1", "U1", "still awake?");
    // The one thing here that takes time itself.
    sleep(NIGHT).await;
    host.thaw();
    stage.slack.wait_text("still awake?").await;
    stage.slack.wait_connections(sockets + 1).await;
}

#[tokio::test]
async fn a_socket_that_died_silently_is_noticed_and_replaced() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "hello");
    stage.slack.wait_text("hello").await;
    let sockets = stage.slack.connections();
    stage.slack.silence_sockets();
    stage.slack.post_silently("C1", "U1", "into the void");
    // Slack's own silence deadline is a minute, twice a wait's patience.
    sleep(Duration::from_secs(50)).await;
    stage.slack.wait_connections(sockets + 1).await;
    stage.slack.wait_text("into the void").await;
    assert_eq!(host.turns().len(), 2);
}
