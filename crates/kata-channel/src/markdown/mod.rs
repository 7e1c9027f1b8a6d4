//! Markdown, parsed once, rendered in a platform's own markup and split where it hurts least.

/// A platform's markup, as data: how its text looks bold, what must be escaped, how a link is written.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// Bold, before and after.
    pub bold: (&'static str, &'static str),
}
