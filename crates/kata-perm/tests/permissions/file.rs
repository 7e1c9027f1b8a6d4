//! The lists of the file, and what is said of a file that is wrong.

use kata_perm::{Context, Decision, PermissionsFile, Policy, Role, Roots, ToolCall, ToolDefault};
use serde_json::json;

use crate::{check, decide, policy};

#[test]
fn bash_runs_what_its_patterns_allow() {
    let policy = policy(&json!({
        "allowedBashPatterns": ["^ls( |$)", { "pattern": "^git (status|log)( |$)", "comment": "reads only" }],
    }));
    let bash = |command: &str| json!({ "command": command, "description": "look" });
    let git = "allowedBashPatterns:^git (status|log)( |$)";
    check(&policy, "Bash", &bash("git log -3"), Decision::Allow, git);
    check(
        &policy,
        "Bash",
        &bash("git status && ls -la | ls"),
        Decision::Allow,
        "allowedBashPatterns:^git (status|log)( |$) + ^ls( |$)",
    );
    check(&policy, "Bash", &bash("git push"), Decision::Deny, "base:never");
    check(
        &policy,
        "Bash",
        &bash("git status; rm x"),
        Decision::Deny,
        "base:never",
    );
}

#[test]
fn a_denial_of_bash_says_what_is_missing() {
    let policy = policy(&json!({ "allowedBashPatterns": ["^ls$"] }));
    let reason = |command: &str| decide(&policy, "Bash", &json!({ "command": command })).reason;
    let plain = "Bash is not in the daemon tool allowlist. Daemon mode restricts tool access for safety.";
    assert_eq!(
        reason("ls > x"),
        format!("{plain} Its text cannot be allowed: it redirects.")
    );
    assert_eq!(
        reason("rm x"),
        format!("{plain} A command in it matches no entry of `allowedBashPatterns`.")
    );
}

#[test]
fn files_are_written_where_a_glob_says() {
    let policy = policy(&json!({ "allowedWritePaths": ["out/**", "/none/shared/*.md"] }));
    for (tool, argument) in [
        ("Write", "file_path"),
        ("Edit", "file_path"),
        ("MultiEdit", "file_path"),
        ("NotebookEdit", "notebook_path"),
    ] {
        check(
            &policy,
            tool,
            &json!({ argument: "out/a.txt" }),
            Decision::Allow,
            "allowedWritePaths:out/**",
        );
        check(
            &policy,
            tool,
            &json!({ argument: "/none/ws/out/a" }),
            Decision::Allow,
            "allowedWritePaths:out/**",
        );
        check(
            &policy,
            tool,
            &json!({ argument: "/none/shared/a.md" }),
            Decision::Allow,
            "allowedWritePaths:/none/shared/*.md",
        );
        check(
            &policy,
            tool,
            &json!({ argument: "src/a" }),
            Decision::Deny,
            "base:never",
        );
        check(
            &policy,
            tool,
            &json!({ "path": "out/a" }),
            Decision::Deny,
            "input",
        );
    }
    // A relative path begins where the call is made.
    let input = json!({ "file_path": "a.txt" });
    let call = ToolCall::new("Write", input.clone());
    let context = Context::new(Role::Member).in_directory("/none/ws/out");
    assert!(policy.decide(&call, &context).is_allowed());
    assert!(!policy.decide(&call, &Context::new(Role::Member)).is_allowed());
}

#[test]
fn tools_of_mcp_servers_run_by_pattern_alone() {
    let policy = policy(
        &json!({ "allowedMcpPatterns": ["^mcp__github__(get|list)_"], "allowedTools": ["mcp__.*", ".*"] }),
    );
    let get = "mcp__github__get_issue";
    check(
        &policy,
        get,
        &json!({}),
        Decision::Allow,
        "allowedMcpPatterns:^mcp__github__(get|list)_",
    );
    check(
        &policy,
        "mcp__github__create_issue",
        &json!({}),
        Decision::Deny,
        "base:mcp",
    );
    check(&policy, get, &json!(null), Decision::Deny, "base:mcp");
}

#[test]
fn calls_of_an_api_are_allowed_by_method_and_path() {
    let policy = policy(&json!({ "allowedApiEndpoints": [
        { "method": "GET", "path": "^/v1/" },
        { "method": "post", "path": "^/v1/comments$", "comment": "say something" },
    ] }));
    let get = "allowedApiEndpoints:GET ^/v1/";
    check(
        &policy,
        "api_github",
        &json!({ "path": "/v1/issues" }),
        Decision::Allow,
        get,
    );
    check(
        &policy,
        "api_github",
        &json!({ "path": "/v1/issues", "method": "get" }),
        Decision::Allow,
        get,
    );
    check(
        &policy,
        "api_github",
        &json!({ "path": "/v1/comments", "method": "POST" }),
        Decision::Allow,
        "allowedApiEndpoints:post ^/v1/comments$",
    );
    for input in [
        json!({ "path": "/v1/issues", "method": "DELETE" }),
        json!({ "path": "/v1/issues", "method": null }),
        json!({ "path": "/v1/issues", "method": ["GET"] }),
        json!({ "path": "/v2/issues" }),
        json!({ "path": "/v1/../v2" }),
        json!({ "path": ["/v1/"] }),
        json!({}),
    ] {
        check(&policy, "api_github", &input, Decision::Deny, "default");
    }
    check(
        &policy,
        "Fetch",
        &json!({ "path": "/v1/issues" }),
        Decision::Deny,
        "default",
    );
}

#[test]
fn names_block_ask_and_allow_in_that_order() {
    let policy = policy(&json!({
        "allowedTools": ["slack_.*"],
        "askTools": ["slack_post_.*", "Read", "Bash"],
        "blockedTools": ["slack_post_now", "Web(Fetch|Search)"],
        "allowedBashPatterns": ["^ls$"],
    }));
    let asking = |tool: &str, input: serde_json::Value| {
        let verdict = policy.decide(
            &ToolCall::new(tool, input.clone()),
            &Context::new(Role::Member).asking(),
        );
        (verdict.decision, verdict.rule.into_owned())
    };
    check(
        &policy,
        "slack_react",
        &json!({}),
        Decision::Allow,
        "allowedTools:slack_.*",
    );
    check(
        &policy,
        "WebFetch",
        &json!({}),
        Decision::Deny,
        "blockedTools:Web(Fetch|Search)",
    );
    check(
        &policy,
        "slack_post_now",
        &json!({}),
        Decision::Deny,
        "blockedTools:slack_post_now",
    );
    assert_eq!(
        asking("slack_post_x", json!({})),
        (Decision::Ask, "askTools:slack_post_.*".to_owned())
    );
    assert_eq!(
        asking("Read", json!({})),
        (Decision::Ask, "askTools:Read".to_owned())
    );
    // A person may allow what no pattern does, but is not asked about what cannot be read.
    assert_eq!(
        asking("Bash", json!({ "command": "ls $(x)" })),
        (Decision::Ask, "askTools:Bash".to_owned())
    );
    assert_eq!(
        asking("Bash", json!({ "command": "ls \u{202e}" })),
        (Decision::Deny, "input".to_owned())
    );
    assert_eq!(asking("Bash", json!({})), (Decision::Deny, "input".to_owned()));
    // Nobody can be asked: denied, though a list allows it.
    check(
        &policy,
        "Bash",
        &json!({ "command": "ls" }),
        Decision::Deny,
        "askTools:Bash",
    );
}

#[test]
fn names_never_allow_tools_that_act() {
    let policy =
        policy(&json!({ "allowedTools": [".*", "Bash", "Write", "Edit", "MultiEdit", "NotebookEdit"] }));
    for tool in ["Bash", "Write", "Edit", "MultiEdit", "NotebookEdit"] {
        let input = json!({ "command": "ls", "file_path": "x", "notebook_path": "x" });
        check(&policy, tool, &input, Decision::Deny, "base:never");
    }
}

#[test]
fn the_files_word_goes_before_a_plugins_default() {
    let file =
        PermissionsFile::parse(r#"{ "allowedTools": ["slack_post_blocks"], "askTools": ["slack_react"] }"#)
            .unwrap();
    let policy = Policy::base()
        .with_plugin_tool("slack_post_blocks", ToolDefault::Ask)
        .with_plugin_tool("slack_react", ToolDefault::Allow)
        .with_file(&file, &Roots::new("/none/ws"));
    check(
        &policy,
        "slack_post_blocks",
        &json!({}),
        Decision::Allow,
        "allowedTools:slack_post_blocks",
    );
    check(
        &policy,
        "slack_react",
        &json!({}),
        Decision::Deny,
        "askTools:slack_react",
    );
}

#[test]
fn a_policy_on_the_wire_shows_its_file() {
    let text =
        json!({ "blockedTools": ["WebFetch"], "askTools": [{ "pattern": "Read", "comment": "why not" }] });
    let policy = policy(&text);
    let wire = serde_json::to_value(&policy).unwrap();
    assert_eq!(wire["additions"], text);
    assert_eq!(wire["askTools"], json!(["Read"]));
    assert!(
        !wire["allowedTools"]
            .as_array()
            .unwrap()
            .contains(&json!("WebFetch"))
    );
    assert_eq!(policy.clone(), policy);
    assert_ne!(policy, Policy::base());
}

#[test]
fn a_policy_on_the_wire_promises_no_tool_that_a_rule_may_hold_back() {
    let policy = policy(&json!({ "rules": [
        { "id": "never", "effect": "deny", "tools": ["WebFetch"] },
        { "id": "some", "effect": "deny", "tools": ["Read"], "when": [{ "at": "/file_path", "path": ["/etc/**"] }] },
        { "id": "ask", "effect": "ask", "tools": ["Task"], "roles": ["member"] },
        { "id": "more", "effect": "allow", "tools": ["Glob"] },
    ] }));
    let wire = serde_json::to_value(&policy).unwrap();
    assert_eq!(
        wire["allowedTools"],
        json!(["Glob", "Grep", "TaskOutput", "TodoWrite", "WebSearch"])
    );
    assert_eq!(wire["askTools"], json!(["Read", "Task"]));
}

#[test]
fn nobody_is_asked_about_a_name_that_reads_as_another() {
    let file = PermissionsFile::parse(r#"{ "askTools": [".*"] }"#).unwrap();
    let policy = Policy::base()
        .with_plugin_tool("Re\u{430}d", ToolDefault::Allow)
        .with_file(&file, &Roots::new("/none/ws"));
    let input = json!({});
    for tool in ["Re\u{430}d", "Bash\u{200b}", "slack post"] {
        let verdict = policy.decide(
            &ToolCall::new(tool, input.clone()),
            &Context::new(Role::Owner).asking(),
        );
        assert_eq!(
            (verdict.decision, &*verdict.rule),
            (Decision::Deny, "default"),
            "{tool}"
        );
    }
}

fn wrong(text: &str, place: (usize, usize), reason: &str) {
    let error = PermissionsFile::parse(text).expect_err(text);
    assert_eq!(
        ((error.line, error.column), &*error.reason),
        (place, reason),
        "{text}"
    );
}

#[test]
fn a_file_that_is_wrong_says_where_and_why() {
    wrong("", (1, 0), "EOF while parsing a value");
    wrong("{\n  \"allowedTools\": [,]\n}", (2, 20), "expected value");
    wrong(
        "{\n  \"allowedBashPattern\": []\n}",
        (2, 22),
        "unknown key \"allowedBashPattern\"; did you mean \"allowedBashPatterns\"?",
    );
    wrong("{ \"zzz\": 1 }", (1, 7), "unknown key \"zzz\"");
    wrong(
        "{ \"askTools\": [\n  { \"pattern\": \"a\", \"coment\": \"b\" }\n] }",
        (2, 28),
        "unknown key \"coment\"; did you mean \"comment\"?",
    );
    wrong(
        "{ \"allowedBashPatterns\": [\n  \"^ls$\",\n  \"a**\"\n] }",
        (3, 7),
        "the pattern `a**` cannot be used: there is nothing to repeat",
    );
    wrong(
        "{ \"allowedWritePaths\": [\n  { \"pattern\": \"../x\" }\n] }",
        (2, 21),
        "the glob `../x` cannot be used: it has an empty part, `.` or `..`",
    );
    wrong(
        "{ \"askTools\": [1] }",
        (1, 16),
        "invalid type: integer `1`, expected a string, or an object with `pattern` and `comment`",
    );
    wrong(
        "{ \"askTools\": [], \"askTools\": [] }",
        (1, 28),
        "duplicate field `askTools`",
    );
    wrong("[]", (1, 0), "invalid type: sequence, expected an object");
    wrong("{} {}", (1, 4), "trailing characters");
    let error = PermissionsFile::parse(&" ".repeat(2 << 20)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 1: the file is larger than 1048576 bytes"
    );
}

#[test]
fn a_rule_that_is_wrong_says_where_and_why() {
    let rule = |fields: &str| format!("{{ \"rules\": [\n{{ {fields} }}\n] }}");
    for (fields, reason) in [
        (
            r#""id": "a b", "effect": "deny", "tools": ["x"]"#,
            "rule \"a b\": an `id` has letters, digits, `-`, `_` and `.`",
        ),
        (
            r#""id": "a", "effect": "deny", "tools": []"#,
            "rule \"a\": `tools` names no tool",
        ),
        (
            r#""id": "a", "effect": "ask", "tools": ["x"], "uses": 1"#,
            "rule \"a\": only a rule that allows has a number of `uses`",
        ),
        (
            r#""id": "a", "effect": "deny", "tools": ["x"], "when": [{ "at": "/x" }]"#,
            "rule \"a\": at \"/x\": there is no test",
        ),
        (
            r#""id": "a", "effect": "deny", "tools": ["x"], "when": [{ "at": "/x", "equals": 1, "max": 2 }]"#,
            "rule \"a\": at \"/x\": there is more than one test",
        ),
        (
            r#""id": "a", "effect": "deny", "tools": ["x"], "when": [{ "at": "/x", "url": {} }]"#,
            "rule \"a\": at \"/x\": `url` needs `schemes`, `hosts` or `paths`",
        ),
        (
            r#""id": "a", "effect": "deny", "tools": ["x"], "when": [{ "at": "x", "equals": 1 }]"#,
            "`x` is no JSON pointer: it begins with `/`, as in `/url`",
        ),
        (
            r#""id": "a", "effect": "deny", "tools": ["x"], "until": "tomorrow""#,
            "`tomorrow` is no time: write it as in `2027-01-31T18:00:00Z`",
        ),
        (
            r#""id": "a", "effect": "deny", "tools": ["x"], "uses": -1"#,
            "invalid value: integer `-1`, expected u64",
        ),
        (
            r#""id": "a", "effect": "deny", "tools": ["x"], "role": []"#,
            "unknown key \"role\"; did you mean \"roles\"?",
        ),
        (r#""id": "a", "effect": "deny""#, "missing field `tools`"),
    ] {
        let error = PermissionsFile::parse(&rule(fields)).expect_err(fields);
        assert_eq!((error.line, &*error.reason), (2, reason), "{fields}");
    }
    let twice = r#"{ "rules": [
        { "id": "a", "effect": "deny", "tools": ["x"] },
        { "id": "a", "effect": "deny", "tools": ["y"] }
    ] }"#;
    let error = PermissionsFile::parse(twice).unwrap_err();
    assert_eq!(
        (error.line, &*error.reason),
        (3, "there are two rules with the id \"a\"")
    );
}

#[test]
fn what_a_file_restricts_outlives_what_it_allows() {
    let text = r#"{
        "allowedBashPatterns": ["^ls$"], "allowedTools": ["Custom"], "blockedTools": ["WebSearch"], "askTools": ["WebFetch"],
        "rules": [
            { "id": "no", "effect": "deny", "tools": ["Read"], "when": [{ "at": "/file_path", "equals": "/etc/shadow" }] },
            { "id": "ask", "effect": "ask", "tools": ["Grep"] },
            { "id": "yes", "effect": "allow", "tools": ["Other"] }
        ]
    }"#;
    let file = PermissionsFile::parse(text).unwrap().restrictions();
    let policy = Policy::base().with_file(&file, &Roots::new("/w"));
    let decide = |tool: &str, input: serde_json::Value| {
        let call = ToolCall::new(tool, input);
        policy.decide(&call, &Context::new(Role::Owner).asking()).decision
    };
    for (tool, input) in [
        ("Bash", json!({"command": "ls"})),
        ("Custom", json!({})),
        ("Other", json!({})),
        ("WebSearch", json!({"query": "a"})),
        ("WebFetch", json!({"url": "https://docs.rs/"})),
        ("Grep", json!({"pattern": "a"})),
        ("Read", json!({"file_path": "/etc/shadow"})),
    ] {
        assert_eq!(decide(tool, input), Decision::Deny, "{tool}");
    }
    assert_eq!(decide("Read", json!({"file_path": "/w/a"})), Decision::Allow);
}
