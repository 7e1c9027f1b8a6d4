//! Writes pieces in a platform's markup. At any moment the text can be ended: what is open gets closed.

use super::{
    Dialect, Fence, Marks,
    atom::Atom,
    line::{Gap, Line, Style},
};
use crate::adapter::Unit;

const BACKTICKS: &str = "```";
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// A mark that is open, with what closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark<'a> {
    open: &'a str,
    close: &'a str,
}

/// One part while it is being written.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    dialect: &'a Dialect,
    unit: Unit,
    out: String,
    len: usize,
    /// The line that was written last.
    line: Option<&'a Line>,
    /// Outermost first.
    open: Vec<Mark<'a>>,
    /// The last character, and how many backticks the text ends in.
    last: Option<char>,
    backticks: usize,
    /// A mark was closed and nothing was written since.
    just_closed: bool,
}

// === impl Writer ===

impl<'a> Writer<'a> {
    pub(super) fn new(dialect: &'a Dialect, unit: Unit) -> Self {
        Self {
            dialect,
            unit,
            out: String::new(),
            len: 0,
            line: None,
            open: Vec::new(),
            last: None,
            backticks: 0,
            just_closed: false,
        }
    }

    /// Writes one more piece.
    pub(super) fn push(&mut self, atom: Atom<'a>) {
        let continues = self.line.is_some_and(|line| std::ptr::eq(line, atom.line));
        if !continues {
            self.begin_line(&atom);
        }
        let wanted = self.marks(&atom);
        let kept = self.open.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
        self.close_marks(kept);
        // White space stands outside of the marks that it separates: `*bold *` is not bold everywhere.
        if continues || atom.starts {
            self.put(atom.space);
        }
        for mark in wanted.into_iter().skip(kept) {
            self.join(self.last);
            self.put(mark.open);
            self.open.push(mark);
        }
        if self.just_closed {
            self.join(atom.text.chars().next());
        }
        let code = atom.line.verbatim || atom.style.code;
        let escape = self.dialect.escape_for(code, atom.link.is_some());
        self.put(&escape(atom.text));
    }

    /// The length if it ended here.
    pub(super) fn len(&self) -> usize {
        let marks: usize = self.open.iter().map(|mark| self.unit.len(mark.close)).sum();
        let fence = if self.line.is_some_and(|line| line.fence.is_some()) {
            BACKTICKS.len() + 1
        } else {
            0
        };
        self.len + marks + fence
    }

    /// Closes what is open.
    pub(super) fn finish(mut self) -> String {
        self.close_marks(0);
        self.close_fence();
        self.out
    }

    fn begin_line(&mut self, atom: &Atom<'a>) {
        let line = atom.line;
        let fenced = self.line.is_some_and(|before| before.shares_fence(line));
        if let Some(before) = self.line {
            // A style ends with its line: platforms do not carry one over.
            self.close_marks(0);
            if !fenced {
                self.close_fence();
            }
            self.raw("\n");
            if line.gap == Gap::Blank {
                self.raw(common_prefix(&before.hang, &line.hang).trim_end());
                self.raw("\n");
            }
        }
        if let (Some(language), false) = (&line.fence, fenced) {
            self.raw(BACKTICKS);
            self.raw(language);
            self.raw("\n");
        }
        let prefix = if atom.starts { &line.first } else { &line.hang };
        let is_empty = atom.text.is_empty() && line.runs.iter().all(|run| run.text.is_empty());
        self.raw(if is_empty { prefix.trim_end() } else { prefix });
        self.line = Some(line);
        self.just_closed = false;
    }

    /// The marks of a piece, outermost first. A link is innermost, since a style inside its text is not seen everywhere; but code where
    /// the text of a link stands as it is.
    fn marks(&self, atom: &Atom<'a>) -> Vec<Mark<'a>> {
        let Style {
            heading,
            bold,
            italic,
            strike,
            code,
        } = atom.style;
        let d = self.dialect;
        let labels = d.label.is_some();
        let styles = [
            (heading, d.heading),
            (bold && !heading, d.bold),
            (italic, d.italic),
            (strike, d.strike),
            (code && !(labels && atom.link.is_some()), d.code),
        ];
        let styles = styles
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, marks)| Mark::from(marks));
        let link = atom.link.map(|link| Mark {
            open: &link.open,
            close: &link.close,
        });
        let inside = (code && labels).then_some(d.code).filter(|_| link.is_some());
        styles
            .chain(link)
            .chain(inside.map(Mark::from))
            .filter(|mark| !mark.open.is_empty() || !mark.close.is_empty())
            .collect()
    }

    fn close_marks(&mut self, down_to: usize) {
        while self.open.len() > down_to {
            if let Some(mark) = self.open.pop() {
                self.put(mark.close);
                self.just_closed = true;
            }
        }
    }

    fn close_fence(&mut self) {
        if self.line.is_some_and(|line| line.fence.is_some()) {
            self.raw("\n");
            self.raw(BACKTICKS);
        }
    }

    /// Parts a mark from a letter that touches it.
    fn join(&mut self, neighbour: Option<char>) {
        if neighbour.is_some_and(|c| !c.is_whitespace() && !c.is_ascii_punctuation()) {
            self.raw(self.dialect.joint);
        }
        self.just_closed = false;
    }

    /// Writes text and marks. INVARIANT: where fences are backticks, three in a row are ours alone.
    fn put(&mut self, text: &str) {
        if matches!(self.dialect.fence, Fence::Indented(_)) || !text.contains('`') {
            return self.raw(text);
        }
        for c in text.chars() {
            if c == '`' && self.backticks == 2 {
                self.raw(ZERO_WIDTH_SPACE.encode_utf8(&mut [0; 4]));
            }
            self.raw(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn raw(&mut self, text: &str) {
        let Some(last) = text.chars().next_back() else {
            return;
        };
        let trailing = text.chars().rev().take_while(|c| *c == '`').count();
        self.backticks = if trailing == text.len() {
            self.backticks + trailing
        } else {
            trailing
        };
        self.last = Some(last);
        self.just_closed = false;
        self.len += self.unit.len(text);
        self.out.push_str(text);
    }
}

impl From<Marks> for Mark<'static> {
    fn from((open, close): Marks) -> Self {
        Self { open, close }
    }
}

fn common_prefix<'s>(a: &'s str, b: &str) -> &'s str {
    let same = a.char_indices().zip(b.chars()).take_while(|((_, x), y)| x == y);
    let end = same.last().map_or(0, |((at, c), _)| at + c.len_utf8());
    &a[..end]
}
