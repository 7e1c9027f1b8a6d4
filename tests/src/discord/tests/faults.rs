//! Faults happen when and as often as they are scripted.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    super::{Fault, Rate, Scope},
    Gateway, MESSAGES, call, guild, post, request, send,
};

#[tokio::test]
async fn a_bucket_says_what_is_left_and_refuses_the_rest() {
    let discord = guild().await;
    discord.add_channel("2003", "alerts", super::ChannelKind::Text);
    discord.limit(
        "create_message",
        Rate {
            calls: 2,
            window: Duration::from_secs(60),
        },
    );
    let body = json!({"content": "x"});
    let say = async |channel: &str| {
        let path = format!("/channels/{channel}/messages");
        send(request(&discord, Method::POST, &path, &body)).await.unwrap()
    };
    let head = |answer: &http::Response<_>, name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    let first = say("2001").await;
    assert_eq!(
        (
            head(&first, "x-ratelimit-limit"),
            head(&first, "x-ratelimit-remaining")
        ),
        ("2".into(), "1".into())
    );
    say("2001").await;
    let refused = say("2001").await;
    assert_eq!(
        (refused.status().as_u16(), head(&refused, "x-ratelimit-scope")),
        (429, "user".into())
    );
    let after: u64 = head(&refused, "retry-after").parse().unwrap();
    assert!((1..=60).contains(&after));
    let body: Value = serde_json::from_slice(refused.body()).unwrap();
    assert_eq!(body["global"], false);
    // Each channel has a bucket of its own.
    assert_eq!(say("2003").await.status(), 200);
    discord.limit_all(Some(Rate {
        calls: 0,
        window: Duration::from_secs(60),
    }));
    let refused = say("2003").await;
    assert_eq!(head(&refused, "x-ratelimit-global"), "true");
}

#[tokio::test]
async fn faults_come_before_or_after_the_effect() {
    let discord = guild().await;
    let path = "/channels/2001/messages";
    let body = json!({"content": "x"});
    for (fault, status, effects) in [
        (Fault::Http(503), Some(503), 0),
        (Fault::HttpAfter(502), Some(502), 1),
        (Fault::Refused(403, 50001), Some(403), 0),
        (
            Fault::RateLimited {
                retry_after: 0.5,
                scope: Scope::Shared,
            },
            Some(429),
            0,
        ),
        (Fault::CutBefore, None, 0),
        (Fault::CutAfter, None, 1),
        (Fault::SlowBy(Duration::from_millis(10)), Some(200), 1),
    ] {
        let before = discord.posted().len();
        discord.fail_next("create_message", fault.clone());
        let answer = send(request(&discord, Method::POST, path, &body)).await.ok();
        assert_eq!(answer.map(|a| a.status().as_u16()), status, "{fault:?}");
        assert_eq!(discord.posted().len() - before, effects, "{fault:?}");
    }
    discord.fail_always("create_message", Fault::Http(500));
    assert_eq!(post(&discord, path, body.clone()).await.0, 500);
    discord.heal("create_message");
    assert_eq!(post(&discord, path, body).await.0, 200);
}

#[tokio::test]
async fn a_revoked_token_is_refused_everywhere() {
    let discord = guild().await;
    let (mut gateway, _) = Gateway::ready(&discord, MESSAGES).await;
    discord.revoke_token(super::BOT_TOKEN);
    assert_eq!(gateway.closed().await, Some(4004));
    let (status, body) = call(&discord, Method::GET, "/users/@me", Value::Null).await;
    assert_eq!((status, &body["message"]), (401, &json!("401: Unauthorized")));
}

#[tokio::test]
async fn the_port_can_be_down_and_come_back() {
    let discord = guild().await;
    discord.down().await;
    assert!(
        send(request(&discord, Method::GET, "/users/@me", &Value::Null))
            .await
            .is_err()
    );
    discord.up().await;
    assert_eq!(
        call(&discord, Method::GET, "/users/@me", Value::Null).await.0,
        200
    );
}
