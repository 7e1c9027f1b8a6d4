//! A value that people write as text, kept as it was written beside what it means.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
    ser::SerializeStruct,
};

/// What can be read from text.
pub(crate) trait FromText: Sized {
    /// What the text is, for the JSON Schema.
    const SCHEMA: &'static str;

    /// Reads it, or says why not.
    fn from_text(text: &str) -> Result<Self, String>;
}

/// A value and its text. Two are equal if they were written alike.
#[derive(Clone, Debug)]
pub(crate) struct Written<T> {
    pub(crate) text: String,
    pub(crate) value: T,
}

/// An entry of a list: the text alone, or an object with a comment beside it.
#[derive(Clone, Debug)]
pub(crate) struct Entry<T> {
    pub(crate) pattern: Written<T>,
    comment: Option<String>,
}

/// Reads text where it stands, so that the error has the place of the text and not of what follows it.
struct TextVisitor<T>(PhantomData<T>);

struct EntryVisitor<T>(PhantomData<T>);

struct ObjectVisitor<T>(PhantomData<T>);

/// Reads an object and nothing else: serde would also take a list, as fields in order.
pub(crate) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_map(ObjectVisitor(PhantomData))
}

// === impl Written ===

impl<T: FromText> Written<T> {
    fn read(text: &str) -> Result<Self, String> {
        Ok(Self {
            text: text.to_owned(),
            value: T::from_text(text)?,
        })
    }
}

impl<T> PartialEq for Written<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(to)
    }
}

impl<'de, T: FromText> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor(PhantomData))
    }
}

impl<T: FromText> Visitor<'_> for TextVisitor<T> {
    type Value = Written<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Written::read(text).map_err(E::custom)
    }
}

impl<T: FromText> JsonSchema for Written<T> {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": T::SCHEMA })
    }
}

// === impl Entry ===

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern && self.comment == other.comment
    }
}

impl<T> Serialize for Entry<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Some(comment) = &self.comment else {
            return self.pattern.serialize(to);
        };
        let mut entry = to.serialize_struct("Entry", 2)?;
        entry.serialize_field("pattern", &self.pattern)?;
        entry.serialize_field("comment", comment)?;
        entry.end()
    }
}

impl<'de, T: FromText> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(EntryVisitor(PhantomData))
    }
}

impl<'de, T: FromText> Visitor<'de> for EntryVisitor<T> {
    type Value = Entry<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or an object with `pattern` and `comment`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let pattern = Written::read(text).map_err(E::custom)?;
        Ok(Entry {
            pattern,
            comment: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, bound = "T: FromText")]
        struct Fields<T> {
            pattern: Written<T>,
            #[serde(default)]
            comment: Option<String>,
        }
        let Fields { pattern, comment } = Fields::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Entry { pattern, comment })
    }
}

impl<T: FromText> JsonSchema for Entry<T> {
    fn schema_name() -> Cow<'static, str> {
        "Entry".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = Written::<T>::json_schema(generator);
        json_schema!({
            "anyOf": [text, {
                "type": "object",
                "properties": { "pattern": text, "comment": { "type": ["string", "null"] } },
                "required": ["pattern"],
                "additionalProperties": false,
            }],
        })
    }
}

// === impl ObjectVisitor ===

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}
