//! Permissions of the file that come to an end.

use std::time::{Duration, SystemTime};

use kata_perm::Policy;
use serde_json::{Value, json};

use crate::policy;

fn rule(more: &Value) -> Value {
    let mut rule = json!({ "id": "r", "effect": "allow", "tools": ["Fetch", "api_.*"] });
    for (key, value) in more.as_object().into_iter().flatten() {
        rule[key] = value.clone();
    }
    json!({ "rules": [rule] })
}

#[test]
fn rules_that_end_or_are_counted_are_grants() {
    let policy = policy(&json!({ "rules": [
        { "id": "until", "effect": "allow", "tools": ["Fetch"], "until": "1970-01-02T00:00:00Z" },
        { "id": "counted", "effect": "allow", "tools": ["Fetch", "api_.*"], "uses": 20 },
        { "id": "always", "effect": "allow", "tools": ["Fetch"] },
        { "id": "never", "effect": "deny", "tools": ["Fetch"], "until": "1970-01-02T00:00:00Z" },
    ] }));
    let grants: Vec<_> = policy
        .file_grants()
        .map(|grant| (grant.id, grant.tools, grant.uses, grant.until))
        .collect();
    let day = SystemTime::UNIX_EPOCH + Duration::from_secs(24 * 60 * 60);
    assert_eq!(
        grants,
        [
            (
                "counted".to_owned(),
                vec!["Fetch".to_owned(), "api_.*".to_owned()],
                Some(20),
                None
            ),
            ("until".to_owned(), vec!["Fetch".to_owned()], None, Some(day)),
        ]
    );
    assert_eq!(Policy::base().file_grants().count(), 0);
}

#[test]
fn another_rule_of_the_same_id_is_another_grant() {
    let fingerprint = |more: &Value| policy(&rule(more)).file_grants().next().unwrap().fingerprint;
    let first = json!({ "uses": 3 });
    assert_eq!(fingerprint(&first), fingerprint(&first));
    for other in [
        json!({ "uses": 4 }),
        json!({ "uses": 3, "tools": ["Fetch"] }),
        json!({ "uses": 3, "until": "2027-01-31T18:00:00Z" }),
        json!({ "uses": 3, "roles": ["owner"] }),
        json!({ "uses": 3, "channels": ["team"] }),
        json!({ "uses": 3, "when": [{ "at": "/x", "equals": 1 }] }),
        json!({ "uses": 3, "comment": "again" }),
    ] {
        assert_ne!(fingerprint(&first), fingerprint(&other), "{other}");
    }
    // Written in another order it is the same rule.
    let turned =
        r#"{ "rules": [{ "uses": 3, "tools": ["Fetch", "api_.*"], "effect": "allow", "id": "r" }] }"#;
    let turned: Value = serde_json::from_str(turned).unwrap();
    assert_eq!(
        fingerprint(&first),
        policy(&turned).file_grants().next().unwrap().fingerprint
    );
}
