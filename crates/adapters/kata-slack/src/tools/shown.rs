//! A message as a tool shows it.

use kata_channel::{Inbound, Kind};
use serde::Serialize;

/// Longer texts are cut. Characters.
const LONGEST: usize = 2_000;

/// A message, without what an agent has no use for.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shown {
    /// Its id.
    pub(super) ts: String,
    /// Who wrote it: the name, where it is known.
    user: String,
    /// Its text, as a reader sees it.
    text: String,
    /// The thread it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<String>,
}

/// The message, if it is one: edits and deletions say nothing new here.
pub(super) fn shown(message: Inbound) -> Option<Shown> {
    let is_message = message.kind == Kind::Message;
    let thread = message.place.thread.map(|thread| thread.to_string());
    let sender = message.sender;
    is_message.then(|| Shown {
        user: sender.name.unwrap_or_else(|| sender.id.to_string()),
        text: cut(message.text.readable),
        thread_ts: thread.filter(|thread| thread != message.id.as_str()),
        ts: message.id.to_string(),
    })
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("é".repeat(LONGEST)).chars().count(), LONGEST);
        let cut = cut("é".repeat(LONGEST + 1));
        assert_eq!(
            (cut.chars().count(), cut.chars().last()),
            (LONGEST + 1, Some('…'))
        );
    }
}
