use proptest::prelude::*;
use serde_json::json;

use super::*;

fn denies(values: &Value, argument: &Value) -> Truth {
    is_one_of(values.as_array().unwrap(), argument, Stance::Restricts)
}

#[test]
fn what_denies_takes_a_value_in_every_form() {
    for (values, argument, expect) in [
        (json!([1]), json!(1), Truth::Yes),
        (json!([1]), json!(1.0), Truth::Yes),
        (json!([1.0]), json!(1), Truth::Yes),
        (json!([0]), json!(-0.0), Truth::Yes),
        (json!([[1, { "a": 2 }]]), json!([1.0, { "a": 2.0 }]), Truth::Yes),
        (json!([1]), json!("1"), Truth::Unknown),
        (json!(["1"]), json!(1), Truth::Unknown),
        (json!([true]), json!("true"), Truth::Unknown),
        (json!(["prod"]), json!(["prod"]), Truth::Unknown),
        (json!(["prod"]), json!({ "x": [{ "y": "prod" }] }), Truth::Unknown),
        // Of another kind, whatever it is.
        (json!(["prod"]), json!(7), Truth::Unknown),
        (json!(["prod"]), json!(null), Truth::Unknown),
        (json!(["prod"]), json!([]), Truth::Unknown),
        (json!(["prod"]), json!("staging"), Truth::No),
        (json!([1]), json!(2), Truth::No),
        (json!([1]), json!(1.5), Truth::No),
        (json!([true]), json!(false), Truth::No),
        (json!([]), json!(1), Truth::No),
    ] {
        assert_eq!(denies(&values, &argument), expect, "{argument} for {values}");
    }
}

/// Values of several kinds: an argument of one of these kinds is no doubt by its kind alone.
#[test]
fn what_reads_as_a_value_of_another_kind_is_a_doubt() {
    let values = json!(["prod", 1, null, ["a"]]);
    for argument in [
        json!("1"),
        json!(" 1.0 "),
        json!("+1"),
        json!("NULL"),
        json!(["prod"]),
        json!([["x", ["1"]]]),
        json!(["b", "a"]),
        json!(true),
    ] {
        assert_eq!(denies(&values, &argument), Truth::Unknown, "{argument}");
    }
    for argument in [json!("staging"), json!(2), json!("2"), json!(["b"]), json!([])] {
        assert_eq!(denies(&values, &argument), Truth::No, "{argument}");
    }
}

#[test]
fn what_is_added_to_a_value_is_a_doubt() {
    for (values, argument, expect) in [
        (
            json!([{ "env": "prod" }]),
            json!({ "env": "prod", "x": 1 }),
            Truth::Unknown,
        ),
        (json!([{ "env": "prod" }]), json!({ "env": "staging" }), Truth::No),
        (json!([["a", "b"]]), json!(["b", "a"]), Truth::Unknown),
        (json!([["a", "b"]]), json!(["a"]), Truth::No),
        (json!([[]]), json!(["a"]), Truth::No),
        (json!([{}]), json!({ "a": 1 }), Truth::No),
    ] {
        assert_eq!(denies(&values, &argument), expect, "{argument} for {values}");
    }
}

#[test]
fn a_deep_argument_is_followed_without_the_stack() {
    let deep = (0..5_000).fold(json!("prod"), |value, _| Value::Array(vec![value]));
    assert_eq!(denies(&json!([["prod"]]), &deep), Truth::Unknown);
    assert_eq!(denies(&json!([["test"]]), &deep), Truth::No);
}

fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-9i64..9).prop_map(Value::from),
        any::<f64>()
            .prop_filter("a number of JSON", |number| number.is_finite())
            .prop_map(Value::from),
        "[a-z0-9 ]{0,4}".prop_map(Value::from),
    ]
}

/// The value as another may write it, or with something around it.
fn disguised(value: Value) -> impl Strategy<Value = Value> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let float = value
        .as_i64()
        .filter(|number| number.abs() < 1 << 53)
        .map_or(value.clone(), |number| json!(number as f64));
    let plain = prop::sample::select(vec![value, json!(text), float]);
    plain.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (any_scalar(), inner.clone()).prop_map(|(other, inner)| json!([other, inner])),
            ("[a-z]{1,3}", inner).prop_map(|(key, inner)| json!({ "a": 1, (key): inner })),
        ]
    })
}

proptest! {
    #[test]
    fn no_disguise_gets_past_what_denies(
        (value, disguise) in any_scalar().prop_flat_map(|value| (Just(value.clone()), disguised(value))),
        others in prop::collection::vec(any_scalar(), 0..4),
    ) {
        let values: Vec<Value> = others.into_iter().chain([value]).collect();
        prop_assert_ne!(is_one_of(&values, &disguise, Stance::Restricts), Truth::No);
    }

    #[test]
    fn another_value_of_the_kind_is_let_past(value in any_scalar(), other in any_scalar()) {
        prop_assume!(mem::discriminant(&value) == mem::discriminant(&other));
        let truth = is_one_of(std::slice::from_ref(&value), &other, Stance::Restricts);
        prop_assert_eq!(truth, Truth::from(is_same(&value, &other)));
    }

    #[test]
    fn what_allows_is_that_very_value(values in prop::collection::vec(any_scalar(), 0..4), argument in any_scalar()) {
        let truth = is_one_of(&values, &argument, Stance::Grants);
        prop_assert_eq!(truth, Truth::from(values.contains(&argument)));
    }

    #[test]
    fn numbers_are_ordered_by_what_they_come_to(one in any::<i32>(), other in any::<i32>()) {
        let forms = |number: i32| [Number::from(number), Number::from_f64(f64::from(number)).unwrap()];
        for one_form in forms(one) {
            for other_form in forms(other) {
                prop_assert_eq!(compare(&one_form, &other_form), one.cmp(&other));
            }
        }
    }
}
