//! JSON pointers, RFC 6901, read once.

use serde_json::Value;

use crate::written::FromText;

/// A place in the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(Vec<String>);

// === impl Pointer ===

impl Pointer {
    pub(crate) fn find<'v>(&self, input: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(input, |value, part| match value {
            Value::Object(values) => values.get(part),
            Value::Array(values) => values.get(index(part)?),
            _ => None,
        })
    }

    /// It leads to this argument, and not to something in it.
    pub(crate) fn is_argument(&self, name: &str) -> bool {
        matches!(&*self.0, [only] if only == name)
    }
}

/// A place in a list: digits, and no zero before others.
fn index(part: &str) -> Option<usize> {
    let is_index = part == "0" || part.starts_with(|c: char| matches!(c, '1'..='9'));
    part.parse().ok().filter(|_| is_index)
}

impl FromText for Pointer {
    const SCHEMA: &'static str = "A JSON pointer into the arguments, as in `/url`.";

    fn from_text(text: &str) -> Result<Self, String> {
        let escapes_are_known = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        match text.strip_prefix('/') {
            Some(parts) if escapes_are_known => {
                let part = |part: &str| part.replace("~1", "/").replace("~0", "~");
                Ok(Self(parts.split('/').map(part).collect()))
            }
            _ => Err(format!(
                "`{text}` is no JSON pointer: it begins with `/`, as in `/url`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn a_pointer_leads_where_serde_json_goes(text in "(/([ab01]|~0|~1|00|-){0,2}){1,3}") {
            let value = json!({
                "a": { "b": 1, "": 2, "0": [3, [4, 5]] }, "b": [6, { "a": 7 }], "~": 8, "/": 9, "": [10], "0": { "1": 11 },
            });
            let pointer = Pointer::from_text(&text).expect("a valid pointer");
            prop_assert_eq!(pointer.find(&value), value.pointer(&text));
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["", "a", "a/b", "/~", "/~2", "/a~"] {
            assert!(Pointer::from_text(text).is_err(), "{text:?}");
        }
    }
}
