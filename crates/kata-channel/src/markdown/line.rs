//! What Markdown becomes before it is written: lines of styled runs, still without a platform's marks.

use std::rc::Rc;

/// How good a place for a split is. The greater, the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Inside a word, between what a reader sees as two characters.
    Glyph,
    /// Between two words.
    Word,
    /// Between two sentences.
    Sentence,
    /// Between two lines.
    Line,
    /// Between two blocks.
    Block,
}

impl Rank {
    /// All of them, the best first.
    pub(super) const BEST_FIRST: [Self; 5] =
        [Self::Block, Self::Line, Self::Sentence, Self::Word, Self::Glyph];
}

/// How a run looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) heading: bool,
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) strike: bool,
    pub(super) code: bool,
}

/// What stands around a link's text.
#[derive(Debug)]
pub(super) struct LinkMarks {
    pub(super) open: String,
    pub(super) close: String,
}

/// Text that looks the same from end to end.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) style: Style,
    pub(super) link: Option<Rc<LinkMarks>>,
}

impl Run {
    /// Text without style or link.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            style: Style::default(),
            link: None,
        }
    }
}

/// What stands between a line and the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// Nothing but the end of the line.
    #[default]
    Break,
    /// An empty line.
    Blank,
}

/// One line of the answer.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) gap: Gap,
    /// How good it is to split before it.
    pub(super) rank: Rank,
    /// Quote marks, bullets and indentation before its first word, in the platform's markup.
    pub(super) first: String,
    /// The same before what is left of it when it is split.
    pub(super) hang: String,
    /// The fence it stands in, with its language. Two blocks of code are two allocations, which tells them apart.
    pub(super) fence: Option<Rc<str>>,
    /// Code: its white space is part of it.
    pub(super) verbatim: bool,
    pub(super) runs: Vec<Run>,
}

impl Line {
    /// Both lines stand between the same two fences.
    pub(super) fn shares_fence(&self, other: &Self) -> bool {
        match (&self.fence, &other.fence) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }
}
