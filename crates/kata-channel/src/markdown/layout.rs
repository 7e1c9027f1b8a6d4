//! Where lines stand: the gaps between them, the prefixes their nesting gives them, the fences around code.

use std::rc::Rc;

use super::{
    Dialect, Fence,
    line::{Gap, Line, Rank, Run},
    nest::{Nest, Prefix},
};
use crate::adapter::Length;

/// A line whose end has not come yet.
#[derive(Debug)]
struct OpenLine {
    gap: Gap,
    rank: Rank,
    prefix: Prefix,
}

/// The lines so far, and what is known about the next one.
#[derive(Debug)]
pub(super) struct Layout<'d> {
    dialect: &'d Dialect,
    length: Length,
    pub(super) nest: Nest,
    lines: Vec<Line>,
    line: Option<OpenLine>,
    /// What must stand between the last line and the next one, at least.
    gap: Gap,
    /// The last line was a heading: it stays with what it heads.
    headed: bool,
}

// === impl Layout ===

impl<'d> Layout<'d> {
    pub(super) fn new(dialect: &'d Dialect, length: Length) -> Self {
        Self {
            dialect,
            length,
            nest: Nest::default(),
            lines: Vec::new(),
            line: None,
            gap: Gap::Break,
            headed: false,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.line.is_some()
    }

    pub(super) fn open_line(&mut self) {
        let (gap, rank) = self.take_gap();
        let prefix = self.nest.prefix(self.dialect, self.length.unit, self.room());
        self.line = Some(OpenLine { gap, rank, prefix });
    }

    /// Ends the open line; `runs` are what it says.
    pub(super) fn close_line(&mut self, runs: Vec<Run>) {
        let Some(OpenLine {
            gap,
            rank,
            prefix: Prefix { first, hang },
        }) = self.line.take()
        else {
            return;
        };
        self.lines.push(Line {
            gap,
            rank,
            first,
            hang,
            fence: None,
            verbatim: false,
            runs,
        });
    }

    /// Lines whose white space counts: code, or what is laid out like it.
    pub(super) fn verbatim(&mut self, language: &str, texts: impl IntoIterator<Item = String>) {
        let (fence, prefix) = match self.dialect.fence {
            Fence::Backticks { .. } => (Some(Rc::from(language)), String::new()),
            Fence::Indented(indent) => {
                let nested = self.nest.prefix(self.dialect, self.length.unit, self.room()).hang;
                (None, nested + indent)
            }
        };
        for text in texts {
            let (gap, rank) = self.take_gap();
            let (first, hang) = (prefix.clone(), prefix.clone());
            let runs = vec![Run::plain(text)];
            self.lines.push(Line {
                gap,
                rank,
                first,
                hang,
                fence: fence.clone(),
                verbatim: true,
                runs,
            });
        }
    }

    pub(super) fn want(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    /// The last line was a heading.
    pub(super) fn headed(&mut self) {
        self.headed = true;
    }

    /// What a prefix, or a language's name, may take of a line. Nobody counts thirty quote marks, and every line repeats them.
    pub(super) fn room(&self) -> usize {
        (self.length.limit / 8).min(64)
    }

    pub(super) fn into_lines(self) -> Vec<Line> {
        self.lines
    }

    fn take_gap(&mut self) -> (Gap, Rank) {
        let gap = std::mem::take(&mut self.gap);
        let headed = std::mem::take(&mut self.headed);
        let rank = match gap {
            _ if headed => Rank::Word,
            Gap::Blank => Rank::Block,
            Gap::Break => Rank::Line,
        };
        (gap, rank)
    }
}
