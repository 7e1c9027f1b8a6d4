//! Texts and values made to fit, with what was cut said in them.

use serde_json::{Map, Value};

use super::{MORE, insert};

/// Cuts the middle out of a text that has more than `limit` characters: what a call does may be said at its end.
pub(super) fn middle(text: String, limit: usize) -> String {
    let count = text.chars().count();
    if count <= limit {
        return text;
    }
    let note = |cut: usize| format!(" ⟨{cut} characters are not shown⟩ ");
    // The count that is said is smaller than the whole, so its note is no longer than this.
    let Some(room) = limit.checked_sub(note(count).chars().count()) else {
        let kept = text.chars().take(limit.saturating_sub(1));
        return kept.chain(MORE.chars().take(limit)).collect();
    };
    let tail = room / 4;
    let head = room - tail;
    let mut shown: String = text.chars().take(head).collect();
    shown.push_str(&note(count - room));
    shown.extend(text.chars().skip(count - tail));
    shown
}

/// The length to which texts have to be cut so that all of them have this many characters at the most. Short ones leave
/// their room to long ones.
pub(super) fn fair_share(texts: &[String], mut room: usize) -> usize {
    let mut lengths: Vec<usize> = texts.iter().map(|text| text.chars().count()).collect();
    lengths.sort_unstable();
    for (at, length) in lengths.iter().enumerate() {
        let share = room / (lengths.len() - at);
        if *length > share {
            return share;
        }
        room -= length;
    }
    usize::MAX
}

/// The value, cut until its JSON text has at most this many bytes.
pub(super) fn to_size(value: Value, bytes: usize) -> Value {
    let fits = |value: &Value| value.to_string().len() <= bytes;
    if fits(&value) {
        return value;
    }
    let (mut text, mut items) = (bytes, bytes);
    while text > 0 {
        text /= 2;
        // An item has a few bytes at the least.
        items /= 4;
        let shorter = shortened(&value, text, items);
        if fits(&shorter) {
            return shorter;
        }
    }
    let nothing = Value::from(MORE);
    if fits(&nothing) { nothing } else { Value::Null }
}

/// Cuts texts to this many characters, and lists and objects to this many items.
fn shortened(value: &Value, text: usize, items: usize) -> Value {
    match value {
        Value::String(whole) => beginning(whole, text).into(),
        Value::Array(values) => {
            let kept = values.iter().take(items);
            let kept = kept.map(|value| shortened(value, text, items));
            let more = more(values.len(), items).map(Value::from);
            kept.chain(more).collect()
        }
        Value::Object(values) => {
            let mut kept = Map::new();
            for (name, value) in values.iter().take(items) {
                insert(&mut kept, beginning(name, text), shortened(value, text, items));
            }
            if let Some(more) = more(values.len(), items) {
                insert(&mut kept, MORE.to_owned(), more.into());
            }
            kept.into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn more(count: usize, kept: usize) -> Option<String> {
    let more = count.checked_sub(kept).filter(|more| *more > 0)?;
    Some(format!("{MORE} ({more} more)"))
}

fn beginning(text: &str, limit: usize) -> String {
    let Some((at, _)) = text.char_indices().nth(limit) else {
        return text.to_owned();
    };
    let (kept, rest) = text.split_at(at);
    format!("{kept}{MORE} ({} more characters)", rest.chars().count())
}
