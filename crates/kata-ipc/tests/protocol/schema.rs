//! The JSON Schema of the whole protocol, kept in step with the types.

use kata_ipc::{Command, Outgoing, Request};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, fs, path::Path};

/// A line of either way: what we read is described as we read it, what we write as we write it.
fn protocol() -> Value {
    let mut read = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let request = read.subschema_for::<Request>();
    let mut written = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let outgoing = written.subschema_for::<Outgoing>();
    let mut definitions: Map<String, Value> = read.take_definitions(true).into_iter().collect();
    for (name, schema) in written.take_definitions(true) {
        let other = definitions.insert(name.clone(), schema.clone());
        assert!(
            other.is_none_or(|other| other == schema),
            "two types are called {name}"
        );
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The wire protocol between a Kata host and the daemon",
        "description": "A line is a command, host to daemon, or an event, daemon to host.",
        "oneOf": [request, outgoing],
        "$defs": definitions,
    })
}

#[test]
fn the_schema_is_in_step_with_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/protocol.schema.json");
    let schema = protocol();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, format!("{schema:#}\n")).unwrap();
    }
    let kept: Value = fs::read_to_string(&path)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    assert!(
        kept == schema,
        "run the tests with UPDATE_SCHEMA=1 and commit {}",
        path.display()
    );
}

fn types_of(definition: &str) -> BTreeSet<String> {
    let variants = protocol()["$defs"][definition]["oneOf"]
        .as_array()
        .unwrap()
        .clone();
    variants
        .iter()
        .map(|variant| {
            variant["properties"]["type"]["const"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[test]
fn every_event_has_a_snapshot() {
    assert_eq!(types_of("Outgoing"), crate::events::names());
}

#[test]
fn the_schema_names_every_command() {
    assert_eq!(
        types_of("Request"),
        Command::NAMES.iter().map(|&name| name.to_owned()).collect()
    );
}
