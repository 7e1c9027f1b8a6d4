use proptest::prelude::*;
use serde_json::json;

use super::*;

fn digest(tool: &str, input: &Value) -> Digest {
    ToolCall::new(tool, input.clone()).digest()
}

/// Any JSON with few keys and texts, so that two of them are often nearly alike.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2i64..3).prop_map(Value::from),
        prop::sample::select(vec![0.5, 1.0, 2.0]).prop_map(Value::from),
        "[ab\":,{}\\[\\]]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[ab]{0,2}", inner), 0..3).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

/// The value with the keys of every object put in the other way around.
fn turned(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(turned).collect(),
        Value::Object(values) => {
            let pairs: Vec<_> = values
                .iter()
                .map(|(key, value)| (key.clone(), turned(value)))
                .collect();
            pairs.into_iter().rev().collect()
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn two_calls_have_one_digest_only_if_they_are_one(
        tool in "[ab]{0,2}", input in any_value(), other_tool in "[ab]{0,2}", other in any_value(),
    ) {
        let same = tool == other_tool && input == other;
        prop_assert_eq!(digest(&tool, &input) == digest(&other_tool, &other), same);
    }

    #[test]
    fn the_order_of_keys_counts_for_nothing(input in any_value()) {
        prop_assert_eq!(digest("Tool", &input), digest("Tool", &turned(&input)));
    }

    #[test]
    fn a_change_anywhere_is_another_call(input in any_value(), more in "[a-z]{1,3}") {
        let before = digest("Tool", &input);
        prop_assert_ne!(before, digest(&format!("Tool{more}"), &input));
        prop_assert_ne!(before, digest("Tool", &json!([input])));
        prop_assert_ne!(before, digest("Tool", &json!({ (more): input })));
    }
}

#[test]
fn borders_cannot_be_moved() {
    for (one, other) in [
        (digest("ab", &json!("c")), digest("a", &json!("bc"))),
        (digest("", &json!("ab")), digest("ab", &json!(""))),
        (digest("t", &json!(["ab"])), digest("t", &json!(["a", "b"]))),
        (digest("t", &json!([[1], 2])), digest("t", &json!([[1, 2]]))),
        (
            digest("t", &json!({ "a": 1, "b": 2 })),
            digest("t", &json!({ "a": { "b": 2 } })),
        ),
        (digest("t", &json!({ "a": "b" })), digest("t", &json!(["a", "b"]))),
        (digest("t", &json!(1)), digest("t", &json!("1"))),
        (digest("t", &json!(1)), digest("t", &json!(1.0))),
        (digest("t", &json!(1)), digest("t", &json!(true))),
        (digest("t", &json!(null)), digest("t", &json!({}))),
        (digest("t", &json!({})), digest("t", &json!([]))),
        (digest("t", &json!({ "a": null })), digest("t", &json!({}))),
    ] {
        assert_ne!(one, other);
    }
}

/// Digests are stored. The same bytes, put together by Python's `struct` and `hashlib`.
#[test]
fn the_digest_of_a_call_stays_what_it_is() {
    let call = ToolCall::new("Bash", json!({ "timeout": 5, "command": "ls" }));
    assert_eq!(
        call.digest().to_string(),
        "d3b14df3a99116bffcc1fd69503cfb2bfd5f0cf3c2ee798ac0775d95a02df6c1"
    );
}

#[test]
fn deep_arguments_have_a_digest() {
    let nested = |depth| (0..depth).fold(json!(1), |value, _| Value::Array(vec![value]));
    assert_ne!(digest("Tool", &nested(2000)), digest("Tool", &nested(2001)));
}
