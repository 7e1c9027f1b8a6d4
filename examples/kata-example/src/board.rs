//! The platform: a board to which lines are pinned. A real platform has its client here.

use serde::Serialize;
use tokio::sync::watch;

/// A notice board. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Board(watch::Sender<Vec<Line>>);

/// What somebody pinned to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Who.
    pub author: String,
    /// What.
    pub text: String,
}

// === impl Board ===

impl Board {
    /// Pins a line. Says how many there are now; this is also the line's name.
    pub fn pin(&self, author: &str, text: &str) -> usize {
        let (author, text) = (author.to_owned(), text.to_owned());
        self.0.send_modify(|lines| lines.push(Line { author, text }));
        self.0.borrow().len()
    }

    /// What hangs on it, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.0.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Vec<Line>> {
        self.0.subscribe()
    }
}
