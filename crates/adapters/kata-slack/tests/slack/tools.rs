//! What an agent may do in Slack, and where.

use std::{sync::Arc, time::Duration};

use kata_channel::{Adapter, ChannelKey, Place};
use kata_plugin::{ToolContext, ToolDefault, ToolEffect, ToolError};
use kata_testkit::slack::{ChannelKind, Fault};
use serde_json::{Value, json};

use crate::rig::Rig;

/// A channel that serves `C1` and `C3`, with a turn in `C1`. `C2` is another conversation of the bot.
struct Bench {
    rig: Rig,
    context: ToolContext,
    _adapter: Arc<dyn Adapter>,
}

async fn bench() -> Bench {
    let rig = Rig::start().await;
    rig.slack
        .add_channel("C2", "private-talk", ChannelKind::Public, &["U1"]);
    rig.slack.add_channel("C3", "other", ChannelKind::Public, &["U1"]);
    let adapter = rig.channel("support", &["C1", "C3"]).await;
    Bench {
        rig,
        context: context(Place::conversation("C1")),
        _adapter: adapter,
    }
}

fn context(place: Place) -> ToolContext {
    ToolContext::new(ChannelKey::new("w1", "support"), place, "daemon-support-1")
}

impl Bench {
    async fn call(&self, tool: &str, input: Value) -> Result<Value, ToolError> {
        self.call_in(&self.context, tool, input).await
    }

    async fn call_in(&self, context: &ToolContext, tool: &str, input: Value) -> Result<Value, ToolError> {
        let tools = self.rig.tools();
        let spec = tools.iter().find(|spec| spec.name == tool).unwrap();
        spec.handler
            .call(context, input)
            .await
            .map(|output| output.content)
    }
}

fn section(text: &str) -> Value {
    json!([{"type": "section", "text": {"type": "mrkdwn", "text": text}}])
}

fn texts(messages: &Value) -> Vec<&str> {
    let messages = messages.as_array().unwrap().iter();
    messages
        .map(|message| message["text"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn only_what_only_reads_is_allowed_by_default() {
    let rig = Rig::start().await;
    let tools = rig.tools();
    assert_eq!(tools.len(), 4);
    for tool in tools {
        let only_reads = tool.effects == [ToolEffect::Reads];
        assert_eq!(tool.default == ToolDefault::Allow, only_reads, "{}", tool.name);
        assert!(tool.name.starts_with("slack_"));
        assert_eq!(
            (&tool.input["type"], &tool.input["additionalProperties"]),
            (&json!("object"), &json!(false)),
            "{}",
            tool.name
        );
    }
}

#[tokio::test]
async fn blocks_are_posted_where_the_turn_is() {
    let bench = bench().await;
    let root = bench.rig.slack.post_silently("C1", "U1", "hello");
    let input = json!({"blocks": section("*hi*"), "text": "hi"});
    let out = bench.call("slack_post_blocks", input.clone()).await.unwrap();
    let threaded = context(Place::thread("C1", root.as_str()));
    bench
        .call_in(&threaded, "slack_post_blocks", input.clone())
        .await
        .unwrap();
    let mut named = input;
    named["thread_ts"] = root.as_str().into();
    bench.call("slack_post_blocks", named).await.unwrap();
    let posted = bench.rig.slack.posted();
    assert_eq!(out, json!({"channel": "C1", "ts": posted[0].ts}));
    assert_eq!(
        bench.rig.slack.blocks("C1", &posted[0].ts)[0]["text"]["text"],
        "*hi*"
    );
    let threads: Vec<_> = posted.iter().map(|posted| posted.thread.as_deref()).collect();
    assert_eq!(threads, [None, Some(&*root), Some(&*root)]);
}

#[tokio::test]
async fn an_agent_cannot_make_a_button_that_answers_a_question() {
    let bench = bench().await;
    let button = json!({
        "type": "button", "text": {"type": "plain_text", "text": "Show the weather"},
        "action_id": "kata_choice_0", "value": "yes 7Q4",
    });
    let blocks = json!([{"type": "actions", "elements": [button]}]);
    let refused = bench
        .call("slack_post_blocks", json!({"blocks": blocks, "text": "weather"}))
        .await;
    assert!(
        matches!(&refused, Err(ToolError::Input(s)) if s.contains("action_id")),
        "{refused:?}"
    );
    assert!(bench.rig.slack.posted().is_empty());
}

#[tokio::test]
async fn what_slack_finds_wrong_with_blocks_is_said() {
    let bench = bench().await;
    let input = json!({"blocks": section(&"x".repeat(3001)), "text": "x"});
    let refused = bench.call("slack_post_blocks", input).await.unwrap_err();
    assert!(
        matches!(&refused, ToolError::Input(s) if s.contains("3001 characters")),
        "{refused}"
    );
}

#[tokio::test]
async fn a_write_without_an_answer_is_unknown_and_a_refused_one_is_not() {
    let bench = bench().await;
    let input = json!({"blocks": section("hi"), "text": "hi"});
    bench.rig.slack.fail_next("chat.postMessage", Fault::CutAfter);
    let lost = bench.call("slack_post_blocks", input.clone()).await;
    assert!(matches!(lost, Err(ToolError::Unknown(_))), "{lost:?}");
    bench.rig.slack.archive("C1");
    let refused = bench.call("slack_post_blocks", input).await;
    assert!(
        matches!(&refused, Err(ToolError::Platform(s)) if s.contains("archived")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_reaction_is_put_on_once_however_often_it_is_asked_for() {
    let bench = bench().await;
    let ts = bench.rig.slack.post_silently("C3", "U1", "hello");
    let input = json!({"timestamp": ts, "name": ":thumbsup:", "channel": "C3"});
    for _ in 0..2 {
        let out = bench.call("slack_react", input.clone()).await.unwrap();
        assert_eq!(out, json!({"reacted": "thumbsup"}));
    }
    assert_eq!(bench.rig.slack.reactions("C3", &ts), ["thumbsup"]);
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let bench = bench().await;
    bench.rig.slack.revoke_scope("reactions:write");
    bench.rig.slack.revoke_scope("channels:history");
    let ts = bench.rig.slack.post_silently("C1", "U1", "hello");
    for (tool, input, scope) in [
        (
            "slack_react",
            json!({"timestamp": ts, "name": "eyes"}),
            "reactions:write",
        ),
        ("slack_read_thread", json!({"thread_ts": ts}), "channels:history"),
        (
            "slack_search_messages",
            json!({"query": "hello"}),
            "channels:history",
        ),
    ] {
        let refused = bench.call(tool, input).await;
        assert!(
            matches!(&refused, Err(ToolError::NotHere(s)) if s.contains(scope)),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_conversation_that_the_channel_does_not_serve_is_out_of_reach() {
    let bench = bench().await;
    let ts = bench.rig.slack.post_silently("C2", "U1", "secret");
    let elsewhere = context(Place::conversation("C2"));
    for (tool, input) in [
        ("slack_read_thread", json!({"thread_ts": ts, "channel": "C2"})),
        (
            "slack_search_messages",
            json!({"query": "secret", "channel": "C2"}),
        ),
        (
            "slack_react",
            json!({"timestamp": ts, "name": "eyes", "channel": "C2"}),
        ),
    ] {
        let refused = bench.call(tool, input.clone()).await;
        assert!(
            matches!(refused, Err(ToolError::NotHere(_))),
            "{tool}: {refused:?}"
        );
        let refused = bench.call_in(&elsewhere, tool, input).await;
        assert!(
            matches!(refused, Err(ToolError::NotHere(_))),
            "{tool}: {refused:?}"
        );
    }
    for method in ["conversations.history", "conversations.replies", "reactions.add"] {
        assert!(bench.rig.slack.calls(method).is_empty(), "{method}");
    }
}

#[tokio::test]
async fn without_named_conversations_a_turn_reaches_its_own_alone() {
    let rig = Rig::start().await;
    rig.slack
        .add_channel("C2", "private-talk", ChannelKind::Public, &["U1"]);
    let bench = Bench {
        context: context(Place::conversation("C1")),
        _adapter: rig.channel("support", &[]).await,
        rig,
    };
    assert!(
        bench
            .call("slack_search_messages", json!({"query": "x"}))
            .await
            .is_ok()
    );
    let refused = bench
        .call("slack_search_messages", json!({"query": "x", "channel": "C2"}))
        .await;
    assert!(matches!(refused, Err(ToolError::NotHere(_))), "{refused:?}");
}

#[tokio::test]
async fn a_channel_that_is_not_connected_says_so() {
    let rig = Rig::start().await;
    let adapter = rig.make(rig.context("support", &["C1"])).unwrap();
    let bench = Bench {
        rig,
        context: context(Place::conversation("C1")),
        _adapter: adapter,
    };
    let stranger = ToolContext::new(ChannelKey::new("w2", "support"), Place::conversation("C1"), "s");
    for context in [&bench.context, &stranger] {
        let refused = bench
            .call_in(context, "slack_search_messages", json!({"query": "x"}))
            .await;
        assert!(
            matches!(&refused, Err(ToolError::Platform(s)) if s.contains("not connected")),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_thread_is_read_from_its_first_message_to_its_newest() {
    let bench = bench().await;
    let slack = &bench.rig.slack;
    let root = slack.post_silently("C1", "U1", "root");
    for n in 1..=6 {
        slack.reply_silently("C1", &root, "U1", &format!("reply {n}"));
    }
    slack.cap_pages(2);
    let read = async |input: Value| bench.call("slack_read_thread", input).await.unwrap();
    let all = read(json!({"thread_ts": root})).await;
    assert_eq!(texts(&all["messages"]).len(), 7);
    assert_eq!(all["messages"][1]["user"], "ada");
    assert_eq!(
        (&all["left_out"], &all["newest_are_missing"]),
        (&json!(0), &json!(false))
    );
    let some = read(json!({"thread_ts": root, "limit": 3})).await;
    assert_eq!(texts(&some["messages"]), ["root", "reply 5", "reply 6"]);
    assert_eq!(some["left_out"], 4);
    slack.cap_pages(1);
    let cut = read(json!({"thread_ts": root})).await;
    assert_eq!(cut["newest_are_missing"], true, "{cut}");
}

#[tokio::test]
async fn a_search_finds_in_any_case_also_in_threads_and_says_how_far_it_looked() {
    let bench = bench().await;
    let slack = &bench.rig.slack;
    let root = slack.post_silently("C1", "U1", "The DEPLOY of today");
    slack.reply_silently("C1", &root, "U1", "deploy is done");
    slack.post_silently("C1", "U1", "lunch?");
    slack.post_silently("C1", "U1", "deploys again");
    let found = bench
        .call("slack_search_messages", json!({"query": " Deploy "}))
        .await
        .unwrap();
    assert_eq!(
        texts(&found["matches"]),
        ["deploys again", "deploy is done", "The DEPLOY of today"]
    );
    assert_eq!(found["matches"][1]["thread_ts"], root.as_str());
    let looked = &found["looked_at"];
    assert_eq!(
        (&looked["messages"], &looked["threads"], &looked["everything"]),
        (&json!(4), &json!(1), &json!(true))
    );
    assert!(looked["back_to"].as_str().unwrap().ends_with('Z'), "{looked}");
}

#[tokio::test]
async fn a_search_is_bounded_and_a_pause_ends_it_with_what_it_has() {
    let bench = bench().await;
    let slack = &bench.rig.slack;
    for n in 0..12 {
        slack.post_silently("C1", "U1", &format!("needle {n}"));
    }
    slack.cap_pages(2);
    let search = async |limit: usize| {
        let input = json!({"query": "needle", "limit": limit});
        bench.call("slack_search_messages", input).await.unwrap()
    };
    let found = search(50).await;
    assert_eq!(found["looked_at"]["messages"], 10, "five pages");
    assert_eq!(found["looked_at"]["everything"], false);
    assert_eq!(texts(&search(1).await["matches"]), ["needle 11"]);
    slack.fail_next("conversations.history", Fault::SlowBy(Duration::ZERO));
    slack.fail_next("conversations.history", Fault::RateLimited { retry_after: 30 });
    let found = search(50).await;
    assert_eq!(texts(&found["matches"]), ["needle 11", "needle 10"]);
    let stopped = found["looked_at"]["stopped"].as_str().unwrap();
    assert!(stopped.contains("rate limited"), "{stopped}");
    // D5: the pause is the token's; nobody calls until it is over.
    let calls = slack.calls("conversations.history").len();
    let refused = bench
        .call("slack_search_messages", json!({"query": "needle"}))
        .await;
    assert!(matches!(refused, Err(ToolError::Platform(_))), "{refused:?}");
    assert_eq!(slack.calls("conversations.history").len(), calls);
}
