//! Who a broken line was, as far as it can be read.

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// The names that an error about a line may repeat.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) command_type: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Names {
    /// Reads a line's names up to where it stops being JSON. A line may be cut off, or hold bytes that are no text.
    pub(super) fn read(line: &[u8]) -> Self {
        let mut names = Self::default();
        // The error is known already, or it is this one: what was read before it is what can be read.
        let _ = serde_json::Deserializer::from_slice(line).deserialize_map(&mut names);
        names
    }
}

impl<'de> Visitor<'de> for &mut Names {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "type" => self.command_type = string(fields.next_value()?),
                "requestId" => self.request_id = string(fields.next_value()?),
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
