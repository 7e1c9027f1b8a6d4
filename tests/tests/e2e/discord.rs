//! Discord's own ways: its gateway, its replies, threads, commands and limits. What every platform does is in
//! `conformance`.

use std::time::Duration;

use kata_testkit::{
    DiscordStage, SLUG, WORKSPACE,
    discord::{BOT_ROLE, FakeDiscord, Fault, Rate, Scope, Via},
    host::{AcpAgent, Channel, Config, FakeHost, Policy},
};
use serde_json::{Value, json};

async fn complains(host: &FakeHost, part: &str) {
    host.wait_event(part, |e| {
        e["type"] == "plugin_error" && e["error"].as_str().is_some_and(|error| error.contains(part))
    })
    .await;
}

#[tokio::test]
async fn a_message_becomes_a_turn_and_its_answer_a_reply_with_a_nonce() {
    let stage = DiscordStage::set().await;
    let host = stage.play().await;
    let message = stage.discord.user_posts("2001", "1001", "hello");
    let posted = stage.discord.wait_text("hello").await;
    assert_eq!((posted.via, posted.channel.as_str()), (Via::Create, "2001"));
    assert_eq!(posted.reply_to, Some(message.clone()));
    assert!(posted.nonce.is_some_and(|nonce| nonce.len() <= 25));
    let received = host.wait_for("message_received").await;
    assert_eq!(received["messageId"], message.as_str());
    // Nobody can be called by an answer.
    let body = &stage.discord.calls("create_message")[0].body;
    assert_eq!(body["allowed_mentions"]["parse"], json!([]));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_nonce() {
    let stage = DiscordStage::set().await;
    let host = stage.play().await;
    stage.discord.fail_next("create_message", Fault::CutAfter);
    stage.discord.user_posts("2001", "1001", "one");
    host.wait_for("message_sent").await;
    let calls = stage.discord.calls("create_message");
    let nonces: Vec<&Value> = calls.iter().map(|call| &call.body["nonce"]).collect();
    assert!(nonces.iter().all(|nonce| *nonce == nonces[0]), "{nonces:?}");
    assert_eq!(stage.said(), ["one"]);
}

#[tokio::test]
async fn names_stand_for_ids_in_what_the_agent_reads() {
    let stage = DiscordStage::set().await;
    let host = stage.play().await;
    stage.discord.user_posts("2001", "1001", "is <@1002> in <#2002>?");
    assert_eq!(host.wait_turns(1).await[0].content, "is @bob in #random?");
}

#[tokio::test]
async fn a_resumed_session_goes_on_where_it_was() {
    let stage = DiscordStage::set().await;
    let host = stage.play().await;
    stage.discord.user_posts("2001", "1001", "one");
    stage.discord.wait_text("one").await;
    stage.discord.cut_connections();
    stage.discord.user_posts("2001", "1001", "two");
    stage.discord.wait_text("two").await;
    assert_eq!(
        (stage.discord.resumes(), stage.discord.identifies().len()),
        (1, 1)
    );
    assert_eq!(host.turns().len(), 2);
}

/// What is said before and after the end of a connection is answered once and in order.
async fn outlives(end: fn(&FakeDiscord)) {
    let stage = DiscordStage::set().await;
    let host = stage.play().await;
    stage.discord.user_posts("2001", "1001", "before");
    stage.discord.wait_text("before").await;
    let sessions = stage.discord.sessions();
    stage.discord.user_posts("2001", "1001", "just before");
    end(&stage.discord);
    stage.discord.user_posts("2001", "1001", "just after");
    stage.discord.wait_sessions(sessions + 1).await;
    stage.discord.wait_text("just after").await;
    stage.discord.user_posts("2001", "1001", "after");
    stage.discord.wait_text("after").await;
    assert_eq!(stage.said(), ["before", "just before", "just after", "after"]);
    assert_eq!(host.turns().len(), 4);
}

macro_rules! outlives {
    ($($name:ident: $end:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            outlives($end).await;
        }
    )*};
}

outlives! {
    nothing_is_lost_to_a_request_to_reconnect: FakeDiscord::ask_to_reconnect;
    nothing_is_lost_to_an_invalid_session_that_may_be_resumed: |d| d.invalidate_sessions(true);
    nothing_is_lost_to_an_invalid_session: |d| d.invalidate_sessions(false);
    nothing_is_lost_to_a_close_without_a_code: |d| d.close_connections(None);
    nothing_is_lost_to_a_close_for_an_unknown_error: |d| d.close_connections(Some(4000));
    nothing_is_lost_to_a_session_that_timed_out: |d| {
        d.forget_sessions();
        d.close_connections(Some(4009));
    };
    nothing_is_lost_to_a_session_that_is_forgotten: |d| {
        d.forget_sessions();
        d.cut_connections();
    };
}

#[tokio::test]
async fn sessions_that_end_again_and_again_make_no_pause_longer() {
    let stage = DiscordStage::set().await;
    let host = stage.play().await;
    // A pause that grew would pass all patience at the sixth.
    for n in 0..6 {
        let sessions = stage.discord.sessions();
        stage.discord.invalidate_sessions(true);
        stage.discord.wait_sessions(sessions + 1).await;
        let text = format!("after {n}");
        stage.discord.user_posts("2001", "1001", &text);
        stage.discord.wait_text(&text).await;
    }
    assert_eq!(stage.discord.identifies().len(), 1);
    assert_eq!(host.turns().len(), 6);
}

#[tokio::test]
async fn a_repeat_sign_that_is_put_on_again_asks_again() {
    let stage = DiscordStage::set().await;
    let host = stage.play().await;
    let message = stage.discord.user_posts("2001", "1001", "once more");
    host.wait_for("message_sent").await;
    for turns in 2..=3 {
        let mark = host.mark();
        stage.discord.user_reacts("2001", &message, "1001", "🔁");
        host.wait_event_since(mark, "message_sent", |event| event["type"] == "message_sent")
            .await;
        assert_eq!(host.turns().len(), turns);
        stage.discord.user_unreacts("2001", &message, "1001", "🔁");
    }
    assert_eq!(stage.said(), ["once more"; 3]);
}

#[tokio::test]
async fn a_line_that_answers_no_heartbeat_is_given_up_and_the_gap_is_read() {
    let stage = DiscordStage::set().await;
    stage.discord.heartbeat_every(Duration::from_millis(300));
    let _host = stage.play().await;
    let connections = stage.discord.connections();
    stage.discord.acknowledge_heartbeats(false);
    stage.discord.post_silently("2001", "1001", "in the gap");
    stage.discord.wait_connections(connections + 1).await;
    stage.discord.acknowledge_heartbeats(true);
    stage.discord.wait_text("in the gap").await;
}

#[tokio::test]
async fn a_gateway_that_cannot_be_asked_for_is_asked_for_again() {
    let stage = DiscordStage::set().await;
    for operation in ["get_gateway", "get_bot_gateway", "gateway"] {
        stage.discord.fail_next(operation, Fault::Http(503));
    }
    let _host = stage.play().await;
    stage.discord.user_posts("2001", "1001", "hello");
    stage.discord.wait_text("hello").await;
}

#[tokio::test]
async fn without_the_message_content_intent_it_says_where_to_switch_it_on() {
    let stage = DiscordStage::set().await;
    stage.discord.allow_message_content(false);
    let host = stage.start().spawn();
    complains(&host, "Message Content Intent").await;
}

#[tokio::test]
async fn a_mention_a_role_and_a_reply_to_the_bot_reach_it_where_nothing_is_named() {
    let stage = DiscordStage::set().await;
    let channel = Channel::discord(SLUG).settings(json!({"senders": ["1001"]}));
    let host = stage
        .up(stage.start().config(Config::new().channel(WORKSPACE, channel)))
        .await;
    stage.discord.user_posts("2001", "1001", "to nobody");
    stage.discord.user_mentions_bot("2001", "1002", "stranger");
    stage.discord.user_mentions_bot("2001", "1001", "by name");
    stage.discord.wait_posted(1).await;
    let answer = stage.discord.posted()[0].id.clone();
    stage
        .discord
        .user_posts("2001", "1001", &format!("<@&{BOT_ROLE}> by role"));
    stage.discord.wait_posted(2).await;
    stage
        .discord
        .user_replies("2001", &answer, "1001", "by reply", true);
    stage.discord.wait_posted(3).await;
    stage.discord.user_writes_to_bot("1001", "in private");
    stage.discord.wait_posted(4).await;
    let contents: Vec<String> = host.turns().into_iter().map(|t| t.content).collect();
    assert_eq!(contents.len(), 4, "{contents:?}");
    for (content, part) in contents
        .iter()
        .zip(["by name", "by role", "by reply", "in private"])
    {
        assert!(content.contains(part), "{contents:?}");
    }
}

/// A channel that names no conversation, for Ada.
fn for_ada() -> Config {
    let channel = Channel::discord(SLUG).settings(json!({"senders": ["1001"]}));
    Config::new().channel(WORKSPACE, channel)
}

#[tokio::test]
async fn a_first_direct_message_that_came_while_the_daemon_was_off_is_answered() {
    let stage = DiscordStage::set().await;
    let dm = stage.discord.add_dm("1001");
    stage
        .discord
        .post_silently(&dm, "1001", "before there was a channel");
    let host = stage.up(stage.start().config(for_ada())).await;
    stage.discord.wait_calls("create_dm", 1).await;
    stage.discord.wait_history(&dm).await;
    host.stop().await;
    stage.discord.post_silently(&dm, "1001", "while you were off");
    let host = stage.up(stage.start().config(for_ada())).await;
    stage.discord.wait_text("while you were off").await;
    // Known by now: it is read again after every connection, and opened by none.
    stage.discord.cut_connections();
    stage.discord.post_silently(&dm, "1001", "in the gap");
    stage.discord.wait_text("in the gap").await;
    assert_eq!(stage.said(), ["while you were off", "in the gap"]);
    assert_eq!(host.turns().len(), 2);
    assert_eq!(stage.discord.calls("create_dm").len(), 1);
}

#[tokio::test]
async fn what_was_said_in_a_thread_that_is_archived_again_is_answered() {
    let stage = DiscordStage::set().await;
    let host = stage.play().await;
    let private = stage
        .discord
        .user_starts_private_thread("2001", "1001", "between us");
    stage.discord.user_posts(&private, "1001", "one");
    stage.discord.wait_text("one").await;
    host.stop().await;
    let root = stage.discord.post_silently("2001", "1001", "root");
    let public = stage.discord.user_starts_thread("2001", &root, "1001", "open");
    let hidden = stage
        .discord
        .user_starts_private_thread("2001", "1001", "unheard of");
    for (thread, text) in [(&private, "two"), (&public, "three"), (&hidden, "four")] {
        stage.discord.post_silently(thread, "1001", text);
        stage.discord.archive(thread, true);
    }
    let _host = stage.play().await;
    for (thread, text) in [(&private, "two"), (&public, "three"), (&hidden, "four")] {
        assert_eq!(stage.discord.wait_text(text).await.channel, *thread);
    }
}

#[tokio::test]
async fn a_forum_post_is_answered_in_the_post() {
    let stage = DiscordStage::set().await;
    let config = DiscordStage::config(&["2009"]);
    let _host = stage.up(stage.start().config(config)).await;
    let post = stage
        .discord
        .user_opens_post("2009", "1001", "an idea", "what if");
    assert_eq!(stage.discord.wait_text("what if").await.channel, post);
}

#[tokio::test]
async fn a_slash_command_is_deferred_once_it_is_stored_and_answered_by_a_follow_up() {
    let stage = DiscordStage::set().await;
    let _host = stage.play().await;
    stage.discord.wait_command("kata").await;
    let id = stage
        .discord
        .slash_command("2001", "1001", "kata", &json!({"message": "what is up"}));
    assert_eq!(stage.discord.wait_answered(&id).await.kind, 5);
    let posted = stage.discord.wait_text("what is up").await;
    assert!(matches!(posted.via, Via::Original | Via::FollowUp), "{posted:?}");
    assert_eq!(posted.channel, "2001");
}

#[tokio::test]
async fn a_slash_command_whose_token_is_worth_nothing_any_more_is_answered_by_a_message() {
    let stage = DiscordStage::set().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.discord.wait_command("kata").await;
    let id = stage
        .discord
        .slash_command("2001", "1001", "kata", &json!({"message": "slowly"}));
    stage.discord.wait_answered(&id).await;
    let turn = host.wait_turn("slowly").await;
    stage.discord.expire_interactions();
    host.answer(turn.message_id, "at last");
    assert_eq!(stage.discord.wait_text("at last").await.via, Via::Create);
    assert_eq!(stage.said(), ["at last"]);
}

#[tokio::test]
async fn a_preview_is_no_edit_and_a_sweep_withdraws_what_waits() {
    let stage = DiscordStage::set().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.discord.user_posts("2001", "1001", "first");
    let turn = host.wait_turn("first").await;
    let linked = stage
        .discord
        .user_posts("2001", "1001", "see https://example.org/");
    let spam: Vec<String> = (0..3)
        .map(|n| stage.discord.user_posts("2001", "1001", &format!("spam {n}")))
        .collect();
    stage.discord.preview_unfurls("2001", &linked);
    let spam: Vec<&str> = spam.iter().map(String::as_str).collect();
    stage.discord.bulk_deletes("2001", &spam);
    let last = stage.discord.user_posts("2001", "1001", "last");
    host.wait_event("the last one", |e| {
        e["type"] == "message_received" && e["messageId"] == last.as_str()
    })
    .await;
    host.set_policy(Policy::echo());
    host.answer(turn.message_id, "first");
    stage.discord.wait_text("last").await;
    let contents: Vec<String> = host.turns().into_iter().map(|t| t.content).collect();
    assert_eq!(contents, ["first", "see https://example.org/", "last"]);
}

#[tokio::test]
async fn a_bucket_is_kept_by_its_headers_before_discord_refuses() {
    let stage = DiscordStage::set().await;
    let rate = Rate {
        calls: 2,
        window: Duration::from_secs(1),
    };
    stage.discord.limit("create_message", rate);
    let _host = stage.play().await;
    let texts: Vec<String> = (0..8).map(|n| format!("answer {n}")).collect();
    texts
        .iter()
        .for_each(|text| _ = stage.discord.user_posts("2001", "1001", text));
    stage.discord.wait_posted(texts.len()).await;
    assert_eq!(stage.said(), texts);
    let calls = stage.discord.calls("create_message");
    let refused = calls
        .iter()
        .filter(|call| call.outcome.as_deref() == Some("429"))
        .count();
    assert_eq!(refused, 0, "{}", stage.discord.dump());
}

#[tokio::test]
async fn a_global_limit_stops_every_channel_for_its_time() {
    let stage = DiscordStage::set().await;
    let config = DiscordStage::config(&["2001", "2002"]);
    let _host = stage.up(stage.start().config(config)).await;
    let fault = Fault::RateLimited {
        retry_after: 1.5,
        scope: Scope::Global,
    };
    stage.discord.fail_next("create_message", fault);
    stage.discord.user_posts("2001", "1001", "here");
    stage.discord.wait_calls("create_message", 1).await;
    stage.discord.user_posts("2002", "1001", "there");
    stage.discord.wait_posted(2).await;
    let calls = stage.discord.calls("create_message");
    for call in &calls[1..] {
        let pause = call.at.duration_since(calls[0].at);
        assert!(pause.as_secs_f64() >= 1.4, "{pause}");
    }
}

#[tokio::test]
async fn a_bot_that_may_not_write_says_what_it_lacks() {
    let stage = DiscordStage::set().await;
    let host = stage.play().await;
    stage.discord.set_writable("2001", false);
    stage.discord.user_posts("2001", "1001", "hello");
    let failed = host.wait_for("message_failed").await;
    assert!(failed["nextAttemptAt"].is_null(), "{failed}");
    complains(&host, "Send Messages").await;
}

/// An agent over ACP, whose calls Ada answers for.
async fn gated(permissions: &Value) -> (DiscordStage, FakeHost) {
    let stage = DiscordStage::set().await;
    stage
        .home
        .write_settings(&json!({"workspaces": {WORKSPACE: {"owners": {"discord": ["1001"]}}}}));
    stage.home.write_permissions(WORKSPACE, &permissions.to_string());
    let channel = Channel::discord(SLUG)
        .conversations(&["2001"])
        .agent(&AcpAgent::new());
    let host = stage
        .up(stage.start().config(Config::new().channel(WORKSPACE, channel)))
        .await;
    (stage, host)
}

#[tokio::test]
async fn a_pressed_button_lets_the_tool_run_and_the_agent_answer() {
    let (stage, host) = gated(&json!({"askTools": ["Bash"]})).await;
    let steps = "do: ask Bash {\"command\": \"ls\"}\ndo: say thank you";
    stage.discord.user_posts("2001", "1002", steps);
    let approval = host.wait_approval(0).await;
    let card = stage.discord.wait_card().await;
    assert!(card.text.contains("Bash"), "{}", card.text);
    let interaction = stage.discord.press("1001", &card.id, "Allow once");
    stage.discord.wait_answered(&interaction).await;
    stage.discord.wait_closed(&card.id).await;
    host.wait_resolved(&approval).await;
    let mut seen = 0;
    while !stage.said().iter().any(|text| text.contains("thank you")) {
        seen = stage.discord.wait_posted(seen + 1).await.len();
    }
}

#[tokio::test]
async fn a_file_of_the_agent_goes_out_once_a_person_has_seen_what_it_holds() {
    let (stage, host) = gated(&json!({})).await;
    let file = json!({"files": [{"content": "12 mm of rain", "name": "rain.txt"}]});
    let steps = format!("do: call discord_send_file {file}");
    stage.discord.user_posts("2001", "1002", &steps);
    let approval = host.wait_approval(0).await;
    let card = stage.discord.wait_card().await;
    assert!(card.text.contains("12 mm of rain"), "{}", card.text);
    let sent = |stage: &DiscordStage| {
        let posted = stage.discord.posted().into_iter();
        posted
            .filter(|posted| posted.files == ["rain.txt"])
            .collect::<Vec<_>>()
    };
    assert!(sent(&stage).is_empty(), "nothing leaves before somebody said so");
    stage.discord.press("1001", &card.id, "Allow once");
    host.wait_resolved(&approval).await;
    let mut seen = 0;
    while sent(&stage).is_empty() {
        seen = stage.discord.wait_posted(seen + 1).await.len();
    }
    let sent = sent(&stage);
    assert_eq!(sent.len(), 1);
    assert_eq!(stage.discord.files("2001", &sent[0].id), [b"12 mm of rain"]);
}
