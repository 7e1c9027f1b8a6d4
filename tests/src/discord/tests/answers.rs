//! Every answer of the fake is one that Discord's own document describes.

use axum::http::Method;
use serde_json::{Value, json};

use super::{super::spec, call, guild};

/// Calls and holds the answer against the document.
async fn held(discord: &super::FakeDiscord, method: Method, path: &str, body: Value) -> Value {
    let (status, answer) = call(discord, method.clone(), path, body).await;
    let (operation, _) = spec::find(&method, path.split('?').next().unwrap()).unwrap();
    let errors = operation.answer_errors(status, &answer);
    assert!(errors.is_empty(), "{path} {answer:#}\n{errors:#?}");
    answer
}

#[tokio::test]
async fn what_is_read_has_the_shape_of_discords_document() {
    let discord = guild().await;
    let id = discord.user_posts("2001", "1001", "hello <@900000000000000003>");
    discord.user_replies("2001", &id, "1002", "a reply", true);
    discord.user_reacts("2001", &id, "1002", "👀");
    let upload = super::super::Upload {
        name: "a.txt",
        mimetype: "text/plain",
        content: b"a",
    };
    discord.user_shares("2001", "1001", "look", &upload);
    discord.webhook_posts("2001", "deployed");
    discord.user_starts_thread("2001", &id, "1001", "about it");
    let dm = discord.add_dm("1001");
    for path in [
        "/gateway",
        "/gateway/bot",
        "/users/@me",
        "/users/1001",
        "/users/@me/guilds",
        "/applications/@me",
        "/guilds/900000000000000001",
        "/guilds/900000000000000001/channels",
        "/guilds/900000000000000001/roles",
        "/guilds/900000000000000001/threads/active",
        "/guilds/900000000000000001/members/1001",
        "/channels/2001",
        "/channels/2009",
        "/channels/2001/messages",
        "/channels/2001/threads/archived/public",
        &format!("/channels/{dm}"),
        &format!("/channels/{id}"),
        &format!("/channels/2001/messages/{id}"),
    ] {
        held(&discord, Method::GET, path, Value::Null).await;
    }
}

#[tokio::test]
async fn what_is_written_has_the_shape_of_discords_document() {
    let discord = guild().await;
    let sent = held(
        &discord,
        Method::POST,
        "/channels/2001/messages",
        json!({"content": "hi", "nonce": "n"}),
    )
    .await;
    let path = format!("/channels/2001/messages/{}", sent["id"].as_str().unwrap());
    held(&discord, Method::PATCH, &path, json!({"content": "ho"})).await;
    held(
        &discord,
        Method::PUT,
        &format!("{path}/reactions/%F0%9F%91%80/@me"),
        Value::Null,
    )
    .await;
    assert_eq!(discord.reactions("2001", sent["id"].as_str().unwrap()), ["👀"]);
    held(
        &discord,
        Method::DELETE,
        &format!("{path}/reactions/%F0%9F%91%80/@me"),
        Value::Null,
    )
    .await;
    held(
        &discord,
        Method::POST,
        &format!("{path}/threads"),
        json!({"name": "about it"}),
    )
    .await;
    held(
        &discord,
        Method::POST,
        "/channels/2001/threads",
        json!({"name": "free", "type": 11}),
    )
    .await;
    let post = json!({"name": "an idea", "message": {"content": "what if"}});
    held(&discord, Method::POST, "/channels/2009/threads", post).await;
    held(&discord, Method::POST, "/channels/2001/typing", Value::Null).await;
    held(
        &discord,
        Method::POST,
        "/users/@me/channels",
        json!({"recipient_id": "1001"}),
    )
    .await;
    held(&discord, Method::DELETE, &path, Value::Null).await;
    let commands = json!([{"name": "kata", "description": "Asks the agent", "options": [
        {"type": 3, "name": "prompt", "description": "What to ask", "required": true}]}]);
    let path = "/applications/900000000000000004/guilds/900000000000000001/commands";
    held(&discord, Method::PUT, path, commands).await;
    held(&discord, Method::GET, path, Value::Null).await;
}

#[tokio::test]
async fn refusals_have_discords_statuses_and_codes() {
    let discord = guild().await;
    let theirs = discord.user_posts("2001", "1001", "hello");
    let forum = "/channels/2009/messages";
    for (method, path, body, expected) in [
        ("GET", "/channels/4711", json!(null), (404, 10003)),
        ("GET", "/channels/2002/messages", json!(null), (403, 50001)),
        ("GET", "/channels/2001/messages/4711", json!(null), (404, 10008)),
        (
            "GET",
            "/channels/2001/messages?limit=101",
            json!(null),
            (400, 50035),
        ),
        ("GET", "/guilds/4711", json!(null), (404, 10004)),
        (
            "POST",
            "/channels/2001/messages",
            json!({"content": " "}),
            (400, 50006),
        ),
        (
            "POST",
            "/channels/2001/messages",
            json!({"content": "x".repeat(2001)}),
            (400, 50035),
        ),
        ("POST", forum, json!({"content": "x"}), (400, 50008)),
        (
            "PATCH",
            &format!("/channels/2001/messages/{theirs}"),
            json!({"content": "x"}),
            (403, 50005),
        ),
        (
            "DELETE",
            &format!("/channels/2001/messages/{theirs}"),
            json!(null),
            (403, 50013),
        ),
        (
            "PUT",
            &format!("/channels/2001/messages/{theirs}/reactions/eyes/@me"),
            json!(null),
            (404, 10014),
        ),
        (
            "POST",
            "/users/@me/channels",
            json!({"recipient_id": "4711"}),
            (400, 50033),
        ),
        (
            "POST",
            "/channels/2001/messages",
            json!({"content": "x", "message_reference": {"message_id": "4711"}}),
            (400, 50035),
        ),
    ] {
        let (status, answer) = call(&discord, method.parse().unwrap(), path, body.clone()).await;
        assert_eq!(
            (status, answer["code"].as_u64().unwrap()),
            expected,
            "{method} {path} {body}: {answer}"
        );
    }
    // Two thousand code points, whatever their size.
    let (status, _) = super::post(
        &discord,
        "/channels/2001/messages",
        json!({"content": "🦀".repeat(2000)}),
    )
    .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn what_breaks_the_document_is_a_violation() {
    let discord = guild().await;
    for (path, body) in [
        ("/channels/2001/messages", json!({"content": "x", "replyTo": "1"})),
        ("/channels/2001/messages", json!({"content": 5})),
        ("/channels/general/messages", json!({"content": "x"})),
        ("/channels/2001/messages?wait=true", json!({"content": "x"})),
        ("/channels/2001/shout", json!({"content": "x"})),
    ] {
        super::post(&discord, path, body).await;
        assert_eq!(discord.take_violations().len(), 1, "{path}");
    }
    let mut request = super::request(&discord, Method::GET, "/users/@me", &Value::Null);
    request
        .headers_mut()
        .insert("user-agent", "curl".parse().unwrap());
    super::send(request).await.unwrap();
    assert!(discord.take_violations()[0].contains("User-Agent"));
}
