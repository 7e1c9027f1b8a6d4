use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::verdict::Decision;

fn decide(policy: &Policy, tool: &str, input: &Value) -> Verdict {
    policy.decide(&ToolCall::new(tool, input.clone()), &Context::new(Role::Owner))
}

fn check(policy: &Policy, tool: &str, decision: Decision, rule: &str) {
    let verdict = decide(policy, tool, &json!({}));
    assert_eq!((verdict.decision, &*verdict.rule), (decision, rule), "{tool}");
}

#[test]
fn the_base_allows_its_eight_tools() {
    for tool in [
        "Read",
        "Glob",
        "Grep",
        "WebFetch",
        "WebSearch",
        "Task",
        "TaskOutput",
        "TodoWrite",
    ] {
        check(&Policy::base(), tool, Decision::Allow, &format!("base:{tool}"));
    }
}

#[test]
fn what_is_not_listed_is_denied_in_words_that_are_known() {
    let verdict = decide(&Policy::base(), "Deploy", &json!({}));
    assert_eq!(verdict.decision, Decision::Deny);
    assert_eq!(
        verdict.reason,
        "Deploy is not in the daemon tool allowlist. Daemon mode restricts tool access for safety."
    );
}

#[test]
fn names_that_only_look_like_allowed_ones_are_denied() {
    // Case, white space, a Cyrillic letter, a full-width letter, an invisible one, an empty name.
    for tool in [
        "read",
        "READ",
        " Read",
        "Read ",
        "Read\n",
        "Re\u{430}d",
        "\u{ff32}ead",
        "Read\u{200b}",
        "",
    ] {
        check(&Policy::base(), tool, Decision::Deny, "default");
    }
}

#[test]
fn tools_that_act_are_denied_even_if_a_plugin_takes_their_names() {
    for tool in ["Bash", "Write", "Edit", "MultiEdit", "NotebookEdit"] {
        check(&Policy::base(), tool, Decision::Deny, "base:never");
        check(
            &Policy::base().with_plugin_tool(tool, ToolDefault::Allow),
            tool,
            Decision::Deny,
            "base:never",
        );
    }
}

#[test]
fn tools_of_mcp_servers_are_denied() {
    check(
        &Policy::base(),
        "mcp__github__create_issue",
        Decision::Deny,
        "base:mcp",
    );
    let posing = Policy::base().with_plugin_tool("mcp__github__create_issue", ToolDefault::Allow);
    check(&posing, "mcp__github__create_issue", Decision::Deny, "base:mcp");
}

#[test]
fn arguments_that_are_no_object_are_denied() {
    for input in [Value::Null, json!("ls"), json!([]), json!(1), json!(true)] {
        let verdict = decide(&Policy::base(), "Read", &input);
        assert_eq!(
            (verdict.decision, &*verdict.rule),
            (Decision::Deny, "input"),
            "{input}"
        );
    }
}

#[test]
fn a_plugins_tool_runs_or_asks_as_it_declares() {
    let policy = Policy::base()
        .with_plugin_tool("slack_react", ToolDefault::Allow)
        .with_plugin_tool("slack_post_blocks", ToolDefault::Ask);
    check(&policy, "slack_react", Decision::Allow, "plugin:slack_react");
    let input = json!({});
    let call = ToolCall::new("slack_post_blocks", input.clone());
    let asked = policy.decide(&call, &Context::new(Role::Member).asking());
    assert_eq!(asked.decision, Decision::Ask);
}

#[test]
fn asking_where_nobody_can_be_asked_is_a_denial_that_says_so() {
    let policy = Policy::base().with_plugin_tool("slack_post_blocks", ToolDefault::Ask);
    let verdict = decide(&policy, "slack_post_blocks", &json!({}));
    assert_eq!(
        (verdict.decision, &*verdict.rule),
        (Decision::Deny, "plugin:slack_post_blocks")
    );
    assert!(
        verdict.reason.contains("nobody can be asked"),
        "{}",
        verdict.reason
    );
}

#[test]
fn a_stranger_starts_no_run_and_calls_no_tool() {
    let policy = Policy::base();
    assert!(!policy.decide_run(Role::Stranger).is_allowed());
    assert!(policy.decide_run(Role::Member).is_allowed() && policy.decide_run(Role::Owner).is_allowed());
    let input = json!({});
    let verdict = policy.decide(
        &ToolCall::new("Read", input.clone()),
        &Context::new(Role::Stranger),
    );
    assert_eq!(
        (verdict.decision, &*verdict.rule),
        (Decision::Deny, "role:stranger")
    );
}

#[test]
fn a_policy_that_nobody_filled_allows_nothing() {
    check(&Policy::default(), "Read", Decision::Deny, "default");
}

#[test]
fn a_policy_on_the_wire_shows_what_it_would_decide() {
    let policy = Policy::base()
        .with_plugin_tool("slack_react", ToolDefault::Allow)
        .with_plugin_tool("slack_post_blocks", ToolDefault::Ask)
        .with_plugin_tool("Bash", ToolDefault::Allow);
    insta::assert_json_snapshot!(policy);
}

#[test]
fn a_verdict_on_the_wire_is_the_answer_of_check_tool() {
    insta::assert_json_snapshot!([
        decide(&Policy::base(), "Read", &json!({ "file_path": "README.md" })),
        decide(&Policy::base(), "Bash", &json!({ "command": "ls" })),
    ]);
}

proptest! {
    #[test]
    fn no_other_name_is_ever_allowed(tool in "\\PC{0,24}|(Read|Glob|Task|mcp__|Bash)\\PC{0,4}") {
        prop_assume!(!BASE.contains(&tool.as_str()));
        let verdict = decide(&Policy::base(), &tool, &json!({}));
        prop_assert_eq!(verdict.decision, Decision::Deny);
    }
}
