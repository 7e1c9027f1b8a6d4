//! An answer on its way through the daemon: CommonMark, from which both halves of a mail are made.

use std::borrow::Cow;

use kata_channel::markdown::{Dialect, Fence};

/// CommonMark with nothing in it that is not meant.
pub(crate) const COMMONMARK: Dialect = Dialect {
    heading: ("## ", ""),
    bold: ("**", "**"),
    italic: ("*", "*"),
    strike: ("~~", "~~"),
    code: ("`", "`"),
    fence: Fence::Backticks { language: true },
    quote: "> ",
    bullets: &["- "],
    indent: 4,
    rule: "* * *",
    joint: "",
    escape,
    escape_code: |text| Cow::Borrowed(text),
    link,
    label: None,
};

/// Every ASCII punctuation may stand behind a backslash, and is then itself.
fn escape(text: &str) -> Cow<'_, str> {
    let means_something = |c: char| "\\`*_[]<>&~|#".contains(c);
    if !text.contains(means_something) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if means_something(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    Cow::Owned(escaped)
}

fn link(url: &str) -> Option<(String, String)> {
    let scheme = url.split_once(':')?.0.to_ascii_lowercase();
    let is_plain = !url.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\\".contains(c));
    let leads_out = matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel");
    (leads_out && is_plain).then(|| ("[".to_owned(), format!("](<{url}>)")))
}
