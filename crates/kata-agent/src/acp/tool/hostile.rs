//! What was said so that something else runs than what is asked about, or by accident looks like that.

use serde_json::from_value;

use super::*;

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
    with("cwd", json!("/srv/prod"));
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
        json!({"type": "update", "unified_diff": "@@", "move_path": "/etc/profile"}),
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
    let input = json!({"command": "git", "args": ["push"], "cwd": "/srv/prod", "env": {"A": "b"}});
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
