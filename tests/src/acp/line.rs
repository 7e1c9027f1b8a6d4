//! One line of JSON-RPC 2.0, as `https://www.jsonrpc.org/specification` has it.

use serde_json::{Map, Value, json};

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// Wants an answer.
    Request {
        id: Value,
        method: String,
        params: Value,
    },
    /// Wants none.
    Notification { method: String, params: Value },
    /// Answers a request.
    Answer { id: Value, outcome: Outcome },
}

/// The result of a request, or its error object.
pub(crate) type Outcome = Result<Value, Value>;

impl Line {
    /// Reads a line; the error says what the sender did wrong.
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|e| format!("a line is no JSON: {e}"))?;
        let Value::Object(mut message) = value else {
            return Err("a line is no JSON object".to_owned());
        };
        if message.get("jsonrpc") != Some(&json!("2.0")) {
            return Err("a message does not say jsonrpc 2.0".to_owned());
        }
        let id = message.remove("id");
        if let Some(id) = &id
            && !(id.is_string() || id.is_i64() || id.is_null())
        {
            return Err(format!("{id} is no id"));
        }
        match message.remove("method") {
            Some(Value::String(method)) => called(method, id, &mut message),
            Some(other) => Err(format!("{other} is no method")),
            None => answered(id, &mut message),
        }
    }
}

fn called(method: String, id: Option<Value>, message: &mut Map<String, Value>) -> Result<Line, String> {
    if message.contains_key("result") || message.contains_key("error") {
        return Err(format!("{method} is a call and an answer at once"));
    }
    let params = message.remove("params").unwrap_or(Value::Null);
    Ok(match id {
        Some(id) => Line::Request { id, method, params },
        None => Line::Notification { method, params },
    })
}

fn answered(id: Option<Value>, message: &mut Map<String, Value>) -> Result<Line, String> {
    let id = id.ok_or("a message has neither a method nor an id")?;
    let outcome = match (message.remove("result"), message.remove("error")) {
        (Some(result), None) => Ok(result),
        (None, Some(error)) if error["code"].is_i64() && error["message"].is_string() => Err(error),
        (None, Some(error)) => return Err(format!("{error} is no error object")),
        _ => {
            return Err(format!(
                "the answer to {id} has a result and an error, or neither"
            ));
        }
    };
    Ok(Line::Answer { id, outcome })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_rpc_does_not_know_is_refused() {
        for line in [
            "hello",
            "[]",
            r#"{"id":1,"method":"a"}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":2}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
            r#"{"jsonrpc":"2.0"}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":""}}"#,
        ] {
            assert!(Line::read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_call_with_an_id_wants_an_answer() {
        let read = |line| Line::read(line).expect(line);
        assert!(matches!(
            read(r#"{"jsonrpc":"2.0","id":"x","method":"a"}"#),
            Line::Request { .. }
        ));
        assert!(matches!(
            read(r#"{"jsonrpc":"2.0","method":"a"}"#),
            Line::Notification { .. }
        ));
        assert!(matches!(
            read(r#"{"jsonrpc":"2.0","id":0,"result":null}"#),
            Line::Answer { outcome: Ok(_), .. }
        ));
    }
}
