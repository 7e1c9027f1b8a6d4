//! Sessions.

use std::time::Duration;

use serde_json::{Value, json};

use super::{super::BOT_TOKEN, Gateway, MESSAGES, guild, intent};

fn resume(ready: &Value, seq: u64) -> Value {
    json!({"op": 6, "d": {"token": BOT_TOKEN, "session_id": ready["session_id"], "seq": seq}})
}

#[tokio::test]
async fn a_session_begins_with_its_guild_and_is_told_what_happens() {
    let discord = guild().await;
    let (mut gateway, ready) = Gateway::ready(&discord, MESSAGES).await;
    assert_eq!(
        ready["guilds"][0],
        json!({"id": "900000000000000001", "unavailable": true})
    );
    let id = discord.user_posts("2001", "1001", "hello");
    let told = gateway.event("MESSAGE_CREATE").await;
    assert_eq!(
        (&told["content"], &told["guild_id"]),
        (&json!("hello"), &ready["guilds"][0]["id"])
    );
    discord.user_edits("2001", &id, "hello!");
    assert_eq!(gateway.event("MESSAGE_UPDATE").await["content"], "hello!");
    discord.user_reacts("2001", &id, "1002", "👀");
    assert_eq!(gateway.event("MESSAGE_REACTION_ADD").await["emoji"]["name"], "👀");
    discord.user_starts_thread("2001", &id, "1001", "about it");
    assert_eq!(gateway.event("THREAD_CREATE").await["id"], id.as_str());
    discord.user_deletes("2001", &id);
    assert_eq!(gateway.event("MESSAGE_DELETE").await["id"], id.as_str());
    // Not seen, not subscribed to.
    discord.user_posts("2002", "1001", "secret");
    discord.user_types("2001", "1001");
    discord.user_writes_to_bot("1001", "psst");
    assert_eq!(gateway.event("MESSAGE_CREATE").await["guild_id"], Value::Null);
}

#[tokio::test]
async fn without_the_intent_messages_come_empty() {
    let discord = guild().await;
    let (mut gateway, _) = Gateway::ready(&discord, MESSAGES & !intent::MESSAGE_CONTENT).await;
    discord.user_posts("2001", "1001", "to bob");
    assert_eq!(gateway.event("MESSAGE_CREATE").await["content"], "");
    discord.user_mentions_bot("2001", "1001", "to you");
    assert_ne!(gateway.event("MESSAGE_CREATE").await["content"], "");
}

#[tokio::test]
async fn a_resumed_session_is_told_what_it_missed() {
    let discord = guild().await;
    let (mut gateway, ready) = Gateway::ready(&discord, MESSAGES).await;
    discord.user_posts("2001", "1001", "one");
    gateway.event("MESSAGE_CREATE").await;
    discord.cut_connections();
    gateway.closed().await;
    discord.wait_disconnected().await;
    discord.user_posts("2001", "1001", "two");
    let mut again = Gateway::open(&discord, "").await;
    again.send(resume(&ready, 3)).await;
    assert_eq!(again.event("MESSAGE_CREATE").await["content"], "two");
    again.event("RESUMED").await;
    assert_eq!((discord.resumes(), discord.identifies().len()), (1, 1));
    // A close that says goodbye ends the session.
    again.socket.close(None).await.unwrap();
    discord.wait_disconnected().await;
    let mut late = Gateway::open(&discord, "").await;
    late.send(resume(&ready, 4)).await;
    assert!(late.frame().await.is_ok());
}

#[tokio::test]
async fn a_forgotten_session_is_not_resumed() {
    let discord = guild().await;
    let (gateway, ready) = Gateway::ready(&discord, MESSAGES).await;
    discord.forget_sessions();
    drop(gateway);
    let mut again = Gateway::open(&discord, "").await;
    again.send(resume(&ready, 1)).await;
    let frame = again.frame().await.unwrap();
    assert_eq!((&frame["op"], &frame["d"]), (&json!(9), &json!(false)));
    again.identify(MESSAGES, json!({})).await;
    again.event("READY").await;
}

#[tokio::test]
async fn heartbeats_are_answered_unless_the_line_is_dead() {
    let discord = guild().await;
    let (mut gateway, _) = Gateway::ready(&discord, MESSAGES).await;
    gateway.send(json!({"op": 1, "d": 2})).await;
    assert_eq!(gateway.frame().await.unwrap()["op"], 11);
    discord.ask_for_heartbeat();
    assert_eq!(gateway.frame().await.unwrap()["op"], 1);
    discord.acknowledge_heartbeats(false);
    gateway.send(json!({"op": 1, "d": 2})).await;
    discord.wait_heartbeats(2).await;
    discord.ask_to_reconnect();
    assert_eq!(gateway.frame().await.unwrap()["op"], 7);
}

#[tokio::test]
async fn who_does_not_beat_is_closed_and_may_resume() {
    let discord = guild().await;
    discord.heartbeat_every(Duration::from_millis(50));
    let (mut gateway, _) = Gateway::ready(&discord, MESSAGES).await;
    assert_eq!(gateway.closed().await, Some(4009));
}

#[tokio::test]
async fn the_two_compressions_carry_the_same() {
    let discord = guild().await;
    let mut stream = Gateway::open(&discord, "&compress=zlib-stream").await;
    stream.identify(MESSAGES, json!({})).await;
    let mut payload = Gateway::open(&discord, "").await;
    payload.identify(MESSAGES, json!({"compress": true})).await;
    for gateway in [&mut stream, &mut payload] {
        gateway.event("READY").await;
        assert_eq!(gateway.event("GUILD_CREATE").await["name"], "subarachnoid");
    }
    discord.user_posts("2001", "1001", "hello");
    for gateway in [&mut stream, &mut payload] {
        assert_eq!(gateway.event("MESSAGE_CREATE").await["content"], "hello");
    }
}

#[tokio::test]
async fn what_identify_gets_wrong_has_its_close_code() {
    let discord = guild().await;
    discord.allow_message_content(false);
    for (payload, code, is_violation) in [
        (json!({"op": 2, "d": {"token": "no"}}), 4004, false),
        (
            json!({"op": 2, "d": {"token": format!("Bot {BOT_TOKEN}")}}),
            4004,
            true,
        ),
        (json!({"op": 2, "d": {"intents": 1_u64 << 40}}), 4013, true),
        (json!({"op": 2, "d": {"intents": MESSAGES}}), 4014, false),
        (json!({"op": 2, "d": {"shard": [1, 2]}}), 4010, true),
        (json!({"op": 3, "d": {}}), 4003, true),
        (json!({"op": 42, "d": {}}), 4001, true),
        (json!({"op": 1, "d": 99}), 4002, true),
        (json!({"op": 2, "d": {"token": "x".repeat(5000)}}), 4002, true),
    ] {
        let mut gateway = Gateway::open(&discord, "").await;
        match payload["op"] == 2 {
            true => gateway.identify(1, payload["d"].clone()).await,
            false => gateway.send(payload.clone()).await,
        }
        assert_eq!(gateway.closed().await, Some(code), "{payload}");
        assert_eq!(discord.take_violations().is_empty(), !is_violation, "{payload}");
    }
}
