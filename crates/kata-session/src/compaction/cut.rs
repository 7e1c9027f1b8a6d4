//! A transcript cut in two, and the summary that takes the place of its older part.

use crate::{
    estimate, redact,
    transcript::{Entry, Transcript},
};

/// Where a transcript is cut: the older part is folded into a summary, the newer one is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pub(super) folded: Vec<Entry>,
    pub(super) kept: Vec<Entry>,
    /// Tokens that the text of the summary may take.
    pub(super) room: u64,
    /// Tokens that one prompt may take.
    pub(super) limit: u64,
}

/// A summary was not taken: it would not have made the session small enough, or nothing of it would have been left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It says nothing.
    #[error("the summary is empty")]
    Empty,
    /// It takes more than what is left for it. In less room than this it would have made the session smaller, too: the
    /// rest is there for the next prompt.
    #[error("the summary takes {tokens} tokens where {room} are left for it")]
    NotSmaller {
        /// Tokens that it takes.
        tokens: u64,
        /// Tokens that it may take.
        room: u64,
    },
}

// === impl Cut ===

impl Cut {
    pub(super) fn new(folded: &[Entry], kept: &[Entry], room: u64, limit: u64) -> Self {
        Self {
            folded: folded.to_vec(),
            kept: kept.to_vec(),
            room,
            limit,
        }
    }

    /// What the summary stands for: as many of the oldest entries, a summary among them included. To be archived, not
    /// deleted.
    #[must_use]
    pub fn folded(&self) -> &[Entry] {
        &self.folded
    }

    /// What stays as it is.
    #[must_use]
    pub fn kept(&self) -> &[Entry] {
        &self.kept
    }

    /// Tokens that the summary may take.
    #[must_use]
    pub fn room(&self) -> u64 {
        self.room
    }

    /// Whether even the newest exchange had no room beside a summary and the next prompt, so that nothing is kept as it
    /// is. Worth a word to whoever runs the session.
    #[must_use]
    pub fn folds_newest(&self) -> bool {
        self.kept.is_empty()
    }

    /// The transcript with this summary, its secrets masked, in the place of what was folded. It fits, together with the
    /// prompt that it was cut for.
    ///
    /// # Errors
    /// The summary is empty, or takes more tokens than there is [room](Self::room) for: [`fallback`](Self::fallback) has
    /// one that is neither.
    pub fn apply(&self, summary: &str) -> Result<Transcript, Refused> {
        let summary = self.summary(summary)?;
        Ok(std::iter::once(summary)
            .chain(self.kept.iter().cloned())
            .collect())
    }

    /// The entry that takes the place of what was folded.
    pub(super) fn summary(&self, text: &str) -> Result<Entry, Refused> {
        let text = redact(text.trim());
        if text.is_empty() {
            return Err(Refused::Empty);
        }
        let tokens = estimate(&text);
        if tokens > self.room {
            return Err(Refused::NotSmaller {
                tokens,
                room: self.room,
            });
        }
        // As old as the newest of what it stands for.
        let at = self.folded.last().map(|entry| entry.at).unwrap_or_default();
        Ok(Entry::summary(text, at))
    }
}
