//! History, replies, nonces, files, threads.

use axum::http::Method;
use serde_json::{Value, json};

use super::{call, get, guild, post, request, send};

fn contents(page: &Value) -> Vec<&str> {
    page.as_array()
        .unwrap()
        .iter()
        .map(|m| m["content"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn history_comes_newest_first_from_wherever_it_is_read() {
    let discord = guild().await;
    let ids: Vec<String> = (0..6)
        .map(|n| discord.user_posts("2001", "1001", &n.to_string()))
        .collect();
    let page = async |query: &str| {
        let page = get(&discord, &format!("/channels/2001/messages?{query}")).await;
        contents(&page).join("")
    };
    assert_eq!(page("limit=3").await, "543");
    // The next ones after it, not the newest.
    assert_eq!(page(&format!("after={}&limit=2", ids[1])).await, "32");
    assert_eq!(page("after=0&limit=2").await, "10");
    assert_eq!(page(&format!("before={}&limit=2", ids[4])).await, "32");
    assert_eq!(page(&format!("around={}&limit=3", ids[3])).await, "432");
    discord.cap_pages(1);
    assert_eq!(page("limit=3").await, "5");
    discord.set_readable("2001", false);
    assert_eq!(page("limit=3").await, "");
}

#[tokio::test]
async fn a_nonce_is_said_once_where_it_is_enforced() {
    let discord = guild().await;
    let say = async |enforce: bool| {
        let body = json!({"content": "hello", "nonce": "one", "enforce_nonce": enforce});
        post(&discord, "/channels/2001/messages", body).await.1["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = say(true).await;
    assert_eq!(say(true).await, first);
    assert_eq!(discord.posted().len(), 1);
    assert_ne!(say(false).await, first);
    let long = json!({"content": "x", "nonce": "x".repeat(26)});
    assert_eq!(post(&discord, "/channels/2001/messages", long).await.0, 400);
    assert_eq!(discord.take_violations().len(), 1);
}

#[tokio::test]
async fn a_reply_names_its_message_and_pings_unless_told_not_to() {
    let discord = guild().await;
    let to = discord.user_posts("2001", "1001", "question");
    let reply = async |mentions: Value| {
        let body = json!({
            "content": "answer", "message_reference": {"message_id": to}, "allowed_mentions": mentions,
        });
        post(&discord, "/channels/2001/messages", body).await.1
    };
    let answer = reply(Value::Null).await;
    assert_eq!(
        (&answer["type"], &answer["mentions"][0]["id"]),
        (&json!(19), &json!("1001"))
    );
    assert_eq!(answer["referenced_message"]["content"], "question");
    assert_eq!(reply(json!({"parse": []})).await["mentions"], json!([]));
    assert_eq!(discord.posted()[0].reply_to, Some(to.clone()));
    discord.user_deletes("2001", &to);
    let body = json!({
        "content": "late", "message_reference": {"message_id": to, "fail_if_not_exists": false},
    });
    assert_eq!(post(&discord, "/channels/2001/messages", body).await.0, 200);
}

#[tokio::test]
async fn files_come_in_a_form_and_are_downloaded_without_a_token() {
    let discord = guild().await;
    let payload = json!({"content": "here", "attachments": [{"id": 0, "filename": "a b.txt"}]});
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: application/json\r\n\r\n{payload}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"a b.txt\"\r\n\
         Content-Type: text/plain\r\n\r\nthe content\r\n--x--\r\n"
    );
    let mut upload = request(&discord, Method::POST, "/channels/2001/messages", &Value::Null);
    *upload.body_mut() = form.into();
    let kind = "multipart/form-data; boundary=x".parse().unwrap();
    upload.headers_mut().insert("content-type", kind);
    let answer: Value = serde_json::from_slice(send(upload).await.unwrap().body()).unwrap();
    assert_eq!(discord.posted()[0].files, ["a b.txt"]);
    let url = answer["attachments"][0]["url"]
        .as_str()
        .unwrap()
        .replace(' ', "%20");
    let download = async || {
        send(http::Request::get(&url).body(Default::default()).unwrap())
            .await
            .unwrap()
    };
    assert_eq!(download().await.body(), "the content");
    discord.expire_links(true);
    assert_eq!(download().await.status(), 404);
}

#[tokio::test]
async fn without_the_intent_an_app_reads_what_is_meant_for_it_alone() {
    let discord = guild().await;
    discord.allow_message_content(false);
    let flags = |me: &Value| me["flags"].as_u64().unwrap() & (1 << 19);
    assert_eq!(flags(&get(&discord, "/applications/@me").await), 0);
    discord.user_posts("2001", "1001", "to bob");
    discord.user_mentions_bot("2001", "1001", "to you");
    post(&discord, "/channels/2001/messages", json!({"content": "mine"})).await;
    let page = get(&discord, "/channels/2001/messages").await;
    assert_eq!(contents(&page), ["mine", "<@900000000000000003> to you", ""]);
    let dm = discord.add_dm("1001");
    discord.user_posts(&dm, "1001", "secret");
    assert_eq!(
        contents(&get(&discord, &format!("/channels/{dm}/messages")).await),
        ["secret"]
    );
}

#[tokio::test]
async fn a_thread_is_a_channel_that_may_be_archived() {
    let discord = guild().await;
    let root = discord.user_posts("2001", "1001", "root");
    let thread = discord.user_starts_thread("2001", &root, "1001", "about it");
    let post_id = discord.user_opens_post("2009", "1002", "idea", "what if");
    let active = async || {
        let active = get(&discord, "/guilds/900000000000000001/threads/active").await;
        active["threads"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(active().await, [post_id.clone(), thread.clone()]);
    discord.archive(&thread, true);
    assert_eq!(active().await, [post_id]);
    let archived = get(&discord, "/channels/2001/threads/archived/public").await;
    assert_eq!(archived["threads"][0]["id"], thread.as_str());
    // Who writes in it takes it back.
    let (status, _) = post(
        &discord,
        &format!("/channels/{thread}/messages"),
        json!({"content": "x"}),
    )
    .await;
    assert_eq!((status, active().await.len()), (200, 2));
    discord.lock(&thread);
    let (status, answer) = post(
        &discord,
        &format!("/channels/{thread}/messages"),
        json!({"content": "x"}),
    )
    .await;
    assert_eq!((status, &answer["code"]), (403, &json!(50013)));
    let twice = format!("/channels/2001/messages/{root}/threads");
    assert_eq!(
        call(&discord, Method::POST, &twice, json!({"name": "again"}))
            .await
            .1["code"],
        160_004
    );
}
