use std::io::Write as _;

use super::*;

/// A request without any of the daemon's own code.
async fn ask(gmail: &FakeGmail, request: String) -> (u16, serde_json::Value) {
    let addr = gmail.port.addr;
    let reply = tokio::task::spawn_blocking(move || {
        use std::io::Read as _;
        let mut tcp = std::net::TcpStream::connect(addr).unwrap();
        tcp.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        tcp.read_to_string(&mut reply).unwrap();
        reply
    });
    let reply = reply.await.unwrap();
    let status = reply.split(' ').nth(1).unwrap().parse().unwrap();
    let body = reply.split_once("\r\n\r\n").map(|(_, body)| body).unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

async fn token(gmail: &FakeGmail, refresh: &str) -> (u16, serde_json::Value) {
    let form = format!(
        "grant_type=refresh_token&refresh_token={refresh}&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}"
    );
    let head = "Host: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded";
    ask(
        gmail,
        format!(
            "POST /token HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ),
    )
    .await
}

async fn get(gmail: &FakeGmail, token: &str, path: &str) -> (u16, serde_json::Value) {
    let head = format!("Host: x\r\nConnection: close\r\nAuthorization: Bearer {token}");
    ask(
        gmail,
        format!("GET /gmail/v1/users/me/{path} HTTP/1.1\r\n{head}\r\n\r\n"),
    )
    .await
}

async fn access(gmail: &FakeGmail) -> String {
    let (_, granted) = token(gmail, REFRESH_TOKEN).await;
    granted["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn who_has_no_token_stays_outside() {
    let gmail = FakeGmail::start().await;
    assert_eq!(get(&gmail, "ya29.guess", "profile").await.0, 401);
    let token_of = access(&gmail).await;
    assert_eq!(get(&gmail, &token_of, "profile").await.1["emailAddress"], ADDRESS);
    gmail.revoke();
    assert_eq!(get(&gmail, &token_of, "profile").await.0, 401);
    assert_eq!(token(&gmail, REFRESH_TOKEN).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn history_has_pages_and_is_forgotten() {
    let gmail = FakeGmail::start().await;
    let token = access(&gmail).await;
    let (_, profile) = get(&gmail, &token, "profile").await;
    let start = profile["historyId"].as_str().unwrap().to_owned();
    let ids: Vec<String> = (0..3)
        .map(|_| gmail.arrives(NewMail::from("ada@example.org")))
        .collect();
    gmail.cap_pages(2);
    let path = format!("history?startHistoryId={start}");
    let (_, first) = get(&gmail, &token, &path).await;
    let (_, second) = get(
        &gmail,
        &token,
        &format!("{path}&pageToken={}", first["nextPageToken"].as_str().unwrap()),
    )
    .await;
    let seen: Vec<&str> = [&first, &second]
        .iter()
        .flat_map(|page| page["history"].as_array().unwrap())
        .map(|record| record["messagesAdded"][0]["message"]["id"].as_str().unwrap())
        .collect();
    assert_eq!(seen, ids);
    gmail.forgets_history();
    assert_eq!(get(&gmail, &token, &path).await.0, 404);
    assert_eq!(
        gmail.violations(),
        Vec::<String>::new(),
        "our own answers are Google's too"
    );
}

#[tokio::test]
async fn what_google_does_not_know_is_refused_and_remembered() {
    let gmail = FakeGmail::start().await;
    let token = access(&gmail).await;
    assert_eq!(get(&gmail, &token, "messages?query=x").await.0, 400);
    assert_eq!(get(&gmail, &token, "messages/1?format=whole").await.0, 400);
    assert_eq!(gmail.take_violations().len(), 2);
    // The document does not say that this one needs an id.
    assert_eq!(get(&gmail, &token, "history").await.0, 400);
}

#[tokio::test]
async fn a_search_means_what_gmail_means() {
    let gmail = FakeGmail::start().await;
    let token = access(&gmail).await;
    gmail.add_label("Kata");
    let ada = gmail.arrives(NewMail::from("ada@example.org").subject("Offer").label("Kata"));
    let bob = gmail.arrives(NewMail::from("bob@example.org").subject("Lunch"));
    for (query, expect) in [
        ("from:ada", vec![&ada]),
        ("(from:ada OR from:bob)", vec![&bob, &ada]),
        ("(from:ada OR from:bob) subject:lunch", vec![&bob]),
        ("label:Kata", vec![&ada]),
        ("rfc822msgid:m3@mail.example.org", vec![&ada]),
        ("after:9999999999", vec![]),
        ("offer OR lunch", vec![&bob, &ada]),
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let (_, found) = get(&gmail, &token, &format!("messages?q={encoded}")).await;
        let mut ids: Vec<&str> = found["messages"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|m| m["id"].as_str().unwrap())
            .collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(ids, expect, "{query}");
    }
}
