//! Scripted faults do what they say, before or after the effect.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tokio::time::timeout;

use super::{super::*, outcome, post, workspace};

#[tokio::test]
async fn a_fault_before_the_effect_leaves_no_message_and_one_after_leaves_one() {
    let slack = workspace().await;
    let args = json!({"channel": "C1", "text": "x"});
    for fault in [
        Fault::CutBefore,
        Fault::Http(503),
        Fault::OkFalse("internal_error"),
        Fault::Html,
    ] {
        slack.fail_next("chat.postMessage", fault);
    }
    assert!(post(&slack, "chat.postMessage", args.clone()).await.is_err());
    assert_eq!(
        post(&slack, "chat.postMessage", args.clone())
            .await
            .unwrap()
            .status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        outcome(&slack, "chat.postMessage", args.clone()).await,
        "internal_error"
    );
    assert!(
        post(&slack, "chat.postMessage", args.clone())
            .await
            .unwrap()
            .body()
            .starts_with(b"<html>")
    );
    assert!(slack.posted().is_empty());

    slack.fail_next("chat.postMessage", Fault::CutAfter);
    slack.fail_next("chat.postMessage", Fault::HttpAfter(500));
    slack.fail_next("chat.postMessage", Fault::HangAfter);
    assert!(post(&slack, "chat.postMessage", args.clone()).await.is_err());
    assert_eq!(
        post(&slack, "chat.postMessage", args.clone())
            .await
            .unwrap()
            .status()
            .as_u16(),
        500
    );
    let hung = timeout(
        Duration::from_millis(50),
        post(&slack, "chat.postMessage", args.clone()),
    )
    .await;
    assert!(hung.is_err());
    assert_eq!(slack.posted().len(), 3);
    assert_eq!(outcome(&slack, "chat.postMessage", args).await, "ok");
    assert_eq!(slack.calls("chat.postMessage").len(), 8);
}

#[tokio::test]
async fn a_rate_is_counted_for_each_conversation_and_says_when_to_come_back() {
    let slack = workspace().await;
    slack.add_channel("C3", "third", ChannelKind::Public, &[]);
    slack.limit(
        "chat.postMessage",
        Rate {
            calls: 1,
            window: Duration::from_secs(60),
            retry_after: 7,
        },
    );
    let args = |channel: &str| json!({"channel": channel, "text": "x"});
    assert_eq!(outcome(&slack, "chat.postMessage", args("C1")).await, "ok");
    let refused = post(&slack, "chat.postMessage", args("C1")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "7");
    assert_eq!(outcome(&slack, "chat.postMessage", args("C3")).await, "ok");
}

#[tokio::test]
async fn a_slack_that_is_down_refuses_connections_and_comes_back_on_its_port() {
    let slack = workspace().await;
    for _ in 0..3 {
        assert_eq!(outcome(&slack, "api.test", json!({})).await, "ok");
        slack.down().await;
        assert!(
            post(&slack, "api.test", json!({}))
                .await
                .unwrap_err()
                .is_connect()
        );
        slack.up().await;
    }
    assert_eq!(outcome(&slack, "api.test", json!({})).await, "ok");
}
