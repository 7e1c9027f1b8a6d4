//! The protocol's own schema, as a judge of messages.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// As published; `fixtures/acp/SOURCE.md` says where.
const SCHEMA: &str = include_str!("../../fixtures/acp/schema.json");

/// Which end of the connection serves a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Served {
    /// The agent: the client sends the request.
    ByAgent,
    /// The client: the agent sends it.
    ByClient,
}

/// A part of a method's exchange that has a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The parameters of a request or a notification.
    Params,
    /// What a request is answered with.
    Result,
}

/// Knows the shape of each message.
#[derive(Debug)]
pub(crate) struct Schema {
    definitions: Map<String, Value>,
    names: BTreeMap<(Served, String, Part), String>,
    /// Made when they are first needed: an agent's life is short, and most methods never come.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

// === impl Schema ===

impl Schema {
    /// Reads the schema.
    ///
    /// # Panics
    /// If the file that is compiled in is no schema.
    pub(crate) fn new() -> Self {
        let mut schema: Value = serde_json::from_str(SCHEMA).expect("the published schema is JSON");
        let Value::Object(definitions) = schema["$defs"].take() else {
            unreachable!("the published schema has definitions")
        };
        let names = definitions.iter().flat_map(names).collect();
        Self {
            definitions,
            names,
            validators: Mutex::default(),
        }
    }

    /// Whether that end serves `method`.
    pub(crate) fn knows(&self, served: Served, method: &str) -> bool {
        let key = (served, method.to_owned(), Part::Params);
        self.names.contains_key(&key)
    }

    /// Holds a message against its definition; the error says what is wrong and where.
    pub(crate) fn check(
        &self,
        served: Served,
        method: &str,
        part: Part,
        message: &Value,
    ) -> Result<(), String> {
        let key = (served, method.to_owned(), part);
        let name = self
            .names
            .get(&key)
            .ok_or_else(|| format!("{method} is no method of the protocol"))?;
        match self.validator(name).iter_errors(message).next() {
            None => Ok(()),
            Some(error) => Err(format!(
                "{method}: {error} (at {:?})",
                error.instance_path().as_str()
            )),
        }
    }

    fn validator(&self, name: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let made = validators
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(self.compile(name)));
        Arc::clone(made)
    }

    /// With the definitions that it needs alone: all of them together take ten times as long.
    fn compile(&self, name: &str) -> Validator {
        let mut needed = BTreeSet::new();
        self.closure(name, &mut needed);
        let definitions: Map<String, Value> = needed
            .into_iter()
            .map(|name| (name.to_owned(), self.definitions[name].clone()))
            .collect();
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": definitions,
            "$ref": format!("#/$defs/{name}"),
        });
        jsonschema::validator_for(&schema).expect("the published schema is valid")
    }

    fn closure<'s>(&'s self, name: &str, needed: &mut BTreeSet<&'s str>) {
        let Some((name, definition)) = self.definitions.get_key_value(name) else {
            return;
        };
        if needed.insert(name) {
            references(definition, &mut |target| self.closure(target, needed));
        }
    }
}

/// What a definition is the shape of: the schema says it in `x-side` and `x-method`.
fn names((name, definition): (&String, &Value)) -> Vec<((Served, String, Part), String)> {
    let Some(method) = definition["x-method"].as_str() else {
        return Vec::new();
    };
    let part = if name.ends_with("Response") {
        Part::Result
    } else {
        Part::Params
    };
    let served: &[Served] = match definition["x-side"].as_str() {
        Some("agent") => &[Served::ByAgent],
        Some("client") => &[Served::ByClient],
        _ => &[Served::ByAgent, Served::ByClient],
    };
    let named = |served: &Served| ((*served, method.to_owned(), part), name.clone());
    served.iter().map(named).collect()
}

fn references<'v>(value: &'v Value, found: &mut impl FnMut(&'v str)) {
    match value {
        Value::Object(fields) => {
            let target = fields.get("$ref").and_then(Value::as_str);
            if let Some(name) = target.and_then(|t| t.strip_prefix("#/$defs/")) {
                found(name);
            }
            fields.values().for_each(|v| references(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}
