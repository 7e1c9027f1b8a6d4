//! A message as a tool shows it.

use kata_channel::{Inbound, Kind};
use serde::Serialize;

/// Longer texts are cut. Characters: what a message may have, and one with Nitro twice that.
const LONGEST: usize = 2_000;

/// A message, without what an agent has no use for.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shown {
    /// Its id.
    id: String,
    /// When it was written.
    at: String,
    /// Who wrote it: the name, where it is known.
    user: String,
    /// Its text, as a reader sees it.
    text: String,
    /// The names of its files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
}

/// The message, if it is one: edits and deletions say nothing new here.
pub(super) fn shown(message: Inbound) -> Option<Shown> {
    let is_message = message.kind == Kind::Message;
    let sender = message.sender;
    is_message.then(|| Shown {
        user: sender.name.unwrap_or_else(|| sender.id.to_string()),
        text: cut(message.text.readable),
        at: message.sent_at.to_iso(),
        id: message.id.to_string(),
        files: message.attachments.into_iter().map(|file| file.name).collect(),
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
