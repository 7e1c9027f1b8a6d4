use serde_json::from_value;

use super::*;

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
fn a_command_that_is_not_certain_is_none() {
    uncertain(json!({"kind": "execute", "title": "git status"}));
    uncertain(json!({"kind": "execute", "rawInput": {"command": "ls", "cmd": "rm -rf /"}}));
    uncertain(json!({"kind": "execute", "rawInput": {"command": ["ls", 1]}}));
    uncertain(json!({"kind": "execute", "rawInput": {"command": []}}));
    let with = |key: &str, value: Value| {
        let mut said = json!({"kind": "execute", "rawInput": {"command": "ls"}});
        said["rawInput"][key] = value;
        uncertain(said);
    };
    with("cwd", json!("/root/prod"));
    with("cwd", json!("/ws/sessions/one/.."));
    with("cwd", json!(["/ws/sessions/one"]));
    with("workdir", json!("/"));
    with("env", json!({"LD_PRELOAD": "/tmp/evil.so"}));
    with("env", json!({}));
    with("stdin", json!("rm -rf /"));
    with("shell", json!("/tmp/evil/sh"));
    with("args", json!("-la"));
    with("args", json!(["-la", 1]));
    with("args", json!({"0": "-la"}));
    with("arguments", json!([{}]));
    with("run_in_background", json!("yes"));
    with("dangerouslyDisableSandbox", json!(true));
    with("additional_permissions", json!({"network": true}));
    with("description", json!({"command": "rm"}));
    with("Command", json!("rm -rf /"));
    with("path", json!("/etc/passwd"));
    // Are these words quoted when they are joined, or are they not?
    uncertain(json!({"kind": "execute", "rawInput": {"command": "git log; rm", "args": []}}));
    uncertain(json!({"kind": "execute", "rawInput": {"command": "git push", "args": ["--force"]}}));
    uncertain(json!({"kind": "execute", "rawInput": {"command": ["git"], "args": ["push"]}}));
    uncertain(json!({"kind": "execute", "rawInput": {"command": "a", "args": ["b"], "arguments": ["c"]}}));
    uncertain(json!({"kind": "execute", "rawInput": {"args": ["rm"]}}));
    uncertain(json!({"kind": "execute", "rawInput": "rm -rf /"}));
    uncertain(json!({"kind": "execute", "rawInput": {"command": "ls"},
        "content": [{"type": "diff", "path": "/etc/passwd", "newText": "x"}]}));
    uncertain(json!({"kind": "think", "rawInput": {"command": "ls"}}));
    uncertain(json!({"kind": "edit", "rawInput": {"command": "create", "path": "/a"}}));
    uncertain(json!({"kind": "fetch", "rawInput": {"command": "curl", "url": "https://a.example"}}));
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
fn a_file_that_is_not_certain_is_none() {
    for kind in ["read", "edit", "delete"] {
        uncertain(json!({"kind": kind, "title": "Reading /a"}));
        uncertain(json!({"kind": kind, "rawInput": {"path": "/a"}, "locations": [{"path": "/b"}]}));
        uncertain(json!({"kind": kind, "rawInput": {"path": "/a", "file_path": "/b"}}));
        uncertain(json!({"kind": kind, "rawInput": {"path": ["/a"]}, "locations": [{"path": "/a"}]}));
        uncertain(json!({"kind": kind, "locations": [{"path": "/a"}, {"path": "/b"}]}));
        uncertain(
            json!({"kind": kind, "rawInput": {"changes": {"/a": {}, "/b": {}}}, "locations": [{"path": "/a"}]}),
        );
    }
    uncertain(json!({
        "kind": "edit",
        "rawInput": {"path": "/a", "content": "x"},
        "content": [{"type": "diff", "path": "/etc/passwd", "newText": "x"}],
    }));
    uncertain(json!({"kind": "move", "title": "Move a to b"}));
    uncertain(json!({"kind": "move", "rawInput": {"from": "/a"}, "locations": [{"path": "/b"}]}));
    uncertain(json!({"kind": "move", "rawInput": {"from": "/a", "to": "/b"}, "locations": [{"path": "/c"}]}));
    uncertain(json!({"kind": "move", "rawInput": {"from": "/a", "to": "/b", "overwrite": true}}));
}

#[test]
fn what_a_tool_does_not_have_is_not_passed_over() {
    let at_a = |kind: &str, key: &str, value: Value| {
        let mut said = json!({"kind": kind, "rawInput": {}, "locations": [{"path": "/a"}]});
        said["rawInput"][key] = value;
        uncertain(said);
    };
    for kind in ["read", "edit", "delete"] {
        for key in [
            "shell",
            "script",
            "target_file",
            "notebook_path",
            "move_path",
            "commandLine",
            "to",
        ] {
            at_a(kind, key, json!("/etc/passwd"));
        }
        at_a(kind, "recursive", json!(true));
        at_a(kind, "path", json!({"path": "/a"}));
        uncertain(json!({"kind": kind, "rawInput": "/etc/passwd", "locations": [{"path": "/a"}]}));
    }
    at_a("edit", "content", json!(["x"]));
    at_a("edit", "grant_root", json!("/"));
    at_a("edit", "edits", json!([{"path": "/etc/passwd"}]));
    at_a("edit", "edits", json!({"old_string": "x"}));
    for change in [
        json!({"type": "update", "unified_diff": "@@", "move_path": "/root/.bashrc"}),
        json!({"type": "delete"}),
        json!({"type": "update", "unified_diff": ["@@"]}),
        json!({}),
    ] {
        at_a("edit", "changes", json!({"/a": change}));
    }
    at_a("edit", "changes", json!({}));
    at_a("edit", "changes", json!({"/b": {"type": "add", "content": "x"}}));
    uncertain(json!({"kind": "edit", "rawInput": {"path": "/a", "content": "x", "old_string": "y"}}));
    uncertain(json!({"kind": "read", "rawInput": {"path": "/a"},
        "content": [{"type": "diff", "path": "/a", "newText": "x"}]}));
    for input in [
        json!({}),
        json!({"script": "rm -rf /"}),
        json!({"Command": "rm -rf /"}),
        json!({"pattern": "x", "pre": "/tmp/evil"}),
        json!({"pattern": ["x"]}),
        json!({"pattern": "x", "query": "y"}),
        json!({"pattern": "x", "path": "/a", "dir_path": "/b"}),
        json!(["x"]),
    ] {
        uncertain(json!({"kind": "search", "rawInput": input}));
    }
    uncertain(
        json!({"kind": "search", "rawInput": {"pattern": "x", "path": "/a"}, "locations": [{"path": "/b"}]}),
    );
    for (key, value) in [
        ("method", json!("POST")),
        ("method", json!(["GET"])),
        ("httpMethod", json!("GET")),
        ("body", json!("secret")),
        ("headers", json!({})),
        ("url", json!("file:///etc/shadow")),
        ("url", json!("/etc/shadow")),
    ] {
        let mut said = json!({"kind": "fetch", "rawInput": {"url": "https://a.example"}});
        said["rawInput"][key] = value;
        uncertain(said);
    }
}

#[test]
fn a_name_of_the_gates_is_taken_for_what_fits_it_alone() {
    let named = |tool: &str, kind: &str, input: Value| json!({"_meta": {"claudeCode": {"toolName": tool}}, "kind": kind, "title": "t", "rawInput": input});
    let command = json!({"command": "rm -rf /"});
    for tool in [
        "Read",
        "Glob",
        "Grep",
        "WebFetch",
        "WebSearch",
        "Task",
        "TaskOutput",
        "TodoWrite",
        "Write",
    ] {
        uncertain(named(tool, "other", command.clone()));
        uncertain(named(tool, "execute", json!({})));
    }
    uncertain(named("Read", "read", json!({"file_path": "/a", "command": "rm"})));
    uncertain(named("Read", "read", json!({})));
    uncertain(named("Read", "execute", json!({"file_path": "/a"})));
    uncertain(named(
        "TodoWrite",
        "edit",
        json!({"file_path": "/etc/passwd", "content": "x"}),
    ));
    uncertain(named(
        "Edit",
        "edit",
        json!({"file_path": "/a", "notebook_path": "/b"}),
    ));
    uncertain(named(
        "MultiEdit",
        "edit",
        json!({"file_path": "/a", "edits": [{"file_path": "/b"}]}),
    ));
    uncertain(named(
        "Bash",
        "execute",
        json!({"command": "ls", "dangerouslyDisableSandbox": true}),
    ));
    uncertain(named("Bash", "edit", json!({"command": "ls"})));
    let mut elsewhere = named("Read", "read", json!({"file_path": "/a"}));
    elsewhere["locations"] = json!([{"path": "/etc/shadow"}]);
    uncertain(elsewhere);
    check(
        named(
            "Grep",
            "search",
            json!({"pattern": "x", "path": "src", "-i": true}),
        ),
        "Grep",
        json!({"pattern": "x", "path": "/ws/sessions/one/src", "-i": true}),
    );
    check(
        named("TodoWrite", "think", json!({"todos": [{"content": "x"}]})),
        "TodoWrite",
        json!({"todos": [{"content": "x"}]}),
    );
    // A name that means nothing here means what a rule says that names it.
    check(named("Skill", "other", command.clone()), "Skill", command);
}

#[test]
fn of_what_is_uncertain_nothing_is_left_out() {
    let input = json!({"command": "git", "args": ["push"], "cwd": "/root/prod", "env": {"A": "b"}});
    check(
        json!({"kind": "execute", "title": "git push", "rawInput": input}),
        "acp:execute",
        json!({"title": "git push", "input": input}),
    );
    check(
        json!({"_meta": {"claudeCode": {"toolName": "Read"}}, "kind": "edit", "title": "t",
            "rawInput": {"file_path": "/a"}, "locations": [{"path": "/b"}],
            "content": [{"type": "diff", "path": "/c", "newText": "x"}]}),
        "acp:edit",
        json!({"title": "t", "input": {"file_path": "/a"}, "tool": "Read", "locations": ["/b"],
            "diffs": [{"path": "/c", "old_text": null, "new_text": "x"}]}),
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

#[test]
fn of_a_call_that_is_too_large_nothing_is_known() {
    let mut told = Told::default();
    let said = |said: Value| from_value::<acp::ToolCallUpdate>(said).unwrap().fields;
    told.hear(
        said(json!({"toolCallId": "call", "kind": "read", "rawInput": {"path": "/a", "more": "x".repeat(LARGEST)}})),
        None,
    );
    assert!(told.size() < 1024);
    // Nothing that is said later makes it certain: it would be a part of the whole.
    told.hear(
        said(json!({"toolCallId": "call", "rawInput": {"path": "/a"}, "locations": [{"path": "/a"}]})),
        None,
    );
    assert!(told.is_too_large());
    assert_eq!(told.call(Path::new(HERE), None).tool, "acp:read");
}
