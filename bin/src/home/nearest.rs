//! Unknown keys, found by comparing JSON with the schema of the type it is read into, and the key that was
//! probably meant.

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

/// The first key in `value` that `T` does not know, as one sentence naming it and the nearest known one.
pub(crate) fn unknown_key<T: JsonSchema>(what: &str, value: &Value) -> Option<String> {
    let schema = schema_for!(T).to_value();
    let (path, known) = find(&schema, &schema, value, &mut Vec::new())?;
    let (parents, key) = path.split_at(path.len() - 1);
    let key = &key[0];
    let place = if parents.is_empty() {
        String::new()
    } else {
        format!(" in {:?}", parents.join("."))
    };
    Some(match nearest(key, &known) {
        Some(meant) => format!("{what}: unknown key {key:?}{place}; did you mean {meant:?}?"),
        None => format!(
            "{what}: unknown key {key:?}{place}; known are {}",
            known.join(", ")
        ),
    })
}

fn find(
    root: &Value,
    schema: &Value,
    value: &Value,
    path: &mut Vec<String>,
) -> Option<(Vec<String>, Vec<String>)> {
    let schema = resolve(root, schema);
    let fields = value.as_object()?;
    let properties = schema.get("properties").and_then(Value::as_object);
    // A map from names to objects of one type: every name is known.
    let others = schema.get("additionalProperties").filter(|s| s.is_object());
    if properties.is_none() && others.is_none() {
        return None;
    }
    for (key, inner) in fields {
        path.push(key.clone());
        match (properties.and_then(|p| p.get(key)), others) {
            (Some(known), _) | (None, Some(known)) => {
                if let Some(found) = find(root, known, inner, path) {
                    return Some(found);
                }
            }
            (None, None) => {
                let known = properties
                    .map(|p| p.keys().cloned().collect())
                    .unwrap_or_default();
                return Some((path.clone(), known));
            }
        }
        path.pop();
    }
    None
}

/// Follows `$ref`, and an `anyOf` that only says "or null".
fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    if let Some(pointer) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|r| r.strip_prefix('#'))
    {
        return root.pointer(pointer).map_or(schema, |s| resolve(root, s));
    }
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    alternatives
        .and_then(|all| {
            all.iter()
                .find(|s| s.get("type").and_then(Value::as_str) != Some("null"))
        })
        .map_or(schema, |s| resolve(root, s))
}

fn nearest<'k>(key: &str, known: &'k [String]) -> Option<&'k str> {
    known
        .iter()
        .map(|k| (strsim::jaro_winkler(&key.to_lowercase(), &k.to_lowercase()), k))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k.as_str())
}

#[cfg(test)]
mod tests {
    use kata_channel::settings::Settings;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_misspelt_key_is_named_with_the_one_that_was_meant() {
        let said = unknown_key::<Settings>("channel \"team\"", &json!({"alowBots": true})).unwrap();
        assert_eq!(
            said,
            "channel \"team\": unknown key \"alowBots\"; did you mean \"allowBots\"?"
        );
    }

    #[test]
    fn a_misspelt_key_in_an_inner_object_is_found() {
        let said = unknown_key::<Settings>("x", &json!({"quota": {"turnsPerMinutes": 1}})).unwrap();
        assert_eq!(
            said,
            "x: unknown key \"turnsPerMinutes\" in \"quota\"; did you mean \"turnsPerMinute\"?"
        );
    }

    #[test]
    fn a_key_like_no_other_lists_the_known_ones() {
        let said = unknown_key::<Settings>("x", &json!({"catchUp": {"zzz": 1}})).unwrap();
        assert_eq!(
            said,
            "x: unknown key \"zzz\" in \"catchUp\"; known are maxAgeHours, mode, afterMin"
        );
    }

    #[test]
    fn known_keys_pass() {
        assert_eq!(
            unknown_key::<Settings>("x", &json!({"senders": ["U1"], "quota": null})),
            None
        );
    }
}
