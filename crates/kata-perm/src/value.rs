//! Whether an argument is a value that a rule names.

use std::{cmp::Ordering, mem};

use serde_json::{Number, Value};

use crate::stance::{Stance, Truth};

/// Whether an argument is one of these values. Where a match allows, it is that very value. Else numbers are compared by what
/// they come to, and it cannot be told of a value of a kind that none of them has, nor of one that holds, or reads as, one of
/// them: tools take `"1"` for `1`, and `["prod"]` for `"prod"`.
pub(crate) fn is_one_of(values: &[Value], argument: &Value, stance: Stance) -> Truth {
    match stance {
        Stance::Grants => values.contains(argument).into(),
        Stance::Restricts if values.iter().any(|value| is_same(argument, value)) => Truth::Yes,
        Stance::Restricts if values.is_empty() => Truth::No,
        Stance::Restricts => {
            let is_of_kind = |value: &Value| mem::discriminant(value) == mem::discriminant(argument);
            let holds = || Parts::of(argument).any(|part| values.iter().any(|value| reads_as(part, value)));
            if values.iter().any(is_of_kind) && !holds() {
                Truth::No
            } else {
                Truth::Unknown
            }
        }
    }
}

/// Orders numbers by what they come to. Whole ones are compared as such: the largest are not exact in floating point.
pub(crate) fn compare(one: &Number, other: &Number) -> Ordering {
    if let (Some(one), Some(other)) = (whole(one), whole(other)) {
        return one.cmp(&other);
    }
    let float = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
    float(one).total_cmp(&float(other))
}

/// The number as a whole one, if it is: `1.0` is 1, and `-0.0` is 0.
fn whole(number: &Number) -> Option<i128> {
    number.as_i128().or_else(|| {
        let float = number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 1e38)?;
        Some(float as i128)
    })
}

/// Goes no deeper than `value`, which a person wrote.
fn is_same(argument: &Value, value: &Value) -> bool {
    match (argument, value) {
        (Value::Number(argument), Value::Number(value)) => compare(argument, value).is_eq(),
        (Value::Array(arguments), Value::Array(values)) => {
            arguments.len() == values.len() && arguments.iter().zip(values).all(|(a, v)| is_same(a, v))
        }
        (Value::Object(arguments), Value::Object(values)) => {
            let is_there =
                |(key, value): (&String, &Value)| arguments.get(key).is_some_and(|a| is_same(a, value));
            arguments.len() == values.len() && values.iter().all(is_there)
        }
        _ => argument == value,
    }
}

/// Whether some tool may take the argument for the value: it is written as another kind, or has more in it. Goes no deeper
/// than `value`.
fn reads_as(argument: &Value, value: &Value) -> bool {
    match (argument, value) {
        (Value::Array(arguments), Value::Array(values)) => {
            let is_there = |value: &Value| arguments.iter().any(|argument| reads_as(argument, value));
            !values.is_empty() && values.iter().all(is_there)
        }
        (Value::Object(arguments), Value::Object(values)) => {
            let is_there =
                |(key, value): (&String, &Value)| arguments.get(key).is_some_and(|a| reads_as(a, value));
            !values.is_empty() && values.iter().all(is_there)
        }
        // Texts are compared as they are written.
        (Value::String(argument), Value::String(value)) => argument == value,
        _ => {
            let numbers = number(argument).zip(number(value));
            let words = word(argument).zip(word(value));
            numbers.is_some_and(|(one, other)| one == other)
                || words.is_some_and(|(one, other)| one.eq_ignore_ascii_case(&other))
        }
    }
}

/// What it comes to where a number is wanted.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(is_true) => Some(f64::from(u8::from(*is_true))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// How it is written where a word is wanted.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Array(_) | Value::Object(_) => None,
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
    }
}

/// A value and all that is in it. Keeps a list of its own, since values may be nested more deeply than the stack is.
struct Parts<'v>(Vec<&'v Value>);

// === impl Parts ===

impl<'v> Parts<'v> {
    fn of(value: &'v Value) -> Self {
        Self(vec![value])
    }
}

impl<'v> Iterator for Parts<'v> {
    type Item = &'v Value;

    fn next(&mut self) -> Option<&'v Value> {
        let next = self.0.pop()?;
        match next {
            Value::Array(values) => self.0.extend(values),
            Value::Object(values) => self.0.extend(values.values()),
            _ => {}
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests;
