//! One line: a request, nothing at all, or the reason why it is neither.

use super::{names::Names, surrogate};
use crate::{Command, Mismatch, Request};
use serde_json::{Map, Value};

/// A `type` that nobody knows is named back up to this length; it may be anything.
const NAMED_CHARS: usize = 64;

/// A line that could not be taken. Names the line and the reason, and nothing else of what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
#[non_exhaustive]
pub struct BadLine {
    /// Why.
    pub reason: Reason,
    /// The line's `type`, if it could be read; its beginning, if it is very long.
    pub command_type: Option<String>,
    /// The line's `requestId`, if it could be read.
    pub request_id: Option<String>,
}

/// Why a line could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It was skipped to its end.
    #[error("the line is longer than {limit} bytes")]
    TooLong {
        /// What would have been taken, in bytes.
        limit: usize,
    },
    /// Some bytes are no text.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// It is no JSON.
    #[error("the line is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but no object.
    #[error("the line is not a JSON object")]
    NotAnObject,
    /// There is no such command.
    #[error("the type of the command is not known")]
    UnknownType,
    /// A field is missing or holds something else than it should.
    #[error(transparent)]
    Field(#[from] Mismatch),
}

/// Reads a line without its `\n`. None if it is empty. Repairs lone surrogate escapes in place.
pub(super) fn read(line: &mut [u8]) -> Option<Result<Request, BadLine>> {
    surrogate::replace_lone(line);
    let Ok(text) = str::from_utf8(line) else {
        return Some(Err(named_from(line, Reason::NotUtf8)));
    };
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => request(fields),
        Ok(_) => Err(named_from(line, Reason::NotAnObject)),
        // Into a `Value` only syntax can fail, and what serde_json says of syntax holds nothing of the text.
        Err(error) => Err(named_from(line, Reason::NotJson(error.to_string()))),
    })
}

/// The first `limit` bytes of a line that goes on.
pub(super) fn too_long(beginning: &mut [u8], limit: usize) -> BadLine {
    surrogate::replace_lone(beginning);
    named_from(beginning, Reason::TooLong { limit })
}

fn named_from(line: &[u8], reason: Reason) -> BadLine {
    let names = Names::read(line);
    bad(reason, names.command_type, names.request_id)
}

fn bad(reason: Reason, command_type: Option<String>, request_id: Option<String>) -> BadLine {
    let command_type = command_type.map(|name| name.chars().take(NAMED_CHARS).collect());
    BadLine {
        reason,
        command_type,
        request_id,
    }
}

fn request(mut fields: Map<String, Value>) -> Result<Request, BadLine> {
    let name = take_string(&mut fields, "type");
    let request_id = take_string(&mut fields, "requestId");
    match (name, request_id) {
        (Ok(Some(name)), Ok(request_id)) => match Command::read(&name, fields) {
            Some(Ok(command)) => Ok(Request { request_id, command }),
            Some(Err(mismatch)) => Err(bad(mismatch.into(), Some(name), request_id)),
            None => Err(bad(Reason::UnknownType, Some(name), request_id)),
        },
        (Ok(None), Ok(request_id)) => Err(bad(Mismatch::missing("type").into(), None, request_id)),
        (Err(mismatch), request_id) => Err(bad(mismatch.into(), None, request_id.ok().flatten())),
        (Ok(name), Err(mismatch)) => Err(bad(mismatch.into(), name, None)),
    }
}

/// Takes a string out; `null` is absent.
fn take_string(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Mismatch> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Mismatch::not_a_string(name)),
    }
}
