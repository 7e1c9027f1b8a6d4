//! One turn: what is said, asked and answered.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::join;

use super::{agent::Played, authority::Judge, bench::Bench};

/// Runs one turn with what `play` does between the prompt and its regular end. Answers the text.
async fn turn_with(bench: &mut Bench, play: impl AsyncFnOnce(&mut Played)) -> String {
    let reply = bench.prompt("hello");
    let play = async {
        let mut agent = bench.agent().await;
        agent.begin().await;
        let (id, params) = agent.expect("session/prompt").await;
        assert_eq!(params["prompt"], json!([{"type": "text", "text": "hello"}]));
        play(&mut agent).await;
        agent.answer(id, json!({"stopReason": "end_turn"})).await;
        agent
    };
    let (reply, _) = join!(reply, play);
    reply.unwrap().text
}

fn permission(call: Value) -> Value {
    let mut call = call;
    call["toolCallId"] = "call-1".into();
    json!({"toolCall": call, "options": [
        {"optionId": "always", "name": "Always", "kind": "allow_always"},
        {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
        {"optionId": "no", "name": "No", "kind": "reject_once"},
    ]})
}

fn selected(answer: &Value) -> &str {
    answer["result"]["outcome"]["optionId"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn the_words_are_the_answer_and_nothing_else_is() {
    let mut bench = Bench::new(1);
    let text = turn_with(&mut bench, async |agent| {
        agent.say("").await;
        agent.say("one ").await;
        agent
            .update(
                json!({"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": "hm"}}),
            )
            .await;
        agent
            .update(
                json!({"sessionUpdate": "user_message_chunk", "content": {"type": "text", "text": "hello"}}),
            )
            .await;
        agent
            .update(json!({"sessionUpdate": "tool_call", "toolCallId": "c", "title": "Tool"}))
            .await;
        agent.say("two\n").await;
    })
    .await;
    assert_eq!(text, "one two");
    bench.end().await;
}

#[tokio::test]
async fn messages_apart_stand_apart() {
    let mut bench = Bench::new(1);
    let text = turn_with(&mut bench, async |agent| {
        for (message, text) in [
            ("a", ""),
            ("a", "I "),
            ("a", "look."),
            ("b", ""),
            ("b", "Done"),
            ("b", "."),
        ] {
            agent
                .update(
                    json!({"sessionUpdate": "agent_message_chunk", "messageId": message,
                    "content": {"type": "text", "text": text}}),
                )
                .await;
        }
    })
    .await;
    assert_eq!(text, "I look.\n\nDone.");
    bench.end().await;
}

#[tokio::test]
async fn what_the_protocol_does_not_know_is_passed_over() {
    let mut bench = Bench::new(1);
    let text = turn_with(&mut bench, async |agent| {
        agent.write("Loading configuration…\n\n[1,2]\n").await;
        agent.send(json!({"jsonrpc": "2.0", "method": "_auth/status_update", "params": {"state": "ok"}})).await;
        agent.update(json!({"sessionUpdate": "news_of_tomorrow", "x": 1})).await;
        agent.update(json!({"sessionUpdate": "available_commands_update", "availableCommands":
            [{"name": "long", "description": "x".repeat(12 * 1024)}]})).await;
        agent.send(json!({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "another",
            "update": {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "not for us"}}}})).await;
        let answer = agent.ask(json!(7), "terminal/create", json!({"command": "ls"})).await;
        assert_eq!(answer["error"]["code"], -32601, "terminals are not offered");
        agent.say("fine").await;
    })
    .await;
    assert_eq!(text, "fine");
    bench.end().await;
}

#[tokio::test]
async fn a_permission_is_asked_of_the_gate_and_given_once() {
    let mut bench = Bench::new(1);
    turn_with(&mut bench, async |agent| {
        let call = json!({"kind": "execute", "title": "ls", "rawInput": {"command": "ls"}});
        // Before any word of the call, and by whatever id the agent likes.
        for id in [json!(0), json!("503ecada-4c8c-4ccc-935a-921f987bda4b")] {
            let answer = agent
                .ask(id, "session/request_permission", permission(call.clone()))
                .await;
            assert_eq!(selected(&answer), "yes");
        }
    })
    .await;
    let calls = bench.judge.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(
        (calls[0].tool.as_str(), &calls[0].input),
        ("Bash", &json!({"command": "ls"}))
    );
    bench.end().await;
}

#[tokio::test]
async fn what_was_told_of_a_call_before_counts_when_it_is_asked_about() {
    let mut bench = Bench::new(1);
    turn_with(&mut bench, async |agent| {
        agent.update(json!({"sessionUpdate": "tool_call", "toolCallId": "call-1", "title": "Terminal", "kind": "execute",
            "_meta": {"claudeCode": {"toolName": "Bash"}}, "rawInput": {}})).await;
        let call = json!({"rawInput": {"command": "ls", "description": "List"}});
        agent.ask(json!(0), "session/request_permission", permission(call)).await;
    })
    .await;
    let call = bench.judge.calls().remove(0);
    assert_eq!(
        (call.tool.as_str(), call.input),
        ("Bash", json!({"command": "ls"}))
    );
    bench.end().await;
}

#[tokio::test]
async fn a_refused_permission_is_refused_once() {
    let mut bench = Bench::judged(1, Judge::by_the_rules());
    turn_with(&mut bench, async |agent| {
        let call = json!({"kind": "execute", "rawInput": {"command": "rm -rf /"}});
        let answer = agent
            .ask(json!(0), "session/request_permission", permission(call))
            .await;
        assert_eq!(selected(&answer), "no");
        let reason =
            "Bash is not in the daemon tool allowlist. Daemon mode restricts tool access for safety.";
        assert_eq!(
            answer["result"]["_meta"],
            json!({"kata": {"reason": reason, "expired": false}})
        );
    })
    .await;
    bench.end().await;
}

#[tokio::test]
async fn a_question_that_nobody_answered_is_refused_and_said_to_have_expired() {
    let mut bench = Bench::judged(1, Judge::asking_in_vain(Duration::from_secs(600)));
    // It expires at once.
    bench.judge.answer.notify_one();
    turn_with(&mut bench, async |agent| {
        let call = json!({"kind": "execute", "rawInput": {"command": "ls"}});
        let answer = agent
            .ask(json!(0), "session/request_permission", permission(call))
            .await;
        // Not `cancelled`: nobody cancelled the prompt.
        assert_eq!(selected(&answer), "no");
        let said = &answer["result"]["_meta"]["kata"];
        assert_eq!(said["expired"], json!(true));
        let reason = said["reason"].as_str().unwrap();
        assert!(
            reason.contains("nobody answered within 10 min. This is not a denial"),
            "{reason}"
        );
    })
    .await;
    bench.end().await;
}

#[tokio::test]
async fn what_is_remembered_of_calls_is_bounded_and_the_rest_is_refused() {
    let mut bench = Bench::judged(1, Judge::by_the_rules());
    turn_with(&mut bench, async |agent| {
        let call = |id: String| {
            json!({"sessionUpdate": "tool_call", "toolCallId": id, "title": "t", "kind": "search",
                "rawInput": {"pattern": "x".repeat(900 * 1024)}})
        };
        for n in 0..20 {
            agent.update(call(format!("call-{n}"))).await;
        }
        let asks = |n: usize| {
            let mut asked = permission(json!({}));
            asked["toolCall"]["toolCallId"] = format!("call-{n}").into();
            asked
        };
        for (n, expect) in [(0, "yes"), (19, "no")] {
            let answer = agent.ask(json!(n), "session/request_permission", asks(n)).await;
            assert_eq!(selected(&answer), expect, "{n}");
        }
        // What is over is forgotten, and makes room.
        for n in 0..20 {
            let over = json!({"sessionUpdate": "tool_call_update", "toolCallId": format!("call-{n}"), "status": "completed"});
            agent.update(over).await;
        }
        agent.update(call("call-20".to_owned())).await;
        let answer = agent.ask(json!(20), "session/request_permission", asks(20)).await;
        assert_eq!(selected(&answer), "yes");
    })
    .await;
    let rules: Vec<_> = bench
        .judge
        .verdicts()
        .into_iter()
        .map(|verdict| verdict.rule)
        .collect();
    assert_eq!(rules, ["base:Grep", "input", "base:Grep"]);
    bench.end().await;
}

/// A turn of an agent that has our tool `slack_react`, and asks about these. Answers what was chosen.
async fn asks_about_tools(bench: &mut Bench, calls: &[Value]) -> Vec<String> {
    let settings = crate::AcpSettings {
        tools: Some(std::sync::Arc::new(|_| {
            Some(crate::ToolServer {
                name: "kata".into(),
                tools: vec!["slack_react".into()],
                program: "/opt/katad".into(),
                args: vec!["tools".into()],
                env: vec![("KATA_TOOLS".into(), "secret".into())],
            })
        })),
        ..bench.settings()
    };
    let reply = bench.run(settings, "hello");
    let play = async {
        let mut agent = bench.agent().await;
        agent.greet(json!({})).await;
        let (id, params) = agent.expect("session/new").await;
        assert_eq!(
            params["mcpServers"],
            json!([{"name": "kata", "command": "/opt/katad", "args": ["tools"],
                "env": [{"name": "KATA_TOOLS", "value": "secret"}]}])
        );
        agent
            .answer(id, json!({"sessionId": super::agent::SESSION}))
            .await;
        let (id, _) = agent.expect("session/prompt").await;
        let mut chosen = Vec::new();
        for (n, call) in calls.iter().enumerate() {
            let asked = permission(call.clone());
            let answer = agent.ask(json!(n), "session/request_permission", asked).await;
            chosen.push(selected(&answer).to_owned());
        }
        agent.answer(id, json!({"stopReason": "end_turn"})).await;
        (agent, chosen)
    };
    let (reply, (_, chosen)) = join!(reply, play);
    reply.unwrap();
    chosen
}

#[tokio::test]
async fn a_tool_of_ours_is_left_to_its_own_gate_and_written_down() {
    let mut bench = Bench::judged(1, Judge::by_the_rules());
    let ours = json!({"name": "mcp__kata__slack_react", "rawInput": {"emoji": "eyes"}});
    assert_eq!(asks_about_tools(&mut bench, &[ours]).await, ["yes"]);
    let call = bench.judge.calls().remove(0);
    assert_eq!(
        (&*call.tool, call.input),
        ("mcp__kata__slack_react", json!({"emoji": "eyes"}))
    );
    let verdict = bench.judge.verdicts().remove(0);
    assert_eq!((verdict.is_allowed(), &*verdict.rule), (true, "tools:own"));
    bench.end().await;
}

#[tokio::test]
async fn a_tool_that_we_do_not_offer_is_none_of_ours() {
    let mut bench = Bench::judged(1, Judge::by_the_rules());
    let shell = json!({"command": "rm -rf /"});
    let claude = |tool: &str| json!({"claudeCode": {"toolName": tool}});
    let calls = [
        json!({"name": "mcp__kata__nosuch", "kind": "execute", "rawInput": shell}),
        json!({"_meta": claude("mcp__kata__nosuch"), "kind": "execute", "rawInput": shell}),
        json!({"_meta": claude("mcp__kata__slack_react__x"), "kind": "execute", "rawInput": shell}),
        json!({"name": "mcp__other__slack_react"}),
        json!({"name": "mcp__kata__slack_react", "kind": "execute", "rawInput": shell}),
        // What a plugin's tool may do, it may by its own name alone.
        json!({"_meta": claude("slack_react"), "rawInput": shell}),
    ];
    assert_eq!(asks_about_tools(&mut bench, &calls).await, ["no"; 6]);
    let verdicts = bench.judge.verdicts();
    assert_eq!(verdicts.len(), 6);
    assert!(
        verdicts.iter().all(|verdict| verdict.rule != "tools:own"),
        "{verdicts:?}"
    );
    assert_eq!(bench.judge.calls()[5].tool, "acp:other");
    bench.end().await;
}

#[tokio::test]
async fn a_tool_of_ours_of_which_nothing_can_be_written_down_is_refused() {
    let mut bench = Bench::judged(1, Judge::unable_to_write());
    let ours = json!({"name": "mcp__kata__slack_react"});
    assert_eq!(asks_about_tools(&mut bench, &[ours]).await, ["no"]);
    bench.end().await;
}

#[tokio::test]
async fn between_turns_an_agent_may_do_nothing() {
    let mut bench = Bench::new(1);
    let (first, mut agent) = {
        let reply = bench.prompt("one");
        let play = async {
            let mut agent = bench.agent().await;
            agent.begin().await;
            agent.reply("first").await;
            agent
        };
        join!(reply, play)
    };
    assert_eq!(first.unwrap().text, "first");
    let call = json!({"kind": "execute", "rawInput": {"command": "ls"}});
    let answer = agent
        .ask(json!(1), "session/request_permission", permission(call))
        .await;
    assert_eq!(selected(&answer), "no");
    let answer = agent
        .ask(json!(2), "fs/read_text_file", json!({"path": "/etc/hostname"}))
        .await;
    assert!(answer["error"].is_object(), "{answer}");
    // A word that comes too late is no word of the next turn.
    agent.say("late").await;
    agent
        .ask(json!(3), "terminal/create", json!({"command": "ls"}))
        .await;
    let (second, _) = join!(bench.prompt("two"), agent.reply("second"));
    assert_eq!(second.unwrap().text, "second");
    assert!(bench.judge.calls().is_empty());
    bench.end().await;
}

#[tokio::test]
async fn files_go_through_the_gate_and_stay_in_bounds() {
    let mut bench = Bench::new(1);
    let file = bench.home.path().join("sessions/daemon-work-1/note.md");
    let outside = bench.home.path().join("outside");
    std::fs::write(&outside, "secret").unwrap();
    turn_with(&mut bench, async |agent| {
        let wrote = agent
            .ask(
                json!(1),
                "fs/write_text_file",
                json!({"path": file, "content": "one\ntwo\n"}),
            )
            .await;
        assert!(wrote["result"].is_object(), "{wrote}");
        let read = agent
            .ask(
                json!(2),
                "fs/read_text_file",
                json!({"path": file, "line": 2, "limit": 1}),
            )
            .await;
        assert_eq!(read["result"]["content"], "two\n");
        let read = agent
            .ask(json!(3), "fs/read_text_file", json!({"path": outside}))
            .await;
        assert!(
            read["error"].is_object() && !read.to_string().contains("secret"),
            "{read}"
        );
    })
    .await;
    let tools: Vec<_> = bench.judge.calls().into_iter().map(|call| call.tool).collect();
    assert_eq!(tools, ["Write", "Read"]);
    bench.end().await;
}

#[tokio::test]
async fn a_flood_of_questions_reaches_people_a_few_at_a_time() {
    let mut bench = Bench::judged(1, Judge::asking());
    let judge = std::sync::Arc::clone(&bench.judge);
    turn_with(&mut bench, async |agent| {
        for id in 0..40 {
            let mut params = permission(json!({"kind": "execute", "rawInput": {"command": format!("run {id}")}}));
            params["sessionId"] = super::agent::SESSION.into();
            agent
                .send(json!({"jsonrpc": "2.0", "id": id, "method": "session/request_permission", "params": params}))
                .await;
        }
        // All were read by then.
        agent.ask(json!("after"), "terminal/create", json!({"command": "ls"})).await;
        tokio::task::yield_now().await;
        assert_eq!(judge.calls().len(), 16);
    })
    .await;
    bench.end().await;
}
