//! What a tool call is recognised by later: an approval and a grant are for one call exactly.

use std::fmt;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::call::ToolCall;

/// Names the encoding below. Another encoding gets another name, so that no digest of it equals one of this.
const VERSION: &[u8] = b"kata-perm/1";

/// The SHA-256 digest of a tool call, or of a rule. Shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// What is still to be written.
enum Item<'v> {
    Key(&'v str),
    Value(&'v Value),
}

// === impl ToolCall ===

impl ToolCall {
    /// The digest of the tool's name and its arguments. The order of keys counts for nothing; every other difference
    /// makes another digest, `1` and `1.0` too.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new_with_prefix(VERSION);
        text(&mut hash, b'T', &self.tool);
        value(&mut hash, &self.input);
        Digest(hash.finalize().into())
    }
}

// === impl Digest ===

impl Digest {
    /// The digest of a value that is no call.
    pub(crate) fn of(input: &Value) -> Self {
        let mut hash = Sha256::new_with_prefix(VERSION);
        value(&mut hash, input);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Writes a value so that no other value is written alike: a letter for its kind, then its length or count, then what is in it.
fn value(hash: &mut Sha256, whole: &Value) {
    // A list of our own, since values may be nested more deeply than the stack is.
    let mut open = vec![Item::Value(whole)];
    while let Some(item) = open.pop() {
        match item {
            Item::Key(key) => text(hash, b'k', key),
            Item::Value(Value::Null) => hash.update(b"n"),
            Item::Value(Value::Bool(false)) => hash.update(b"f"),
            Item::Value(Value::Bool(true)) => hash.update(b"t"),
            Item::Value(Value::Number(number)) => text(hash, b'd', &number.to_string()),
            Item::Value(Value::String(string)) => text(hash, b's', string),
            Item::Value(Value::Array(values)) => {
                count(hash, b'a', values.len());
                open.extend(values.iter().rev().map(Item::Value));
            }
            Item::Value(Value::Object(values)) => {
                count(hash, b'o', values.len());
                let mut sorted: Vec<_> = values.iter().collect();
                sorted.sort_unstable_by_key(|(key, _)| *key);
                open.extend(
                    sorted
                        .into_iter()
                        .rev()
                        .flat_map(|(key, value)| [Item::Value(value), Item::Key(key)]),
                );
            }
        }
    }
}

fn text(hash: &mut Sha256, kind: u8, text: &str) {
    count(hash, kind, text.len());
    hash.update(text.as_bytes());
}

fn count(hash: &mut Sha256, kind: u8, count: usize) {
    hash.update([kind]);
    hash.update((count as u64).to_be_bytes());
}

#[cfg(test)]
mod tests;
