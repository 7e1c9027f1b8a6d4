//! How far a mailbox has been read: Gmail's history id, and the time at which that was true. Google forgets history after a
//! week or so; then the time says from when on mail is read by date.

use std::cmp::Ordering;

use kata_channel::{Cursor, Timestamp};

/// A place in a mailbox's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// None: only the time is known.
    pub(crate) history: Option<u64>,
    pub(crate) at: Timestamp,
}

// === impl Mark ===

impl Mark {
    pub(crate) fn at(at: Timestamp) -> Self {
        Self { history: None, at }
    }

    /// What is no mark of ours stands before everything.
    pub(crate) fn read(cursor: &Cursor) -> Self {
        let parts = cursor.0.split_once('@');
        let read = parts.and_then(|(history, at)| {
            Some(Self {
                history: history.parse().ok().filter(|id| *id > 0),
                at: Timestamp::from_millis(at.parse().ok()?),
            })
        });
        read.unwrap_or(Self::at(Timestamp::from_millis(0)))
    }

    pub(crate) fn cursor(self) -> Cursor {
        Cursor(format!("{}@{}", self.history.unwrap_or(0), self.at.as_millis()))
    }

    /// By history where both know it, else by time.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self.history, other.history) {
            (Some(a), Some(b)) => a.cmp(&b).then(self.at.cmp(&other.at)),
            _ => self.at.cmp(&other.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        for (text, history) in [("7@1800000000000", Some(7)), ("0@1800000000000", None)] {
            let mark = Mark::read(&Cursor(text.into()));
            assert_eq!((mark.history, mark.at.as_millis()), (history, 1_800_000_000_000));
            assert_eq!(mark.cursor().0, text);
        }
        assert_eq!(
            Mark::read(&Cursor("18c2f".into())),
            Mark::at(Timestamp::from_millis(0))
        );
    }

    #[test]
    fn history_decides_where_both_know_it() {
        let mark = |text: &str| Mark::read(&Cursor(text.into()));
        assert_eq!(mark("7@9").compare(mark("8@1")), Ordering::Less);
        assert_eq!(mark("7@9").compare(mark("0@8")), Ordering::Greater);
        assert_eq!(mark("7@9").compare(mark("7@9")), Ordering::Equal);
    }
}
