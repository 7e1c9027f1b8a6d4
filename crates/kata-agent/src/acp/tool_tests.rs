use serde_json::from_value;

use super::*;

#[path = "tool/hostile.rs"]
mod hostile;

const HERE: &str = "/ws/sessions/one";

/// What the gate is asked about after an agent said these things one after the other.
fn heard(said: &[Value]) -> (String, Value) {
    let mut told = Told::default();
    for update in said {
        let mut update = update.clone();
        update["toolCallId"] = "call".into();
        let update: acp::ToolCallUpdate = from_value(update).unwrap();
        told.hear(update.fields, update.meta.as_ref());
    }
    let call = told.call(Path::new(HERE), None);
    (call.tool, call.input)
}

#[track_caller]
fn check(said: Value, tool: &str, input: Value) {
    assert_eq!(heard(&[said]), (tool.to_owned(), input));
}

#[track_caller]
fn uncertain(said: Value) {
    let (tool, _) = heard(std::slice::from_ref(&said));
    assert!(tool.starts_with("acp:"), "{said} became {tool}");
}

#[test]
fn a_command_is_shell_text_whatever_the_agent_calls_it() {
    for kind in ["execute", "read", "search", "other"] {
        check(
            json!({"kind": kind, "rawInput": {"command": "git status"}}),
            "Bash",
            json!({"command": "git status"}),
        );
    }
    check(
        json!({"kind": "execute", "rawInput": {"command": ["/bin/bash", "-lc", "echo a > b && cat b"], "call_id": "1"}}),
        "Bash",
        json!({"command": "echo a > b && cat b"}),
    );
    check(
        json!({"kind": "execute", "rawInput": {"command": ["git", "commit", "-m", "a b; c"]}}),
        "Bash",
        json!({"command": "git commit -m 'a b; c'"}),
    );
    check(
        json!({"kind": "execute", "rawInput": {"command": "git", "args": ["push", "--force", "a b"]}}),
        "Bash",
        json!({"command": "git push --force 'a b'"}),
    );
    check(
        json!({"kind": "execute", "rawInput": {"command": "sh", "args": ["-c", "rm -rf /"], "cwd": "/ws/sessions/one/",
            "timeout": 5, "description": "tidies up", "env": null}}),
        "Bash",
        json!({"command": "rm -rf /"}),
    );
    check(
        json!({"kind": "execute", "rawInput": {"command": "serve", "run_in_background": true}}),
        "Bash",
        json!({"command": "serve", "run_in_background": true}),
    );
    // Somebody's own program, whatever it is called.
    check(
        json!({"kind": "execute", "rawInput": {"command": ["/tmp/evil/bash", "-c", "ls"]}}),
        "Bash",
        json!({"command": "/tmp/evil/bash -c ls"}),
    );
    // More words after the text are its arguments: nothing is left out.
    check(
        json!({"kind": "execute", "rawInput": {"command": ["bash", "-c", "$0", "rm"]}}),
        "Bash",
        json!({"command": "bash -c '$0' rm"}),
    );
}

#[test]
fn a_file_stands_in_the_argument_that_rules_look_at() {
    check(
        json!({"kind": "read", "rawInput": {"path": "/a/b"}, "locations": [{"path": "/a/b"}]}),
        "Read",
        json!({"file_path": "/a/b"}),
    );
    check(
        json!({"kind": "read", "locations": [{"path": "/a/b", "line": 3}]}),
        "Read",
        json!({"file_path": "/a/b"}),
    );
    check(
        json!({"kind": "edit", "rawInput": {"path": "notes.md", "content": "x"}}),
        "Write",
        json!({"file_path": "/ws/sessions/one/notes.md", "content": "x"}),
    );
    check(
        json!({"kind": "edit", "rawInput": {"abs_path": "/a", "old_string": "x", "new_string": "y"}}),
        "Edit",
        json!({"file_path": "/a", "old_string": "x", "new_string": "y"}),
    );
    check(
        json!({"kind": "edit", "content": [{"type": "diff", "path": "/a", "oldText": "x", "newText": "y"}]}),
        "Edit",
        json!({"file_path": "/a", "old_string": "x", "new_string": "y"}),
    );
    check(
        json!({"kind": "delete", "locations": [{"path": "/a"}]}),
        "Delete",
        json!({"file_path": "/a"}),
    );
    check(
        json!({"kind": "move", "rawInput": {"from": "/a", "to": "/b"}}),
        "Move",
        json!({"from": "/a", "to": "/b"}),
    );
    let hunks = json!([{"type": "diff", "path": "/a", "oldText": "x", "newText": "y"},
        {"type": "diff", "path": "/a", "oldText": "1", "newText": "2"}]);
    check(
        json!({"kind": "edit", "rawInput": {"path": "/a"}, "content": hunks}),
        "Edit",
        json!({"file_path": "/a", "edits": [{"old_string": "x", "new_string": "y"}, {"old_string": "1", "new_string": "2"}]}),
    );
    let patch = json!({"/a": {"type": "update", "unified_diff": "@@", "move_path": null}});
    check(
        json!({"kind": "edit", "rawInput": {"call_id": "1", "changes": patch, "grant_root": null}}),
        "Edit",
        json!({"file_path": "/a", "changes": patch}),
    );
}

#[test]
fn a_search_and_a_fetch_are_the_gates_own() {
    check(
        json!({"kind": "search", "rawInput": {"pattern": "x"}}),
        "Grep",
        json!({"pattern": "x"}),
    );
    check(
        json!({"kind": "fetch", "rawInput": {"url": "https://a.example", "prompt": "sum up"}}),
        "WebFetch",
        json!({"url": "https://a.example", "prompt": "sum up"}),
    );
    check(
        json!({"kind": "fetch", "rawInput": {"query": "rust"}}),
        "WebSearch",
        json!({"query": "rust"}),
    );
    uncertain(json!({"kind": "search", "title": "Search"}));
    uncertain(json!({"kind": "fetch", "rawInput": {"url": "https://a.example", "method": "POST"}}));
    uncertain(json!({"kind": "fetch", "rawInput": {"url": "https://a.example", "query": "x"}}));
    uncertain(json!({"kind": "fetch", "rawInput": {"url": ["https://a.example"]}}));
}

#[test]
fn anything_else_keeps_its_title_under_a_name_of_its_own() {
    check(
        json!({"kind": "other", "title": "Send mail", "rawInput": {"to": "a"}}),
        "acp:other",
        json!({"title": "Send mail", "input": {"to": "a"}}),
    );
    check(
        json!({"title": "Read"}),
        "acp:other",
        json!({"title": "Read", "input": null}),
    );
    uncertain(json!({"kind": "switch_mode", "title": "Ready to code?"}));
    uncertain(json!({"kind": "think", "title": "Task"}));
    uncertain(json!({"kind": "a_kind_of_tomorrow", "rawInput": {"path": "/a"}}));
}

#[test]
fn a_name_in_the_gates_words_is_taken() {
    let claude = |tool: &str| json!({"claudeCode": {"toolName": tool}});
    check(
        json!({"_meta": claude("Bash"), "kind": "execute", "rawInput": {"command": "ls", "description": "list"}}),
        "Bash",
        json!({"command": "ls"}),
    );
    check(
        json!({"_meta": claude("Write"), "rawInput": {"file_path": "a", "content": "x"}}),
        "Write",
        json!({"file_path": "/ws/sessions/one/a", "content": "x"}),
    );
    check(
        json!({"name": "mcp__kata__slack_react", "rawInput": {"emoji": "eyes"}}),
        "mcp__kata__slack_react",
        json!({"emoji": "eyes"}),
    );
}

#[test]
fn a_name_in_the_agents_own_words_is_not_taken() {
    // Another agent's `Task` may be anything; the base allows the gate's.
    uncertain(json!({"name": "Task", "title": "Task", "rawInput": {"command_line": "rm"}}));
    check(
        json!({"name": "Read", "kind": "edit", "rawInput": {"path": "/a", "content": "x"}}),
        "Write",
        json!({"file_path": "/a", "content": "x"}),
    );
}

#[test]
fn what_is_said_later_wins_and_what_is_not_said_again_stands() {
    let said = [
        json!({"_meta": {"claudeCode": {"toolName": "Bash"}}, "rawInput": {}, "title": "Terminal", "kind": "execute"}),
        json!({"rawInput": {"command": "ls"}, "title": "ls"}),
    ];
    assert_eq!(heard(&said), ("Bash".to_owned(), json!({"command": "ls"})));
    let said = [
        json!({"kind": "edit", "rawInput": {"path": "/project/a"}, "locations": [{"path": "/project/a"}]}),
        json!({"rawInput": {"path": "/ws/a", "content": "x"}, "locations": [{"path": "/ws/a"}]}),
    ];
    assert_eq!(
        heard(&said),
        ("Write".to_owned(), json!({"file_path": "/ws/a", "content": "x"}))
    );
}

#[test]
fn a_tool_of_ours_is_known_by_its_whole_name() {
    let own = OwnTools::from(crate::ToolServer {
        name: "kata".into(),
        tools: vec!["slack_react".into()],
        program: "/opt/katad".into(),
        args: Vec::new(),
        env: Vec::new(),
    });
    let is_ours = |name: &str| {
        let mut told = Told::default();
        told.hear(ToolCallUpdateFields::new().name(name.to_owned()), None);
        told.of_own(&own).is_some()
    };
    assert!(is_ours("mcp__kata__slack_react"));
    for other in [
        "mcp__kata__nosuch",
        "mcp__kata__slack_react__x",
        "mcp__kata__",
        "mcp__katana__slack_react",
        "mcp__other__kata__slack_react",
        "mcp__other__slack_react",
        "kata__slack_react",
        "mcp__kata",
    ] {
        assert!(!is_ours(other), "{other}");
    }
}
