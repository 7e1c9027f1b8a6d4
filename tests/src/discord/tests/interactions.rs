//! Buttons, commands, and their answers.

use axum::http::Method;
use serde_json::{Value, json};

use super::{super::Via, Gateway, MESSAGES, call, guild, post};

fn row() -> Value {
    json!([{"type": 1, "components": [
        {"type": 2, "style": 3, "label": "Allow", "custom_id": "yes"},
        {"type": 2, "style": 4, "label": "Deny", "custom_id": "no"},
    ]}])
}

/// Registers `/kata` and lets Ada type it; gives the interaction as the app sees it.
async fn typed(discord: &super::FakeDiscord, gateway: &mut Gateway) -> Value {
    let commands = json!([{"name": "kata", "description": "Asks", "options": [
        {"type": 3, "name": "prompt", "description": "What", "required": true}]}]);
    let path = "/applications/900000000000000004/guilds/900000000000000001/commands";
    call(discord, Method::PUT, path, commands).await;
    discord.slash_command("2001", "1001", "kata", &json!({"prompt": "hello"}));
    gateway.event("INTERACTION_CREATE").await
}

fn callback(interaction: &Value) -> String {
    let part = |name: &str| interaction[name].as_str().unwrap().to_owned();
    format!("/interactions/{}/{}/callback", part("id"), part("token"))
}

#[tokio::test]
async fn a_press_is_told_and_its_answer_changes_the_card() {
    let discord = guild().await;
    let (mut gateway, _) = Gateway::ready(&discord, MESSAGES).await;
    let (_, card) = post(
        &discord,
        "/channels/2001/messages",
        json!({"content": "May I?", "components": row()}),
    )
    .await;
    let card = card["id"].as_str().unwrap().to_owned();
    gateway.event("MESSAGE_CREATE").await;
    assert_eq!(discord.buttons(&card), ["Allow", "Deny"]);
    let id = discord.press("1001", &card, "Deny");
    let told = gateway.event("INTERACTION_CREATE").await;
    assert_eq!(
        (&told["type"], &told["data"]["custom_id"]),
        (&json!(3), &json!("no"))
    );
    assert_eq!(
        (&told["member"]["user"]["id"], &told["message"]["id"]),
        (&json!("1001"), &json!(card))
    );
    let update = json!({"type": 7, "data": {"content": "Denied.", "components": []}});
    assert_eq!(post(&discord, &callback(&told), update.clone()).await.0, 204);
    discord.wait_answered(&id).await;
    assert_eq!(discord.wait_closed(&card).await, "Denied.");
    let (status, again) = post(&discord, &callback(&told), update).await;
    assert_eq!((status, &again["code"]), (400, &json!(40060)));
}

#[tokio::test]
async fn a_deferred_command_is_answered_by_follow_ups_while_its_token_lives() {
    let discord = guild().await;
    let (mut gateway, _) = Gateway::ready(&discord, MESSAGES).await;
    let told = typed(&discord, &mut gateway).await;
    assert_eq!(
        told["data"]["options"][0],
        json!({"name": "prompt", "type": 3, "value": "hello"})
    );
    let webhook = format!("/webhooks/900000000000000004/{}", told["token"].as_str().unwrap());
    assert_eq!(
        post(&discord, &webhook, json!({"content": "too early"})).await.1["code"],
        10015
    );
    assert_eq!(post(&discord, &callback(&told), json!({"type": 5})).await.0, 204);
    assert_eq!(post(&discord, &webhook, json!({"content": "one"})).await.0, 200);
    assert_eq!(post(&discord, &webhook, json!({"content": "two"})).await.0, 200);
    let original = format!("{webhook}/messages/@original");
    assert_eq!(
        call(&discord, Method::PATCH, &original, json!({"content": "uno"}))
            .await
            .0,
        200
    );
    let posted = discord
        .posted()
        .into_iter()
        .map(|p| (p.via, p.text))
        .collect::<Vec<_>>();
    let expected = [(Via::Original, "one"), (Via::FollowUp, "two"), (Via::Edit, "uno")];
    assert_eq!(posted, expected.map(|(via, text)| (via, text.to_owned())));
    assert_eq!(discord.texts("2001"), ["uno", "two"]);
    discord.expire_interactions();
    let (status, answer) = post(&discord, &webhook, json!({"content": "late"})).await;
    assert_eq!((status, &answer["code"]), (401, &json!(50027)));
}

#[tokio::test]
async fn an_interaction_that_waits_too_long_or_reaches_nobody_is_lost() {
    let discord = guild().await;
    let (mut gateway, _) = Gateway::ready(&discord, MESSAGES).await;
    discord.interactions_wait(std::time::Duration::ZERO);
    let told = typed(&discord, &mut gateway).await;
    let (status, answer) = post(&discord, &callback(&told), json!({"type": 5})).await;
    assert_eq!((status, &answer["code"]), (404, &json!(10062)));
    drop(gateway);
    discord.wait_disconnected().await;
    discord.slash_command("2001", "1001", "kata", &json!({"prompt": "anyone?"}));
    let (mut gateway, _) = Gateway::ready(&discord, MESSAGES).await;
    discord.user_posts("2001", "1001", "next");
    gateway.event("MESSAGE_CREATE").await;
}
