//! Tokens, arguments, refusals.

use axum::body::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{super::*, call, outcome, send, workspace};

fn body(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

#[tokio::test]
async fn a_token_is_checked_as_slack_checks_it() {
    let slack = workspace().await;
    let ask = async |token: Option<&str>| {
        let mut request = Request::get(format!("{}/auth.test", slack.api_url()));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        send(request.body(Full::default()).unwrap()).await.unwrap()
    };
    assert_eq!(body(&ask(None).await)["error"], "not_authed");
    assert_eq!(body(&ask(Some("xoxb-guess")).await)["error"], "invalid_auth");
    let good = ask(Some(BOT_TOKEN)).await;
    assert_eq!(body(&good)["user_id"], BOT_USER);
    assert!(
        good.headers()["x-oauth-scopes"]
            .to_str()
            .unwrap()
            .contains("chat:write")
    );
    slack.refuse_token(BOT_TOKEN, Some("token_revoked"));
    assert_eq!(body(&ask(Some(BOT_TOKEN)).await)["error"], "token_revoked");
}

#[tokio::test]
async fn a_call_means_the_same_as_query_form_and_json() {
    let slack = workspace().await;
    slack.post_silently("C1", "U1", "hello & <good> day");
    let url = format!("{}/conversations.history", slack.api_url());
    let bearer = format!("Bearer {BOT_TOKEN}");
    let form = "application/x-www-form-urlencoded";
    let requests = [
        Request::get(format!("{url}?channel=C1&limit=5&token={BOT_TOKEN}")).body(Full::default()),
        Request::post(&url)
            .header("content-type", form)
            .header("authorization", &bearer)
            .body("channel=C1&limit=5".into()),
        Request::post(&url)
            .header("content-type", "application/json; charset=utf-8")
            .header("authorization", &bearer)
            .body(json!({"channel": "C1", "limit": 5}).to_string().into()),
    ];
    for request in requests {
        let answer = body(&send(request.unwrap()).await.unwrap());
        assert_eq!(answer["messages"][0]["text"], "hello & <good> day", "{answer}");
    }
    let bad = Request::post(&url)
        .header("content-type", "application/json")
        .body("{".into())
        .unwrap();
    assert_eq!(body(&send(bad).await.unwrap())["error"], "invalid_json");
}

#[tokio::test]
async fn a_post_is_refused_with_slacks_codes() {
    let slack = workspace().await;
    let root = slack.post_silently("C1", "U1", "root");
    let reply = slack.reply_silently("C1", &root, "U1", "reply");
    let cases = [
        (json!({"channel": "C9", "text": "x"}), "channel_not_found"),
        (json!({"channel": "G1", "text": "x"}), "channel_not_found"),
        (json!({"channel": "C2", "text": "x"}), "not_in_channel"),
        (json!({"channel": "C1"}), "no_text"),
        (json!({"text": "x"}), "invalid_arguments"),
        (
            json!({"channel": "C1", "text": "x".repeat(40_001)}),
            "msg_too_long",
        ),
        (
            json!({"channel": "C1", "text": "x", "thread_ts": "1.000001"}),
            "thread_not_found",
        ),
        (
            json!({"channel": "C1", "text": "x", "thread_ts": reply}),
            "cannot_reply_to_message",
        ),
        (
            json!({"channel": "C1", "text": "x", "metadata": "no object"}),
            "invalid_metadata_format",
        ),
        (
            json!({"channel": "C1", "text": "x", "metadata": {"event_type": "t"}}),
            "invalid_metadata_schema",
        ),
    ];
    for (args, code) in cases {
        assert_eq!(
            outcome(&slack, "chat.postMessage", args.clone()).await,
            code,
            "{args}"
        );
    }
    assert!(slack.posted().is_empty());
    slack.revoke_scope("chat:write");
    let answer = call(&slack, "chat.postMessage", json!({"channel": "C1", "text": "x"})).await;
    assert_eq!(
        (&answer["error"], &answer["needed"]),
        (&json!("missing_scope"), &json!("chat:write"))
    );
}

#[tokio::test]
async fn a_post_is_in_history_with_its_metadata_and_the_bot_that_made_it() {
    let slack = workspace().await;
    let metadata = json!({"event_type": "kata", "event_payload": {"key": "k1"}});
    let args = json!({"channel": "C1", "text": "hi", "metadata": metadata});
    let ts = call(&slack, "chat.postMessage", args).await["ts"].clone();
    let read = async |all: bool| {
        let args = json!({"channel": "C1", "include_all_metadata": all});
        call(&slack, "conversations.history", args).await["messages"][0].clone()
    };
    let message = read(true).await;
    assert_eq!((&message["ts"], &message["metadata"]), (&ts, &metadata));
    assert_eq!(
        (&message["user"], &message["bot_id"]),
        (&json!(BOT_USER), &json!(BOT))
    );
    assert_eq!(read(false).await["metadata"], json!({"event_type": "kata"}));
    assert_eq!(slack.posted()[0].key.as_deref(), Some("k1"));
}

#[tokio::test]
async fn a_reaction_is_put_on_once_and_taken_off_once() {
    let slack = workspace().await;
    let ts = slack.post_silently("C1", "U1", "hello");
    let args = json!({"channel": "C1", "timestamp": ts, "name": "eyes"});
    let codes = [
        ("reactions.remove", "no_reaction"),
        ("reactions.add", "ok"),
        ("reactions.add", "already_reacted"),
        ("reactions.remove", "ok"),
    ];
    for (method, code) in codes {
        assert_eq!(outcome(&slack, method, args.clone()).await, code);
    }
    let gone = json!({"channel": "C1", "timestamp": "1.000001", "name": "eyes"});
    assert_eq!(outcome(&slack, "reactions.add", gone).await, "message_not_found");
}

#[tokio::test]
async fn a_response_url_serves_five_times_and_only_in_channel_answers_are_seen() {
    let slack = workspace().await;
    let command = slack.slash_command("C1", "U1", "/kata", "hello");
    let answer = async |kind: &str| {
        let body = json!({"text": kind, "response_type": kind}).to_string();
        send(Request::post(&command.response_url).body(body.into()).unwrap())
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(answer("ephemeral").await, 200);
    for _ in 0..4 {
        assert_eq!(answer("in_channel").await, 200);
    }
    assert_eq!(answer("in_channel").await, 404);
    assert_eq!(slack.texts("C1"), ["in_channel"; 4]);
    assert_eq!(slack.posted().len(), 5);
}

#[tokio::test]
async fn a_file_needs_the_token() {
    let slack = workspace().await;
    let upload = Upload {
        name: "a b.txt",
        mimetype: "text/plain",
        content: b"content",
    };
    slack.user_shares("C1", "U1", "look", &upload);
    let history = call(&slack, "conversations.history", json!({"channel": "C1"})).await;
    let url = history["messages"][0]["files"][0]["url_private"]
        .as_str()
        .unwrap();
    let get = async |token: &str| {
        let request = Request::get(url)
            .header("authorization", token)
            .body(Full::default())
            .unwrap();
        send(request).await.unwrap()
    };
    assert_eq!(get(&format!("Bearer {BOT_TOKEN}")).await.body(), "content");
    assert!(get("Bearer xoxb-guess").await.status().is_redirection());
}
