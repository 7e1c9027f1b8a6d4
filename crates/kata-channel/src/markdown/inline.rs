//! Inline text: styles and links, collected as runs.

use std::rc::Rc;

use super::{
    Dialect,
    line::{LinkMarks, Run, Style},
};
use crate::adapter::Length;

/// A link whose text is being read.
#[derive(Debug)]
struct OpenLink {
    address: String,
    /// None where the link cannot be written as one: its address follows its text.
    marks: Option<Rc<LinkMarks>>,
    /// The text it has shown so far.
    shown: String,
}

/// The runs of the line that is being read.
#[derive(Debug)]
pub(super) struct Inline<'d> {
    dialect: &'d Dialect,
    length: Length,
    runs: Vec<Run>,
    /// The style in force, on top of those it replaced.
    styles: Vec<Style>,
    links: Vec<OpenLink>,
    shows_addresses: bool,
}

// === impl Inline ===

impl<'d> Inline<'d> {
    pub(super) fn new(dialect: &'d Dialect, length: Length) -> Self {
        Self {
            dialect,
            length,
            runs: Vec::new(),
            styles: Vec::new(),
            links: Vec::new(),
            shows_addresses: false,
        }
    }

    /// Inside code a link is no link: its address is shown.
    pub(super) fn show_addresses(&mut self, shows: bool) {
        self.shows_addresses = shows;
    }

    pub(super) fn start(&mut self, change: impl FnOnce(&mut Style)) {
        let mut style = self.style();
        change(&mut style);
        self.styles.push(style);
    }

    pub(super) fn end(&mut self) {
        self.styles.pop();
    }

    pub(super) fn text(&mut self, text: &str) {
        self.push(text, self.style());
    }

    pub(super) fn code(&mut self, text: &str) {
        // Marks that stand in the text itself would end it: then it gets none.
        let marks = self.dialect.code;
        let ends_itself = !marks.0.is_empty() && text.contains(marks.0);
        self.push(
            text,
            Style {
                code: !ends_itself,
                ..self.style()
            },
        );
    }

    pub(super) fn open_link(&mut self, address: &str) {
        let marks = (self.dialect.link)(address)
            .filter(|_| !self.shows_addresses)
            .filter(|(open, close)| {
                // A link is written again in each part that its text reaches into: an endless one is text.
                self.length.unit.len(open) + self.length.unit.len(close) <= self.length.limit / 4
            });
        self.links.push(OpenLink {
            address: address.to_owned(),
            marks: marks.map(|(open, close)| Rc::new(LinkMarks { open, close })),
            shown: String::new(),
        });
    }

    /// A link that showed no text (or an image without a description) shows its address; so does one that the
    /// platform cannot follow.
    pub(super) fn close_link(&mut self) {
        let Some(link) = self.links.last() else {
            return;
        };
        let (address, is_empty) = (link.address.clone(), link.shown.is_empty());
        if is_empty {
            self.text(&address);
        }
        let Some(link) = self.links.pop() else {
            return;
        };
        let says_it = link.shown == address || Some(&*link.shown) == address.strip_prefix("mailto:");
        let has_marks = match (link.marks, self.dialect.label) {
            (Some(marks), Some(label)) if says_it => {
                // A picture without a description stands bare: platforms show what is behind a bare address.
                self.mark_anew(&marks, Some(label.address).filter(|_| !is_empty));
                true
            }
            (Some(marks), Some(label)) if !(label.fits)(&link.shown) => {
                self.mark_anew(&marks, None);
                false
            }
            (marks, _) => marks.is_some(),
        };
        if !is_empty && !has_marks && !says_it && !address.is_empty() {
            self.text(&format!(" ({address})"));
        }
    }

    /// The text of a link gets these marks, or none.
    fn mark_anew(&mut self, marks: &Rc<LinkMarks>, around: Option<(&str, &str)>) {
        let new = around.map(|(open, close)| {
            Rc::new(LinkMarks {
                open: open.to_owned(),
                close: close.to_owned(),
            })
        });
        for run in &mut self.runs {
            if run.link.as_ref().is_some_and(|link| Rc::ptr_eq(link, marks)) {
                run.link.clone_from(&new);
            }
        }
    }

    pub(super) fn take_runs(&mut self) -> Vec<Run> {
        std::mem::take(&mut self.runs)
    }

    pub(super) fn take_text(&mut self) -> String {
        self.take_runs().into_iter().map(|run| run.text).collect()
    }

    fn style(&self) -> Style {
        self.styles.last().copied().unwrap_or_default()
    }

    fn push(&mut self, text: &str, style: Style) {
        if text.is_empty() {
            return;
        }
        // An entity can stand for a line's end, which is ours to decide.
        let text = text.replace(['\n', '\r'], " ");
        let link = self.links.last_mut().and_then(|link| {
            link.shown.push_str(&text);
            link.marks.clone()
        });
        match (link, self.dialect.label) {
            (Some(marks), Some(label)) if !text.chars().all(label.takes) => {
                // It is no link, with all that was and will be read of it.
                self.mark_anew(&marks, None);
                if let Some(link) = self.links.last_mut() {
                    link.marks = None;
                }
                self.runs.push(Run {
                    text,
                    style,
                    link: None,
                });
            }
            (link, _) => self.runs.push(Run { text, style, link }),
        }
    }
}
