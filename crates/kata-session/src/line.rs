//! Words from outside on a line of ours.

use std::fmt::Write as _;

/// A word from outside as a JSON string on one line.
pub(crate) fn quoted(word: &str) -> String {
    one_line(&serde_json::Value::from(word).to_string())
}

/// Escapes in JSON text what JSON leaves alone and a reader does not see as it is: line separators, invisible
/// characters and those that turn the direction of writing, with which a name could pose as a line of its own.
pub(crate) fn one_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if is_deceptive(c) {
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        } else {
            line.push(c);
        }
    }
    line
}

/// All of these lie in the basic plane, so that one `\u` escape holds each.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
