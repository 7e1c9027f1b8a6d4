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
    /// Mail since then is looked for once more: the search that brought us here may not have known all of it.
    pub(crate) again: Option<Timestamp>,
}

// === impl Mark ===

impl Mark {
    pub(crate) fn at(at: Timestamp) -> Self {
        Self {
            history: None,
            at,
            again: None,
        }
    }

    /// What is no mark of ours stands before everything.
    pub(crate) fn read(cursor: &Cursor) -> Self {
        Self::parse(&cursor.0).unwrap_or(Self::at(Timestamp::from_millis(0)))
    }

    fn parse(text: &str) -> Option<Self> {
        let time = |text: &str| Some(Timestamp::from_millis(text.parse().ok()?));
        let (history, rest) = text.split_once('@')?;
        let (at, again) = match rest.split_once('!') {
            Some((at, again)) => (at, Some(time(again)?)),
            None => (rest, None),
        };
        Some(Self {
            history: history.parse().ok().filter(|id| *id > 0),
            at: time(at)?,
            again,
        })
    }

    pub(crate) fn cursor(self) -> Cursor {
        let mut text = format!("{}@{}", self.history.unwrap_or(0), self.at.as_millis());
        if let Some(again) = self.again {
            text.push_str(&format!("!{}", again.as_millis()));
        }
        Cursor(text)
    }

    /// By history where both know it, else by time. Of two that are the same there, the one with nothing left to look for is
    /// further.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self.history, other.history) {
            (Some(a), Some(b)) => a
                .cmp(&b)
                .then(self.at.cmp(&other.at))
                .then(other.again.cmp(&self.again)),
            (a, b) => self.at.cmp(&other.at).then(a.is_some().cmp(&b.is_some())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        for (text, history, again) in [
            ("7@1800000000000", Some(7), None),
            ("0@1800000000000", None, None),
            ("7@1800000000000!1799999999999", Some(7), Some(1_799_999_999_999)),
        ] {
            let mark = Mark::read(&Cursor(text.into()));
            assert_eq!((mark.history, mark.at.as_millis()), (history, 1_800_000_000_000));
            assert_eq!(mark.again.map(Timestamp::as_millis), again);
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
        assert_eq!(
            mark("7@9!5").compare(mark("7@9")),
            Ordering::Less,
            "there is more to look for"
        );
        assert_eq!(mark("8@9!5").compare(mark("7@9")), Ordering::Greater);
    }
}
