//! A platform's markup, as data.

use std::borrow::Cow;

/// What stands before and after a marked-up text.
pub type Marks = (&'static str, &'static str);

/// How a block of code is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// Between lines of three backticks. A fence stands at the margin, whatever it is nested in: indentation and
    /// quote marks inside a fence would be shown as code.
    Backticks {
        /// The platform takes the language's name behind the opening fence.
        language: bool,
    },
    /// Every line of it is preceded by this, and nothing else sets it off.
    Indented(&'static str),
}

/// A platform's markup: how its text looks bold, what must be escaped, how a link is written.
///
/// All marks together stay well under [`MIN_LIMIT`](super::MIN_LIMIT), or parts get by without styles.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// A heading. What is bold in it gets no marks of its own.
    pub heading: Marks,
    /// Bold.
    pub bold: Marks,
    /// Italic.
    pub italic: Marks,
    /// Struck through.
    pub strike: Marks,
    /// Code inside a line.
    pub code: Marks,
    /// Code on lines of its own; tables are shown this way too.
    pub fence: Fence,
    /// What precedes every quoted line, once a level.
    pub quote: &'static str,
    /// What precedes a list item, by depth; the last one serves for all deeper levels.
    pub bullets: &'static [&'static str],
    /// Columns by which the text of a list item, and a list inside it, is set in at least.
    pub indent: usize,
    /// A line across the page.
    pub rule: &'static str,
    /// Put between a mark and a letter that touches it, where the platform sees marks at word boundaries only.
    pub joint: &'static str,
    /// Makes running text inert: nothing in it may be taken for markup or for a control sequence. Must answer for each character alone.
    pub escape: fn(&str) -> Cow<'_, str>,
    /// The same for text inside code.
    pub escape_code: fn(&str) -> Cow<'_, str>,
    /// What stands before and after the text of a link to this address. None when the platform cannot show this link: then the
    /// address follows the text in brackets.
    pub link: fn(&str) -> Option<(String, String)>,
    /// Where the text of a link is taken as it stands, escapes and all. None = it is escaped like any other text.
    pub label: Option<Label>,
}

/// The text of a link on a platform that takes it as it stands: nothing in it can be escaped, and code stands inside the link. A text that
/// cannot stand there is followed by the address in brackets.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// Characters that mean nothing there.
    pub takes: fn(char) -> bool,
    /// Whether the platform makes a link of this text; asked of the whole of it.
    pub fits: fn(&str) -> bool,
    /// What stands around an address that is its own text.
    pub address: (&'static str, &'static str),
}

impl Dialect {
    /// No markup at all: readable as it is.
    pub const PLAIN: Self = Self {
        heading: ("", ""),
        bold: ("", ""),
        italic: ("", ""),
        strike: ("", ""),
        code: ("", ""),
        fence: Fence::Indented("    "),
        quote: "> ",
        bullets: &["• ", "◦ ", "▪ "],
        indent: 2,
        rule: "――――――――",
        joint: "",
        escape: |text| Cow::Borrowed(text),
        escape_code: |text| Cow::Borrowed(text),
        link: |_| None,
        label: None,
    };

    /// How a piece of text is made inert.
    pub(super) fn escape_for(&self, is_code: bool, is_label: bool) -> fn(&str) -> Cow<'_, str> {
        match () {
            () if is_label && self.label.is_some() => |text| Cow::Borrowed(text),
            () if is_code => self.escape_code,
            () => self.escape,
        }
    }
}
