//! Blocks, and the buttons in them.

use serde_json::{Value, json};

use super::{super::*, Socket, call, outcome, workspace};

fn button(id: &str, text: &str, value: &str) -> Value {
    json!({"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": id, "value": value})
}

fn actions(elements: &[Value]) -> Value {
    json!({"type": "actions", "elements": elements})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

/// A card with two buttons; gives its `ts`.
async fn card(slack: &FakeSlack, thread: Option<&str>) -> String {
    let buttons = [button("a", "Allow", "yes 7Q4"), button("b", "Deny", "no 7Q4")];
    let blocks = json!([section("May I?"), actions(&buttons)]);
    let args = json!({"channel": "C1", "text": "May I?", "blocks": blocks, "thread_ts": thread});
    call(slack, "chat.postMessage", args).await["ts"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn blocks_are_held_to_slacks_limits() {
    let slack = workspace().await;
    let many = |n: usize| Value::from(vec![json!({"type": "divider"}); n]);
    let buttons = |n: usize| {
        let all: Vec<Value> = (0..n).map(|n| button(&n.to_string(), "x", "x")).collect();
        json!([actions(&all)])
    };
    let long = |n: usize| "x".repeat(n);
    let styled = |style: &str| {
        let mut button = button("a", "x", "x");
        button["style"] = style.into();
        json!([actions(&[button])])
    };
    for (blocks, code) in [
        (many(50), "ok"),
        (many(51), "invalid_blocks"),
        (json!([section(&long(3000))]), "ok"),
        (json!([section(&long(3001))]), "invalid_blocks"),
        (json!([section("")]), "invalid_blocks"),
        (json!([{"type": "section"}]), "invalid_blocks"),
        (buttons(25), "ok"),
        (buttons(26), "invalid_blocks"),
        (buttons(0), "invalid_blocks"),
        (json!([actions(&[button("a", &long(75), &long(2000))])]), "ok"),
        (json!([actions(&[button("a", &long(76), "x")])]), "invalid_blocks"),
        (
            json!([actions(&[button("a", "x", &long(2001))])]),
            "invalid_blocks",
        ),
        (
            json!([actions(&[button(&long(256), "x", "x")])]),
            "invalid_blocks",
        ),
        (
            json!([actions(&[button("a", "x", "x"), button("a", "y", "y")])]),
            "invalid_blocks",
        ),
        (styled("danger"), "ok"),
        (styled("default"), "invalid_blocks"),
        (json!([{"type": "carousel_of_tomorrow"}]), "invalid_blocks"),
        (
            json!([{"type": "divider", "block_id": "b"}, {"type": "divider", "block_id": "b"}]),
            "invalid_blocks",
        ),
        (json!({"type": "divider"}), "invalid_blocks_format"),
        (json!("[{"), "invalid_blocks_format"),
        (json!("[{\"type\": \"divider\"}]"), "ok"),
    ] {
        let args = json!({"channel": "C1", "text": "x", "blocks": blocks});
        assert_eq!(outcome(&slack, "chat.postMessage", args).await, code, "{blocks}");
    }
    let args = json!({"channel": "C1", "blocks": [section(&long(3001))]});
    let answer = call(&slack, "chat.postMessage", args).await;
    assert_eq!(
        answer["errors"][0],
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    );
}

#[tokio::test]
async fn a_press_says_who_pressed_what_and_where() {
    let slack = workspace().await;
    let mut socket = Socket::open(&slack).await;
    let root = slack.post_silently("C1", "U1", "root");
    let ts = card(&slack, Some(&root)).await;
    socket.frame().await;
    assert_eq!(slack.buttons(&ts), ["Allow", "Deny"]);
    let action_ts = slack.press("U1", &ts, "Deny");
    let frame = socket.frame().await;
    assert_eq!(
        (&frame["type"], &frame["accepts_response_payload"]),
        (&json!("interactive"), &json!(false))
    );
    let payload = &frame["payload"];
    assert_eq!(
        (
            &payload["type"],
            &payload["user"]["id"],
            &payload["channel"]["id"]
        ),
        (&json!("block_actions"), &json!("U1"), &json!("C1"))
    );
    let container = &payload["container"];
    assert_eq!(
        (&container["message_ts"], &container["thread_ts"]),
        (&json!(ts), &json!(root))
    );
    let action = &payload["actions"][0];
    assert_eq!(
        (&action["value"], &action["action_ts"], &action["type"]),
        (&json!("no 7Q4"), &json!(action_ts), &json!("button"))
    );
    assert!(!slack.is_acknowledged(&action_ts));
    socket.ack(&frame).await;
    slack.wait_acknowledged(&action_ts).await;
}

#[tokio::test]
async fn a_press_that_reaches_nobody_is_lost() {
    let slack = workspace().await;
    let ts = card(&slack, None).await;
    slack.press("U1", &ts, "yes 7Q4");
    let mut socket = Socket::open(&slack).await;
    // The card itself comes late; the press does not.
    assert_eq!(socket.frame().await["type"], "events_api");
    slack.user_posts("C1", "U1", "last");
    assert_eq!(socket.frame().await["payload"]["event"]["text"], "last");
}

#[tokio::test]
async fn an_update_with_a_text_alone_takes_the_blocks_away() {
    let slack = workspace().await;
    let ts = card(&slack, None).await;
    let update = async |more: Value| {
        let mut args = json!({"channel": "C1", "ts": ts});
        args.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        assert_eq!(outcome(&slack, "chat.update", args).await, "ok");
    };
    let other = json!([section("May I?"), actions(&[button("c", "Once more", "again")])]);
    update(json!({"blocks": other})).await;
    assert_eq!(
        (slack.buttons(&ts), slack.texts("C1")),
        (vec!["Once more".to_owned()], vec!["May I?".to_owned()])
    );
    update(json!({"text": "Allowed."})).await;
    assert_eq!(slack.wait_closed(&ts).await, "Allowed.");
    assert!(slack.blocks("C1", &ts).is_empty());
}

#[tokio::test]
#[should_panic(expected = "no button")]
async fn what_is_not_there_cannot_be_pressed() {
    let slack = workspace().await;
    let ts = card(&slack, None).await;
    slack.press("U1", &ts, "Maybe");
}
