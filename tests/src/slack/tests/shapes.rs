//! Every field that the fake sends is one that Slack sends, of the same type; every field that Slack's own document
//! requires is there; every refusal is one that the document lists.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{super::*, Socket, call, workspace};

fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/slack")
        .join(format!("{name}.json"));
    serde_json::from_slice(&fs::read(&path).unwrap()).unwrap()
}

/// Fields newer than the samples, from the pages of Slack's documentation named beside them.
const NEWER: [&str; 10] = [
    // https://docs.slack.dev/apis/events-api/#event-type-structure
    "context_team_id",
    "context_enterprise_id",
    // https://docs.slack.dev/reference/objects/conversation-object
    "updated",
    "is_pending_ext_shared",
    "user_id",
    // https://docs.slack.dev/reference/events/app_mention
    "event_ts",
    "team",
    "app_id",
    // https://docs.slack.dev/reference/block-kit/blocks (left out of the samples: there are too many kinds)
    "blocks",
    // https://docs.slack.dev/reference/interaction-payloads/block_actions-payload (blank in the sample)
    "values",
];

/// Checks that `ours` has no field that `theirs` lacks, and none of another type.
fn check(at: &str, ours: &Value, theirs: &Value, unknown: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, value) in ours {
                let at = format!("{at}.{name}");
                match theirs.get(name) {
                    Some(theirs) => check(&at, value, theirs, unknown),
                    None if NEWER.contains(&name.as_str()) => {}
                    None => unknown.push(at),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            for value in ours {
                theirs
                    .first()
                    .iter()
                    .for_each(|theirs| check(&format!("{at}[]"), value, theirs, unknown));
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (ours, theirs) if std::mem::discriminant(ours) == std::mem::discriminant(theirs) => {}
        (ours, theirs) => unknown.push(format!("{at}: {ours} is not of the type of {theirs}")),
    }
}

fn assert_shape(name: &str, ours: &Value) {
    let mut unknown = Vec::new();
    check(name, ours, &sample(name), &mut unknown);
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[tokio::test]
async fn events_have_the_shape_of_slacks_samples() {
    let slack = workspace().await;
    let mut socket = Socket::open(&slack).await;
    let mut payload = async || socket.frame().await["payload"].clone();
    let ts = slack.user_posts("C1", "U1", "hello");
    assert_shape("MessagePayload", &payload().await);
    slack.user_edits("C1", &ts, "hello!");
    assert_shape("MessageChangedPayload", &payload().await);
    slack.user_deletes("C1", &ts);
    assert_shape("MessageDeletedPayload", &payload().await);
    slack.user_mentions_bot("C1", "U1", "hello");
    payload().await;
    assert_shape("AppMentionPayload", &payload().await);
    let upload = Upload {
        name: "a.txt",
        mimetype: "text/plain",
        content: b"a",
    };
    slack.user_shares("C1", "U1", "look", &upload);
    assert_shape("MessageFileSharePayload", &payload().await);
    let root = slack.post_silently("C1", "U1", "root");
    slack.slash_command("C1", "U1", "/kata", "hello");
    assert_shape("SlashCommandPayload", &payload().await);
    let button = json!({"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go", "value": "go"});
    let blocks = json!([{"type": "actions", "elements": [button]}]);
    let args = json!({"channel": "C1", "text": "go?", "thread_ts": root, "blocks": blocks});
    let card = call(&slack, "chat.postMessage", args).await["ts"].clone();
    payload().await;
    slack.press("U1", card.as_str().unwrap(), "go");
    assert_shape("BlockActionPayload", &payload().await);
}

#[tokio::test]
async fn answers_have_the_shape_of_slacks_samples() {
    let slack = workspace().await;
    let root = slack.post_silently("C1", "U1", "root");
    slack.reply_silently("C1", &root, "U1", "reply");
    let post = json!({"channel": "C1", "text": "x", "thread_ts": root,
        "metadata": {"event_type": "t", "event_payload": {}}});
    for (method, args) in [
        ("auth.test", json!({})),
        ("chat.postMessage", post),
        ("conversations.history", json!({"channel": "C1"})),
        (
            "conversations.list",
            json!({"types": "public_channel,private_channel,im,mpim"}),
        ),
        ("users.info", json!({"user": "U1"})),
        ("users.list", json!({})),
    ] {
        let answer = call(&slack, method, args).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        assert_shape(method, &answer);
    }
}

#[tokio::test]
async fn answers_have_what_the_openapi_document_requires() {
    let slack = workspace().await;
    let spec = sample("web-api");
    let mine = call(&slack, "chat.postMessage", json!({"channel": "C1", "text": "x"})).await["ts"].clone();
    let ts = slack.post_silently("C1", "U1", "root");
    for (method, args) in [
        ("auth.test", json!({})),
        ("conversations.history", json!({"channel": "C1"})),
        ("conversations.replies", json!({"channel": "C1", "ts": ts})),
        ("conversations.info", json!({"channel": "C1"})),
        ("conversations.list", json!({})),
        ("conversations.open", json!({"users": "U1"})),
        ("users.conversations", json!({})),
        ("users.info", json!({"user": "U1"})),
        ("users.list", json!({})),
        ("chat.postMessage", json!({"channel": "C1", "text": "x"})),
        (
            "chat.postEphemeral",
            json!({"channel": "C1", "user": "U1", "text": "x"}),
        ),
        ("chat.update", json!({"channel": "C1", "ts": mine, "text": "y"})),
        ("chat.delete", json!({"channel": "C1", "ts": mine})),
        (
            "reactions.add",
            json!({"channel": "C1", "timestamp": ts, "name": "eyes"}),
        ),
        (
            "reactions.remove",
            json!({"channel": "C1", "timestamp": ts, "name": "eyes"}),
        ),
    ] {
        let answer = call(&slack, method, args).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        for field in spec[method]["required"].as_array().unwrap() {
            assert!(
                answer.get(field.as_str().unwrap()).is_some(),
                "{method} lacks {field}: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn refusals_are_among_those_that_the_document_lists() {
    let slack = workspace().await;
    let spec = sample("web-api");
    let ts = slack.post_silently("C1", "U1", "root");
    for (method, args) in [
        ("conversations.history", json!({"channel": "C9"})),
        ("conversations.history", json!({"channel": "C1", "oldest": "x"})),
        (
            "conversations.replies",
            json!({"channel": "C1", "ts": "1.000001"}),
        ),
        ("conversations.info", json!({"channel": "G1"})),
        ("conversations.open", json!({})),
        ("users.info", json!({"user": "U9"})),
        ("users.conversations", json!({"types": "x"})),
        ("chat.postMessage", json!({"channel": "C2", "text": "x"})),
        ("chat.postMessage", json!({"channel": "C1"})),
        (
            "chat.postEphemeral",
            json!({"channel": "C1", "user": "U9", "text": "x"}),
        ),
        ("chat.update", json!({"channel": "C1", "ts": ts, "text": "y"})),
        ("chat.delete", json!({"channel": "C1", "ts": "1.000001"})),
        (
            "reactions.add",
            json!({"channel": "C1", "timestamp": "1.000001", "name": "eyes"}),
        ),
        (
            "reactions.remove",
            json!({"channel": "C1", "timestamp": ts, "name": "eyes"}),
        ),
        ("files.info", json!({"file": "F9"})),
    ] {
        let answer = call(&slack, method, args.clone()).await;
        let listed = spec[method]["errors"].as_array().unwrap();
        assert!(
            listed.contains(&answer["error"]),
            "{method} {args}: {}",
            answer["error"]
        );
    }
}
