//! A tool's input schema, compiled when it is needed; and where an input does not fit it, without a word of what stands in the input.

use std::{fmt, sync::OnceLock};

use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

/// A place in an input is named up to this length: an input may have keys of any length.
const PLACE_CHARS: usize = 200;

/// Validates inputs.
pub(crate) struct InputSchema {
    schema: Value,
    /// Made at the first input: most tools are never called, and no start needs to wait for them.
    validator: OnceLock<Result<Validator, SchemaError>>,
}

/// Why a schema cannot validate inputs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// MCP takes objects alone.
    #[error("its input schema does not say \"type\": \"object\"")]
    NotAnObject,
    /// It is no JSON Schema, or refers to something that it does not hold.
    #[error("its input schema does not compile: {0}")]
    DoesNotCompile(String),
}

/// Where an input does not fit, and what is expected there. Holds nothing of the input but the keys that lead there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// A JSON pointer; empty for the input itself.
    pub place: String,
    /// What is expected.
    pub expected: String,
}

// === impl InputSchema ===

impl InputSchema {
    pub(crate) fn new(schema: &Value) -> Result<Self, SchemaError> {
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(SchemaError::NotAnObject);
        }
        Ok(Self {
            schema: schema.clone(),
            validator: OnceLock::new(),
        })
    }

    /// Its validator, which is made now if it is not made yet.
    pub(crate) fn compiled(&self) -> Result<&Validator, &SchemaError> {
        let compile = || {
            // Offline: a schema that names an address would have the daemon call it.
            jsonschema::options()
                .offline()
                .build(&self.schema)
                .map_err(|error| SchemaError::DoesNotCompile(error.to_string()))
        };
        self.validator.get_or_init(compile).as_ref()
    }

    /// What cannot be checked does not fit.
    pub(crate) fn check(&self, input: &Value) -> Result<(), Misfit> {
        let validator = self.compiled().map_err(|problem| Misfit {
            place: String::new(),
            expected: format!("no input can be checked: {problem}"),
        })?;
        validator.validate(input).map_err(|error| self.misfit(&error))
    }

    fn misfit(&self, error: &ValidationError<'_>) -> Misfit {
        let place = error.instance_path().as_str();
        Misfit {
            place: place.escape_debug().take(PLACE_CHARS).collect(),
            expected: self.expected(error),
        }
    }

    /// In our own words: those of the library show the value.
    fn expected(&self, error: &ValidationError<'_>) -> String {
        match error.kind() {
            Kind::Type {
                kind: TypeKind::Single(wanted),
            } => format!("expected {wanted}"),
            Kind::Type {
                kind: TypeKind::Multiple(wanted),
            } => {
                let wanted: Vec<_> = wanted.iter().map(|one| one.to_string()).collect();
                format!("expected {}", wanted.join(" or "))
            }
            Kind::Required { property } => format!("the property {property} is missing"),
            Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => self.only_known(error),
            Kind::Enum { options } => format!("expected one of {options}"),
            Kind::Constant { expected_value } => format!("expected {expected_value}"),
            Kind::Pattern { pattern } => format!("expected a text that matches {pattern}"),
            Kind::Format { format } => format!("expected a text of the format {format}"),
            Kind::MinLength { limit } => format!("expected at least {limit} characters"),
            Kind::MaxLength { limit } => format!("expected at most {limit} characters"),
            Kind::MinItems { limit } => format!("expected at least {limit} items"),
            Kind::MaxItems { limit } => format!("expected at most {limit} items"),
            Kind::Minimum { limit } => format!("expected at least {limit}"),
            Kind::Maximum { limit } => format!("expected at most {limit}"),
            Kind::ExclusiveMinimum { limit } => format!("expected more than {limit}"),
            Kind::ExclusiveMaximum { limit } => format!("expected less than {limit}"),
            Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
                "expected one of the alternatives in the schema".to_owned()
            }
            kind => format!("the schema's {:?} does not hold", kind.keyword()),
        }
    }

    /// An unknown property is not repeated: somebody may have put a secret where a name belongs. Those that are known
    /// stand in the schema.
    fn only_known(&self, error: &ValidationError<'_>) -> String {
        let place = error.schema_path().as_str();
        let object = place.rsplit_once('/').map_or("", |(object, _)| object);
        let known = self.schema.pointer(&format!("{object}/properties"));
        let mut names: Vec<_> = known
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|known| known.keys().map(String::as_str))
            .collect();
        // In which order an object's keys come hangs on who else is built.
        names.sort_unstable();
        if names.is_empty() {
            "a property is not known".to_owned()
        } else {
            format!("a property is not known; known are {}", names.join(", "))
        }
    }
}

// === impl Misfit ===

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.expected)
        } else {
            write!(f, "at {}: {}", self.place, self.expected)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> InputSchema {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": {"type": "string", "pattern": "^[a-z_]+$", "maxLength": 20},
                "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 100},
                "mode": {"enum": ["thread", "channel"]},
                "blocks": {"type": "array", "maxItems": 2, "items": {
                    "type": "object",
                    "properties": {"type": {"const": "section"}},
                    "additionalProperties": false,
                }},
            },
            "required": ["name"],
            "additionalProperties": false,
        });
        InputSchema::new(&schema).unwrap()
    }

    fn check(input: &Value, says: &str) {
        assert_eq!(schema().check(input).unwrap_err().to_string(), says, "{input}");
    }

    #[test]
    fn what_fits_passes() {
        let input = json!({"name": "eyes", "limit": null, "mode": "thread", "blocks": [{"type": "section"}]});
        assert_eq!(schema().check(&input), Ok(()));
    }

    #[test]
    fn nothing_fits_a_schema_that_does_not_compile() {
        let schema = InputSchema::new(&json!({"type": "object", "minProperties": "one"})).unwrap();
        let misfit = schema.check(&json!({})).unwrap_err().to_string();
        assert!(
            misfit.starts_with("no input can be checked: its input schema does not compile"),
            "{misfit}"
        );
    }

    #[test]
    fn a_misfit_names_the_place_and_what_is_expected_there() {
        check(&json!({}), "the property \"name\" is missing");
        check(&json!([]), "expected object");
        check(&json!({"name": 7}), "at /name: expected string");
        check(
            &json!({"name": "No!"}),
            "at /name: expected a text that matches ^[a-z_]+$",
        );
        check(
            &json!({"name": "a".repeat(21)}),
            "at /name: expected at most 20 characters",
        );
        check(
            &json!({"name": "a", "limit": "x"}),
            "at /limit: expected null or integer",
        );
        check(
            &json!({"name": "a", "limit": 101}),
            "at /limit: expected at most 100",
        );
        check(
            &json!({"name": "a", "mode": "x"}),
            "at /mode: expected one of [\"thread\",\"channel\"]",
        );
        check(
            &json!({"name": "a", "blocks": [{}, {}, {}]}),
            "at /blocks: expected at most 2 items",
        );
        check(
            &json!({"name": "a", "blocks": [{}, {"type": "x"}]}),
            "at /blocks/1/type: expected \"section\"",
        );
        check(
            &json!({"name": "a", "blocks": [{"x": 1}]}),
            "at /blocks/0: a property is not known; known are type",
        );
        check(
            &json!({"name": "a", "nmae": 1}),
            "a property is not known; known are blocks, limit, mode, name",
        );
    }

    #[test]
    fn a_misfit_says_nothing_of_what_stands_in_the_input() {
        let secret = "xoxb-1234567890";
        let inputs = [
            json!(secret),
            json!([secret]),
            json!({ secret: 1 }),
            json!({"name": secret}),
            json!({"name": [secret]}),
            json!({"name": "a", "limit": secret}),
            json!({"name": "a", "mode": secret}),
            json!({"name": "a", "blocks": secret}),
            json!({"name": "a", "blocks": [{"type": secret}]}),
            json!({"name": "a", "blocks": [{secret: secret}]}),
        ];
        for input in inputs {
            let misfit = schema().check(&input).unwrap_err();
            assert!(!format!("{misfit} {misfit:?}").contains("xoxb"), "{misfit}");
        }
    }
}
