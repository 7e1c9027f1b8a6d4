//! Reading a frame's fields: lenient where JavaScript is, exact about what is wrong, silent about values.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, Unexpected, Visitor},
};
use serde_json::Value;
use std::{fmt, marker::PhantomData};

/// A field that is missing or holds something else than it should.
///
/// Says where and what was expected. It never holds what was found: that may be a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", Place(path))]
pub struct Mismatch {
    path: String,
    problem: String,
}

impl Mismatch {
    /// Where it is, as in `workspaces[0].tokens`; empty for the frame itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn missing(field: &str) -> Self {
        Self {
            path: String::new(),
            problem: format!("missing field `{field}`"),
        }
    }

    pub(crate) fn not_a_string(field: &str) -> Self {
        Self {
            path: field.to_owned(),
            problem: "expected a string".to_owned(),
        }
    }

    #[cfg(unix)]
    pub(crate) fn not_json() -> Self {
        Self {
            path: String::new(),
            problem: "the line is not JSON".to_owned(),
        }
    }

    fn new(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let path = match error.path().to_string() {
            root if root == "." => String::new(),
            path => path,
        };
        Self {
            path,
            problem: without_values(&error.inner().to_string()),
        }
    }
}

struct Place<'a>(&'a str);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, "`{}`: ", self.0)
        }
    }
}

/// What serde says about a value, less the value. Serde puts what it found first and what was expected, which is
/// text of the program, last.
fn without_values(message: &str) -> String {
    if let Some((_, expected)) = message.rsplit_once(", expected ") {
        let expected = if expected.starts_with("struct ") || expected == "a map" {
            "an object"
        } else {
            expected
        };
        return format!(
            "expected {}",
            if expected == "a sequence" {
                "an array"
            } else {
                expected
            }
        );
    }
    if message.starts_with("missing field `") {
        return message.to_owned();
    }
    "cannot be read".to_owned()
}

/// Reads `T` out of a JSON value. What is wrong is named with its path.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Mismatch> {
    serde_path_to_error::deserialize(value).map_err(|e| Mismatch::new(&e))
}

/// `null` is absent, for fields that have a default instead of an `Option`.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An integer, which JavaScript may write as `12.0` or `1.2e1`.
pub(crate) fn integer<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    deserializer.deserialize_any(Integer(PhantomData))
}

/// As [`integer`]; absent and `null` are none.
pub(crate) fn optional_integer<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    deserializer.deserialize_option(OptionalInteger(PhantomData))
}

struct Integer<T>(PhantomData<T>);

impl<T: TryFrom<i64>> Visitor<'_> for Integer<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer in range")
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<T, E> {
        T::try_from(n).map_err(|_| E::invalid_value(Unexpected::Signed(n), &self))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<T, E> {
        i64::try_from(n)
            .ok()
            .and_then(|n| T::try_from(n).ok())
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(n), &self))
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<T, E> {
        // Beyond 2^53 a double no longer tells neighbouring integers apart: such an id may be another row's.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if n.fract() == 0.0 && n.abs() <= EXACT {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole and within 2^53, as checked above"
            )]
            return self.visit_i64(n as i64);
        }
        Err(E::invalid_value(Unexpected::Float(n), &self))
    }
}

struct OptionalInteger<T>(PhantomData<T>);

impl<'de, T: TryFrom<i64>> Visitor<'de> for OptionalInteger<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer in range")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        integer(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    struct Row {
        #[serde(deserialize_with = "integer")]
        id: i64,
        #[serde(default, deserialize_with = "optional_integer")]
        limit: Option<u32>,
    }

    #[test]
    fn a_mismatch_names_the_place_and_not_the_value() {
        #[derive(Debug, Deserialize)]
        struct Outer {
            #[expect(dead_code, reason = "only read to fail")]
            rows: Vec<Row>,
        }
        let error =
            read::<Outer>(json!({"rows": [{"id": 1}, {"id": "xoxb-1, expected a lot"}]})).unwrap_err();
        assert_eq!(error.to_string(), "`rows[1].id`: expected an integer in range");
        let error = read::<Outer>(json!({"rows": [{}]})).unwrap_err();
        assert_eq!(error.to_string(), "`rows[0]`: missing field `id`");
        let error = read::<Outer>(json!({"rows": {}})).unwrap_err();
        assert_eq!(error.to_string(), "`rows`: expected an array");
    }

    #[test]
    fn a_number_out_of_range_or_with_a_fraction_is_refused() {
        for id in [
            json!(1.5),
            json!(1e300),
            json!(u64::MAX),
            json!(9_007_199_254_740_994.0),
            json!(true),
        ] {
            assert!(read::<Row>(json!({"id": id})).is_err(), "{id}");
        }
        assert!(read::<Row>(json!({"id": 1, "limit": -1})).is_err());
    }

    #[test]
    fn an_optional_integer_that_is_null_is_absent() {
        let row: Row = read(json!({"id": 7.0, "limit": null})).unwrap();
        assert_eq!((row.id, row.limit), (7, None));
        assert_eq!(
            read::<Row>(json!({"id": 7, "limit": 20.0})).unwrap().limit,
            Some(20)
        );
    }

    proptest! {
        #[test]
        fn a_whole_number_reads_the_same_with_and_without_a_point(n in -9_007_199_254_740_992_i64..=9_007_199_254_740_992) {
            for text in [format!(r#"{{"id":{n}}}"#), format!(r#"{{"id":{n}.0}}"#)] {
                let row: Row = read(serde_json::from_str(&text).unwrap()).unwrap();
                prop_assert_eq!(row.id, n);
            }
        }
    }
}
