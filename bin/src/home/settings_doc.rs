//! Writes `docs/settings.md` from the types that the settings are read into, and keeps it in step.

use std::{collections::BTreeMap, fs};

use kata_channel::settings::{Filter, SessionSettings, Settings};
use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use super::DaemonConfig;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/settings.md");

const HEAD: &str = "# Settings

This page is written from the code by a test: `UPDATE_DOCS=1 cargo test -p katad settings` writes it anew.

Everything is optional. A key that is not known is refused, with the nearest known one named: in `daemon.json` the daemon
says so and exits with 64, in a channel's `session` and `settings` that channel is refused and the others run. What else
stands in a channel's config is ignored. \"none\" means that there is no limit, or that nothing is set.
";

const DAEMON: &str = "## daemon.json

In the config directory. Read once, at start.
";

const CHANNEL: &str = "## A channel's config

In `<workspace>/channels/<slug>/config.json`, handed over by the host. A channel that changes restarts alone.
";

const COLUMNS: &str = "| key | type | default | what it does |
|---|---|---|---|
";

/// A schema, and the one whose definitions its references name.
#[derive(Clone, Copy)]
struct Node<'s> {
    root: &'s Value,
    schema: &'s Value,
}

// === impl Node ===

impl<'s> Node<'s> {
    /// What stands there in truth: `$ref` is followed, and an `anyOf` that only says "or null".
    fn at(self, schema: &'s Value) -> Self {
        let reference = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|r| r.strip_prefix('#'));
        let alternatives = schema.get("anyOf").and_then(Value::as_array);
        let real = alternatives.and_then(|all| all.iter().find(|s| s["type"] != "null"));
        match reference.and_then(|r| self.root.pointer(r)).or(real) {
            Some(schema) => self.at(schema),
            None => Self { schema, ..self },
        }
    }

    /// The values that are allowed, where they can be counted, each with its own words.
    fn choices(self) -> Vec<(&'s Value, Option<&'s str>)> {
        let plain = self
            .schema
            .get("enum")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let described = self
            .schema
            .get("oneOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let described = described.map(|one| (&one["const"], one["description"].as_str()));
        plain
            .map(|value| (value, None))
            .chain(described)
            .filter(|(value, _)| !value.is_null())
            .collect()
    }

    fn kind(self) -> String {
        let choices: Vec<String> = self
            .choices()
            .into_iter()
            .map(|(value, _)| value.to_string())
            .collect();
        if !choices.is_empty() {
            return choices.join(" or ");
        }
        let kind = match &self.schema["type"] {
            Value::Array(kinds) => kinds
                .iter()
                .filter_map(Value::as_str)
                .find(|kind| *kind != "null"),
            kind => kind.as_str(),
        };
        match kind {
            Some("array") => format!("{}[]", self.at(&self.schema["items"]).kind()),
            kind => kind.unwrap_or("any").to_owned(),
        }
    }

    /// What a key is for: its own words, else those of its type, then those of its values.
    fn what(self, property: &Value) -> String {
        let own = property
            .get("description")
            .or_else(|| self.schema.get("description"));
        let own = own.and_then(Value::as_str).unwrap_or_default().to_owned();
        let values = self
            .choices()
            .into_iter()
            .filter_map(|(value, words)| Some(format!("{value}: {}", words?)));
        std::iter::once(own)
            .chain(values)
            .collect::<Vec<_>>()
            .join(" ")
            .replace('\n', " ")
    }

    /// A line for each key of an object, by name, and for the keys of objects in it.
    fn lines(self, prefix: &str, defaults: &Value, lines: &mut Vec<String>) {
        let keys: BTreeMap<_, _> = self.schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .collect();
        for (key, property) in keys {
            let mut inner = self.at(property);
            let mut path = format!("{prefix}{key}");
            let default = property.get("default").unwrap_or(&defaults[key]);
            // A map from names of the user's.
            if inner.schema["additionalProperties"].is_object() {
                inner = self.at(&inner.schema["additionalProperties"]);
                path.push_str(".<name>");
            }
            if inner.schema["properties"].is_object() {
                inner.lines(&format!("{path}."), default, lines);
            } else {
                lines.push(line(&path, &inner.kind(), default, &inner.what(property)));
            }
        }
    }
}

fn line(key: &str, kind: &str, default: &Value, what: &str) -> String {
    let default = match default {
        Value::Null => "none".to_owned(),
        Value::Object(names) if names.is_empty() => "none".to_owned(),
        default => format!("`{default}`"),
    };
    let cell = |text: &str| text.replace('|', "\\|");
    format!(
        "| `{key}` | {} | {} | {} |\n",
        cell(kind),
        cell(&default),
        cell(what)
    )
}

fn lines<T: JsonSchema>(prefix: &str) -> String {
    let root = schema_for!(T).to_value();
    let mut lines = Vec::new();
    Node {
        root: &root,
        schema: &root,
    }
    .lines(prefix, &Value::Null, &mut lines);
    lines.concat()
}

#[test]
fn the_page_of_settings_says_what_the_code_reads() {
    let daemon = [COLUMNS, &lines::<DaemonConfig>("")].concat();
    let (filter, session) = (lines::<Filter>("filter."), lines::<SessionSettings>("session."));
    let channel = [COLUMNS, &filter, &session, &lines::<Settings>("settings.")].concat();
    let page = [HEAD, DAEMON, &daemon, CHANNEL, &channel].join("\n");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "docs/settings.md is not what the code reads; run this test with UPDATE_DOCS=1"
    );
}
