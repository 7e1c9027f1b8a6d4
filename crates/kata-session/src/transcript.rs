//! What was said in a session, by whom, and what it costs to say it again.

use kata_channel::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Said, estimate,
    history::{self, Parts},
};

/// Who speaks in an [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// People of the conversation.
    People,
    /// The agent itself.
    Agent,
    /// A summary of what was said before, made by the agent or without it.
    Summary,
}

/// One thing that was said. A message is an entry, and so is an answer, even an empty one: it ends the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Who said it.
    pub speaker: Speaker,
    /// The person's display name, else their id on the platform. Untrusted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was said. Untrusted text, also where the agent said it: it repeats what it read.
    pub text: String,
    /// When, in Unix milliseconds.
    pub at: Timestamp,
    /// Tokens of this text alone, where the agent reported them. What an ACP agent reports are sums over its session:
    /// of those it is the growth of `outputTokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

/// The entries of a session that its agent is shown, oldest first. Older ones, for which a summary stands at the
/// beginning, are in the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Transcript(Vec<Entry>);

// === impl Speaker ===

impl Speaker {
    /// The name under which it is stored: `people`, `agent` or `summary`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Agent => "agent",
            Self::Summary => "summary",
        }
    }

    /// The speaker that is stored under this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::People, Self::Agent, Self::Summary]
            .into_iter()
            .find(|speaker| speaker.as_str() == name)
    }
}

// === impl Entry ===

impl Entry {
    /// An answer of the agent, with its tokens if they were reported.
    #[must_use]
    pub fn answer(text: impl Into<String>, at: Timestamp, tokens: Option<u64>) -> Self {
        Self {
            speaker: Speaker::Agent,
            name: None,
            text: text.into(),
            at,
            tokens,
        }
    }

    pub(crate) fn summary(text: impl Into<String>, at: Timestamp) -> Self {
        Self {
            speaker: Speaker::Summary,
            name: None,
            text: text.into(),
            at,
            tokens: None,
        }
    }

    /// Tokens that it takes in a prompt, with the lines around it.
    #[must_use]
    pub fn cost(&self) -> u64 {
        let text = self.tokens.unwrap_or_else(|| estimate(&self.text));
        text.saturating_add(history::frame(self))
    }
}

/// A message becomes an entry with the names of its files, which are not shown again.
impl From<&Said> for Entry {
    fn from(said: &Said) -> Self {
        let mut text = said.text.clone();
        for file in &said.files {
            text.push_str("\n[file: ");
            text.push_str(&file.name);
            text.push(']');
        }
        Self {
            speaker: Speaker::People,
            name: Some(
                said.sender_name
                    .clone()
                    .unwrap_or_else(|| said.sender.to_string()),
            ),
            text,
            at: said.sent_at,
            tokens: None,
        }
    }
}

// === impl Transcript ===

impl Transcript {
    /// A transcript of these entries, oldest first.
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    /// Adds what was said last.
    pub fn push(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    /// All of it, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Whether nothing was said yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tokens that it takes in a prompt as [its history](crate::Prompt::with_history), with all that is said about it
    /// there.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        tokens_of(&self.0)
    }
}

impl FromIterator<Entry> for Transcript {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl Extend<Entry> for Transcript {
    fn extend<I: IntoIterator<Item = Entry>>(&mut self, entries: I) {
        self.0.extend(entries);
    }
}

/// Tokens of these entries as a history.
pub(crate) fn tokens_of(entries: &[Entry]) -> u64 {
    if entries.is_empty() {
        return 0;
    }
    costs_of(entries).saturating_add(Parts::RULES)
}

/// Tokens of these entries within one.
pub(crate) fn costs_of(entries: &[Entry]) -> u64 {
    entries
        .iter()
        .fold(0, |sum: u64, entry| sum.saturating_add(entry.cost()))
}

#[cfg(test)]
mod tests {
    use kata_channel::Role;

    use super::*;
    use crate::Enclosed;

    #[test]
    fn a_message_is_remembered_with_its_sender_and_the_names_of_its_files() {
        let mut said = Said {
            message_id: "17.2".into(),
            sender: "U1".into(),
            sender_name: None,
            role: Role::Member,
            sent_at: Timestamp::from_millis(5),
            text: "see this".into(),
            files: vec![Enclosed {
                name: "log.txt".into(),
                mime_type: None,
                size: None,
                path: Some("attachments/1/log.txt".into()),
            }],
        };
        let entry = Entry::from(&said);
        assert_eq!(entry.text, "see this\n[file: log.txt]");
        assert_eq!(entry.name.as_deref(), Some("U1"));
        said.sender_name = Some("Ann".into());
        assert_eq!(Entry::from(&said).name.as_deref(), Some("Ann"));
    }

    #[test]
    fn every_speaker_is_read_back_from_its_name() {
        for speaker in [Speaker::People, Speaker::Agent, Speaker::Summary] {
            assert_eq!(Speaker::from_name(speaker.as_str()), Some(speaker));
            assert_eq!(serde_json::to_value(speaker).unwrap(), speaker.as_str());
        }
        assert_eq!(Speaker::from_name("owner"), None);
    }

    #[test]
    fn what_was_reported_goes_before_what_is_estimated() {
        let at = Timestamp::from_millis(0);
        let estimated = Entry::answer("x".repeat(400), at, None).cost();
        let reported = Entry::answer("x".repeat(400), at, Some(40)).cost();
        assert_eq!(estimated - reported, 100 - 40);
    }

    #[test]
    fn a_report_that_is_out_of_all_measure_does_not_overflow() {
        let at = Timestamp::from_millis(0);
        let transcript: Transcript = (0..3).map(|_| Entry::answer("x", at, Some(u64::MAX))).collect();
        assert_eq!(transcript.tokens(), u64::MAX);
    }
}
