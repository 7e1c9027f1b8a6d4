//! Gmail's search words, as far as they are needed: `after:` and `before:` (seconds), `rfc822msgid:`, `from:`, `to:`, `subject:`, `label:`,
//! plain words, `OR`, brackets (<https://support.google.com/mail/answer/7190>).

use super::state::{State, Stored};

/// Whether a mail matches.
pub(super) fn matches(state: &State, stored: &Stored, query: &str) -> bool {
    let spaced = query.replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    any(state, stored, &mut words)
}

type Words<'q> = std::iter::Peekable<std::str::SplitWhitespace<'q>>;

/// All groups up to the bracket's end, of which `OR` joins neighbours.
fn any(state: &State, stored: &Stored, words: &mut Words<'_>) -> bool {
    let mut all = true;
    let mut last = true;
    let mut joins = false;
    while let Some(word) = words.next() {
        let this = match word {
            ")" => break,
            "OR" => {
                joins = true;
                continue;
            }
            "(" => any(state, stored, words),
            word => one(state, stored, word),
        };
        if joins {
            last |= this;
            joins = false;
        } else {
            all &= last;
            last = this;
        }
    }
    all && last
}

fn one(state: &State, stored: &Stored, word: &str) -> bool {
    let header_has = |name: &str, value: &str| {
        let header = stored.header(name).unwrap_or_default();
        header.to_lowercase().contains(&value.to_lowercase())
    };
    match word.split_once(':') {
        Some(("after", seconds)) => seconds
            .parse::<i64>()
            .is_ok_and(|after| stored.date / 1000 >= after),
        Some(("before", seconds)) => seconds
            .parse::<i64>()
            .is_ok_and(|before| stored.date / 1000 < before),
        Some(("rfc822msgid", id)) => {
            let known = stored.header("Message-ID").unwrap_or_default();
            known.trim_matches(['<', '>']) == id.trim_matches(['<', '>'])
        }
        Some(("from", value)) => header_has("From", value),
        Some(("to", value)) => header_has("To", value),
        Some(("subject", value)) => stored.subject().to_lowercase().contains(&value.to_lowercase()),
        Some(("label", value)) => stored.labels.contains(&state.label_id(value)),
        _ => {
            let said = format!("{} {}", stored.subject(), stored.text()).to_lowercase();
            said.contains(&word.trim_matches('"').to_lowercase())
        }
    }
}
