//! Lines, good and bad.

use kata_testkit::{
    Stage,
    host::{FakeHost, Policy},
};
use serde_json::{Value, json};

/// A daemon with one open turn.
async fn with_open_turn(stage: &Stage) -> (FakeHost, i64) {
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.slack.user_posts("C1", "U1", "hello");
    let turn = host.wait_turn("hello").await;
    (host, turn.message_id)
}

#[tokio::test]
async fn a_command_may_come_in_any_pieces() {
    let stage = Stage::set().await;
    let (host, id) = with_open_turn(&stage).await;
    let line = json!({"type": "message_processed", "messageId": id, "response": "Grüße 🎉", "success": true});
    for byte in format!("  {line}\r\n\r\n\n").into_bytes() {
        host.send_bytes(&[byte]);
    }
    stage.slack.wait_text("Grüße 🎉").await;
    assert!(host.events_of("protocol_error").is_empty());
}

#[tokio::test]
async fn half_a_character_from_the_host_does_not_lose_the_answer() {
    let stage = Stage::set().await;
    let (host, id) = with_open_turn(&stage).await;
    let line = format!(
        r#"{{"type":"message_processed","messageId":{id}.0,"response":"cut \ud83d","success":true,"error":null}}"#
    );
    host.send_bytes(format!("{line}\n").as_bytes());
    stage.slack.wait_text("cut \u{fffd}").await;
}

#[tokio::test]
async fn a_bad_line_costs_one_protocol_error_and_nothing_else() {
    let stage = Stage::set().await;
    stage.home.write_settings(&json!({"maxLineBytes": 65536}));
    let (host, id) = with_open_turn(&stage).await;
    let long = format!(r#"{{"type":"health_check","x":"{}"}}"#, "y".repeat(100_000));
    let bad: [&[u8]; 7] = [
        b"not json xoxb-secret",
        b"[1,2]",
        br#"{"type":"open_the_pod_bay_doors","requestId":"r1"}"#,
        br#"{"type":"message_processed","requestId":"r2","response":"","success":true}"#,
        br#"{"type":"message_processed","requestId":"r3","messageId":"seven","response":"","success":true}"#,
        b"{\"type\":\"health_check\",\"x\":\"\xff\xfe\"}",
        long.as_bytes(),
    ];
    for line in bad {
        host.send_bytes(&[line, b"\n"].concat());
    }
    host.answer(id, "still listening");
    stage.slack.wait_text("still listening").await;
    let errors = host.events_of("protocol_error");
    assert_eq!(errors.len(), bad.len(), "{errors:#?}");
    let named: Vec<&Value> = errors.iter().filter(|e| e["requestId"].is_string()).collect();
    assert_eq!(named[0]["commandType"], "open_the_pod_bay_doors");
    assert_eq!(
        named
            .iter()
            .map(|e| e["requestId"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["r1", "r2", "r3"]
    );
    assert!(!host.dump().contains("xoxb-secret"));
}

#[tokio::test]
async fn a_query_has_exactly_one_result() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    for what in ["status", "channels", "queue", "messages", "sessions"] {
        let result = host.request(json!({"type": "query", "what": what})).await;
        assert_eq!(result["ok"], true, "{result}");
        assert!(result["data"]["items"].is_array(), "{result}");
    }
    let result = host
        .request(json!({"type": "retry_message", "messageId": 4711}))
        .await;
    assert_eq!(result["ok"], false);
    assert!(
        result["error"]["code"].is_string() && result["error"]["message"].is_string(),
        "{result}"
    );
    assert_eq!(host.events_of("result").len(), 6);
}
