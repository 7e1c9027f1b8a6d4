//! Rules: predicates, scope, end and count.

use std::time::{Duration, SystemTime};

use kata_perm::{Context, Decision, Policy, Role, ToolCall};
use serde_json::{Value, json};

use crate::{check, policy};

/// A policy with one rule about the tool `Tool`.
fn one(effect: &str, when: &Value, more: &Value) -> Policy {
    let mut rule = json!({ "id": "r", "effect": effect, "tools": ["Tool", "Bash", "Write"], "when": when });
    for (key, value) in more.as_object().into_iter().flatten() {
        rule[key] = value.clone();
    }
    policy(
        &json!({ "rules": [rule], "allowedTools": if effect == "allow" { json!([]) } else { json!(["Tool"]) } }),
    )
}

/// What becomes of a call under a rule that allows, and under one that denies, with this test at `/x`.
fn both(test: &Value, x: &Value, allowed: bool, denied: bool) {
    let mut when = test.clone();
    when["at"] = json!("/x");
    let when = json!([when]);
    let input = json!({ "x": x });
    let (decision, rule) = if allowed {
        (Decision::Allow, "rule:r")
    } else {
        (Decision::Deny, "default")
    };
    check(&one("allow", &when, &json!({})), "Tool", &input, decision, rule);
    let (decision, rule) = if denied {
        (Decision::Deny, "rule:r")
    } else {
        (Decision::Allow, "allowedTools:Tool")
    };
    check(&one("deny", &when, &json!({})), "Tool", &input, decision, rule);
}

#[test]
fn each_test_holds_for_what_it_says() {
    for (test, x, holds) in [
        (json!({ "equals": "a" }), json!("a"), true),
        (json!({ "equals": "a" }), json!("A"), false),
        (json!({ "equals": { "a": [1] } }), json!({ "a": [1] }), true),
        (json!({ "oneOf": ["a", 2, false] }), json!(2), true),
        (json!({ "oneOf": ["a", 2, false] }), json!(true), false),
        (json!({ "glob": "a/*" }), json!("a/b"), true),
        (json!({ "glob": "a/*" }), json!("a/b/c"), false),
        (json!({ "regex": "^a+$" }), json!("aa"), true),
        (json!({ "regex": "^a+$" }), json!("ab"), false),
        (json!({ "min": 1, "max": 10 }), json!(10), true),
        (json!({ "min": 1, "max": 10 }), json!(10.5), false),
        (json!({ "min": 1 }), json!(0), false),
        (json!({ "min": 0 }), json!(-0.0), true),
        (
            json!({ "max": 9007199254740993u64 }),
            json!(9007199254740993u64),
            true,
        ),
        (
            json!({ "max": 9007199254740992u64 }),
            json!(9007199254740993u64),
            false,
        ),
        (json!({ "path": ["out/**"] }), json!("out/a"), true),
        (json!({ "path": ["out/**"] }), json!("src/a"), false),
        (
            json!({ "url": { "hosts": ["docs.rs"] } }),
            json!("https://docs.rs/x"),
            true,
        ),
        (
            json!({ "url": { "hosts": ["docs.rs"] } }),
            json!("https://rust-lang.org/"),
            false,
        ),
        (json!({ "shell": ["^ls( |$)"] }), json!("ls -a"), true),
        (json!({ "shell": ["^ls( |$)"] }), json!("rm -a"), false),
    ] {
        both(&test, &x, holds, holds);
    }
}

#[test]
fn what_allows_is_exact_and_what_denies_takes_more() {
    for (test, x) in [
        (json!({ "path": ["/none/secret/**"] }), json!("/none/SECRET/a")),
        (
            json!({ "url": { "hosts": ["evil.com"] } }),
            json!("https://a:b@evil.com./x"),
        ),
        (
            json!({ "url": { "hosts": ["evil.com"] } }),
            json!("http://evil.com:81/x"),
        ),
        (json!({ "equals": 1 }), json!(1.0)),
        // One command of several.
        (json!({ "shell": ["^rm( |$)"] }), json!("ls && rm x")),
        // The word as the program gets it.
        (json!({ "shell": ["^rm( |$)"] }), json!("'rm' x")),
    ] {
        both(&test, &x, false, true);
    }
}

#[test]
fn a_doubt_never_allows() {
    for (test, x) in [
        (json!({ "equals": 1 }), json!("1")),
        (json!({ "equals": "prod" }), json!(["prod"])),
        (json!({ "equals": "prod" }), json!({ "x": "prod" })),
        (json!({ "oneOf": ["a", 1] }), json!("1")),
        (json!({ "glob": "a*" }), json!(["a"])),
        (json!({ "glob": "*" }), json!("a".repeat(100_000))),
        (json!({ "regex": "a" }), json!(1)),
        (
            json!({ "regex": r"^(?=((a|a)+)+$)x|(\w+)+\b$" }),
            json!(format!("{}!", "a".repeat(5000))),
        ),
        (json!({ "min": 1 }), json!("5")),
        (json!({ "path": ["/**"] }), json!("")),
        (json!({ "path": ["/**"] }), json!("~/x")),
        (json!({ "path": ["~/x/**"] }), json!("/x")),
        (json!({ "url": { "hosts": ["a.b"] } }), json!("a.b")),
        (json!({ "url": { "paths": ["/x"] } }), json!("https://a.b/%61")),
        (json!({ "shell": ["x"] }), json!("ls $(x)")),
    ] {
        both(&test, &x, false, true);
    }
    let when = json!([{ "at": "/y", "equals": null }]);
    let file = json!({ "rules": [{ "id": "r", "effect": "deny", "tools": ["Tool"], "when": when }] });
    assert!(
        kata_perm::PermissionsFile::parse(&file.to_string()).is_err(),
        "null is no value to compare with"
    );
    let missing = json!([{ "at": "/y", "equals": 1 }]);
    check(
        &one("allow", &missing, &json!({})),
        "Tool",
        &json!({}),
        Decision::Deny,
        "default",
    );
    check(
        &one("deny", &missing, &json!({})),
        "Tool",
        &json!({}),
        Decision::Deny,
        "rule:r",
    );
}

#[test]
fn all_conditions_must_hold() {
    let when = json!([{ "at": "/a/0", "equals": 1 }, { "at": "/b~1c", "equals": 2 }]);
    let policy = one("allow", &when, &json!({}));
    check(
        &policy,
        "Tool",
        &json!({ "a": [1], "b/c": 2 }),
        Decision::Allow,
        "rule:r",
    );
    check(
        &policy,
        "Tool",
        &json!({ "a": [1], "b/c": 3 }),
        Decision::Deny,
        "default",
    );
    check(&policy, "Tool", &json!({ "a": [1] }), Decision::Deny, "default");
}

#[test]
fn tools_that_act_need_a_rule_that_looks_at_what_they_do() {
    let command = json!({ "command": "make test", "file_path": "out/a" });
    for when in [
        json!([]),
        json!([{ "at": "/command", "regex": "." }]),
        json!([{ "at": "/description", "shell": ["."] }]),
        json!([{ "at": "/file_path", "regex": "." }]),
    ] {
        check(
            &one("allow", &when, &json!({})),
            "Bash",
            &command,
            Decision::Deny,
            "base:never",
        );
        check(
            &one("allow", &when, &json!({})),
            "Write",
            &command,
            Decision::Deny,
            "base:never",
        );
    }
    let shell = json!([{ "at": "/command", "shell": ["^make "] }]);
    check(
        &one("allow", &shell, &json!({})),
        "Bash",
        &command,
        Decision::Allow,
        "rule:r",
    );
    let path = json!([{ "at": "/file_path", "path": ["out/*"] }]);
    check(
        &one("allow", &path, &json!({})),
        "Write",
        &command,
        Decision::Allow,
        "rule:r",
    );
}

/// What becomes of a call in `context` under a rule that allows, and under one that denies, with this scope.
fn scoped(scope: &Value, context: &Context, allowed: bool, denied: bool) {
    let input = json!({});
    let call = ToolCall::new("Tool", input.clone());
    let is_allowed = |effect| one(effect, &json!([]), scope).decide(&call, context).is_allowed();
    assert_eq!(
        (is_allowed("allow"), !is_allowed("deny")),
        (allowed, denied),
        "{scope} {context:?}"
    );
}

#[test]
fn a_rule_holds_in_its_scope_alone() {
    let owner = || Context::new(Role::Owner);
    let team = json!({ "channels": ["team", "ops"] });
    scoped(&team, &owner().in_channel("team"), true, true);
    scoped(&team, &owner().in_channel("Team"), false, false);
    scoped(&team, &owner(), false, true);
    let session = json!({ "sessions": ["daemon-team-0f3c"] });
    scoped(&session, &owner().in_session("daemon-team-0f3c"), true, true);
    scoped(&session, &owner().in_session("daemon-team-0000"), false, false);
    scoped(&session, &owner(), false, true);
    let roles = json!({ "roles": ["owner"] });
    scoped(&roles, &owner(), true, true);
    scoped(&roles, &Context::new(Role::Member), false, false);
}

#[test]
fn a_rule_ends_at_its_time() {
    let until = json!({ "until": "1970-01-01T01:00:00Z" });
    let at = |seconds| Context::new(Role::Owner).at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    scoped(&until, &at(3599), true, true);
    scoped(&until, &at(3600), false, false);
    scoped(&until, &Context::new(Role::Owner), false, true);
}

#[test]
fn a_rule_allows_as_often_as_it_says() {
    let policy = one("allow", &json!([]), &json!({ "uses": 2 }));
    assert_eq!(policy.counted_rules().collect::<Vec<_>>(), [("r", 2)]);
    let input = json!({});
    let after = |context: Context| {
        policy
            .decide(&ToolCall::new("Tool", input.clone()), &context)
            .is_allowed()
    };
    assert!(after(Context::new(Role::Owner).with_uses("r", 1)));
    assert!(!after(Context::new(Role::Owner).with_uses("r", 2)));
    assert!(
        !after(Context::new(Role::Owner)),
        "a count that nobody gave is used up"
    );
}

#[test]
fn deny_beats_ask_beats_allow() {
    let rule = |id: &str, effect: &str, max: u64| json!({ "id": id, "effect": effect, "tools": ["Tool"], "when": [{ "at": "/n", "max": max }] });
    let policy = policy(
        &json!({ "rules": [rule("all", "allow", 100), rule("some", "ask", 10), rule("few", "deny", 1)] }),
    );
    let asked = |n: u64| {
        let input = json!({ "n": n });
        let verdict = policy.decide(
            &ToolCall::new("Tool", input.clone()),
            &Context::new(Role::Owner).asking(),
        );
        (verdict.decision, verdict.rule.into_owned())
    };
    assert_eq!(asked(50), (Decision::Allow, "rule:all".to_owned()));
    assert_eq!(asked(5), (Decision::Ask, "rule:some".to_owned()));
    assert_eq!(asked(1), (Decision::Deny, "rule:few".to_owned()));
    assert_eq!(asked(101), (Decision::Deny, "default".to_owned()));
}

#[test]
fn a_rule_may_narrow_the_base() {
    let policy = policy(&json!({ "rules": [
        { "id": "no-secrets", "effect": "deny", "tools": ["Read"], "when": [{ "at": "/file_path", "path": ["/**/.env"] }] },
    ] }));
    check(
        &policy,
        "Read",
        &json!({ "file_path": "a.txt" }),
        Decision::Allow,
        "base:Read",
    );
    check(
        &policy,
        "Read",
        &json!({ "file_path": "app/.env" }),
        Decision::Deny,
        "rule:no-secrets",
    );
    check(
        &policy,
        "Read",
        &json!({ "file_path": "app/.ENV" }),
        Decision::Deny,
        "rule:no-secrets",
    );
    check(&policy, "Read", &json!({}), Decision::Deny, "rule:no-secrets");
    check(&policy, "Glob", &json!({}), Decision::Allow, "base:Glob");
}
