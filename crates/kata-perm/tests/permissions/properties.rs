//! What holds for every file and every call.

use kata_perm::{Context, Decision, PermissionsFile, Policy, Role, Roots, ToolCall};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Any JSON, with the arguments that rules look at among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any_key(), inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["command", "file_path", "url", "path", "method", "n"]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "ls",
            "ls -la",
            "ls; rm x",
            "git push",
            "'git' status",
            "out/a",
            "OUT/a",
            "src/a",
            "../x",
            "https://docs.rs/x",
            "http://docs.rs",
            "/v1/x",
            "GET",
            "DELETE",
        ])
        .prop_map(str::to_owned),
        "[a-c ;&|$'\"\\\\/.~*:]{0,12}",
        any::<String>(),
    ]
}

fn any_tool() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["Bash", "Write", "Read", "Fetch", "api_x", "mcp__a__b", "Tool"]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn any_condition() -> impl Strategy<Value = Value> {
    let tests = vec![
        json!({ "at": "/command", "shell": ["^ls( |$)"] }),
        json!({ "at": "/command", "shell": ["git", "rm"] }),
        json!({ "at": "/command", "regex": "l" }),
        json!({ "at": "/file_path", "path": ["out/**"] }),
        json!({ "at": "/file_path", "glob": "**/a" }),
        json!({ "at": "/url", "url": { "hosts": ["docs.rs"] } }),
        json!({ "at": "/url", "equals": "https://docs.rs/x" }),
        json!({ "at": "/n", "min": 0, "max": 9 }),
        json!({ "at": "/path", "oneOf": ["/v1/x", 1] }),
    ];
    prop::sample::select(tests)
}

fn any_rule(effect: impl Strategy<Value = &'static str>) -> impl Strategy<Value = Value> {
    let tools = prop::sample::subsequence(
        vec![
            "Bash", "Write", "Read", "Fetch", "api_.*", "mcp__.*", "Tool", ".*",
        ],
        1..4,
    );
    let when = prop::collection::vec(any_condition(), 0..3);
    let channel = prop::option::of(prop::sample::select(vec!["team", "ops"]));
    (effect, tools, when, channel, "[a-z]{6}").prop_map(|(effect, tools, when, channel, id)| {
        let mut rule = json!({ "id": id, "effect": effect, "tools": tools, "when": when });
        if let Some(channel) = channel {
            rule["channels"] = json!([channel]);
        }
        rule
    })
}

fn any_effect() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["allow", "ask", "deny"])
}

/// Lists and rules, with ids that differ.
fn any_file() -> impl Strategy<Value = Value> {
    let names =
        || prop::sample::subsequence(vec!["Tool", "Read", "api_x", "Fetch", ".*", "Bash", "T.*"], 0..3);
    let bash = prop::sample::subsequence(vec!["^ls( |$)", "git", "."], 0..3);
    let write = prop::sample::subsequence(vec!["out/**", "**", "src/*"], 0..3);
    let rules = prop::collection::vec(any_rule(any_effect()), 0..5);
    (bash, write, names(), names(), names(), rules).prop_map(|(bash, write, allowed, ask, blocked, mut rules)| {
        for (at, rule) in rules.iter_mut().enumerate() {
            rule["id"] = json!(format!("{}-{at}", rule["id"].as_str().unwrap_or_default()));
        }
        json!({
            "allowedBashPatterns": bash, "allowedWritePaths": write, "allowedTools": allowed, "askTools": ask,
            "blockedTools": blocked, "allowedMcpPatterns": ["b$"], "allowedApiEndpoints": [{ "method": "GET", "path": "^/v1/" }],
            "rules": rules,
        })
    })
}

fn any_context() -> impl Strategy<Value = Context> {
    (
        any::<bool>(),
        prop::option::of(prop::sample::select(vec!["team", "ops"])),
    )
        .prop_map(|(asks, channel)| {
            let context = Context::new(Role::Member);
            let context = if asks { context.asking() } else { context };
            match channel {
                Some(channel) => context.in_channel(channel),
                None => context,
            }
        })
}

fn policy(file: &Value) -> Policy {
    let file = PermissionsFile::parse(&file.to_string()).unwrap_or_else(|error| panic!("{error}: {file}"));
    Policy::base().with_file(&file, &Roots::new("/none/ws"))
}

proptest! {
    #[test]
    fn no_call_panics(file in any_file(), tool in any_tool(), input in any_json(), context in any_context()) {
        let verdict = policy(&file).decide(&ToolCall::new(tool.as_str(), input.clone()), &context);
        prop_assert!(!verdict.rule.is_empty() && !verdict.reason.is_empty());
    }

    #[test]
    fn a_rule_more_that_denies_allows_nothing_new(
        file in any_file(), more in any_rule(Just("deny")), tool in any_tool(), input in any_json(), context in any_context(),
    ) {
        let call = ToolCall::new(tool.as_str(), input.clone());
        let before = policy(&file).decide(&call, &context);
        let mut longer = file;
        longer["rules"].as_array_mut().unwrap().push(more);
        let after = policy(&longer).decide(&call, &context);
        prop_assert!(after == before || after.decision == Decision::Deny);
    }

    #[test]
    fn a_rule_more_that_asks_allows_nothing_new(
        file in any_file(), more in any_rule(Just("ask")), tool in any_tool(), input in any_json(), context in any_context(),
    ) {
        let call = ToolCall::new(tool.as_str(), input.clone());
        let before = policy(&file).decide(&call, &context);
        let mut longer = file;
        longer["rules"].as_array_mut().unwrap().push(more);
        let after = policy(&longer).decide(&call, &context);
        prop_assert!(after.decision != Decision::Allow || before.decision == Decision::Allow);
        prop_assert!(before.decision != Decision::Deny || after.decision != Decision::Allow);
    }

    #[test]
    fn the_order_of_entries_counts_for_nothing(file in any_file(), tool in any_tool(), input in any_json(), context in any_context()) {
        let mut turned = file.clone();
        for list in turned.as_object_mut().unwrap().values_mut() {
            list.as_array_mut().unwrap().reverse();
        }
        let call = ToolCall::new(tool.as_str(), input.clone());
        prop_assert_eq!(policy(&file).decide(&call, &context), policy(&turned).decide(&call, &context));
    }

    #[test]
    fn a_stranger_is_denied_whatever_the_file_says(file in any_file(), tool in any_tool(), input in any_json()) {
        let verdict = policy(&file).decide(&ToolCall::new(tool.as_str(), input.clone()), &Context::new(Role::Stranger).asking());
        prop_assert_eq!(verdict.decision, Decision::Deny);
    }

    #[test]
    fn bash_that_is_allowed_has_no_sign_that_starts_something_else(text in "(ls|git|echo|[ ;&|$`()<>{}'\"\\\\\n=~*#-]|[a-c]){0,16}") {
        let policy = policy(&json!({ "allowedBashPatterns": ["^(ls|git|echo)( |$)"] }));
        let input = json!({ "command": text });
        let verdict = policy.decide(&ToolCall::new("Bash", input.clone()), &Context::new(Role::Owner));
        if verdict.is_allowed() && !text.contains(['\'', '"', '\\']) {
            prop_assert!(!text.contains(['$', '`', '(', ')', '<', '>', '{', '}', '#', '*']), "{}", text);
            let first = |part: &str| part.split_whitespace().next().map(str::to_owned);
            for word in text.split([';', '&', '|', '\n']).filter_map(first) {
                prop_assert!(["ls", "git", "echo"].contains(&word.as_str()), "{}", text);
            }
        }
    }

    #[test]
    fn no_file_panics(text in any::<String>(), file in any_json()) {
        let _ = PermissionsFile::parse(&text);
        let _ = PermissionsFile::parse(&file.to_string());
        let _ = PermissionsFile::parse(&json!({ "rules": [file.clone()], "askTools": [file] }).to_string());
    }
}
