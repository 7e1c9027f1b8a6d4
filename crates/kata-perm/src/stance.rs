//! What is known of a condition, and which way a doubt falls.

use std::ops::Not;

/// Which way a doubt falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stance {
    /// A match allows: exactly what was written, and nothing that could be read in two ways.
    Grants,
    /// A match denies or asks: also what only may be meant.
    Restricts,
}

/// Whether a condition holds. Ordered: of several that must hold the smallest counts, of several that may the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    No,
    /// It cannot be told: an argument is missing, is of another kind, or can be read in two ways.
    Unknown,
    Yes,
}

// === impl Truth ===

impl Truth {
    /// Both hold.
    pub(crate) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// One of them holds.
    pub(crate) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// All hold; looks no further than the first that does not.
    pub(crate) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Yes;
        for truth in truths {
            all = all.and(truth);
            if all == Self::No {
                break;
            }
        }
        all
    }

    /// One holds; looks no further than the first that does.
    pub(crate) fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Self::No;
        for truth in truths {
            any = any.or(truth);
            if any == Self::Yes {
                break;
            }
        }
        any
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}
