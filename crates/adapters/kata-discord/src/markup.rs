//! Discord's own Markdown: <https://support.discord.com/hc/en-us/articles/210298617>, and for what stands between `<` and `>`
//! <https://docs.discord.com/developers/reference#message-formatting>.

use std::borrow::Cow;

use kata_channel::markdown::{Dialect, Fence, Label};

/// Discord's markup.
///
/// Everything in an answer is inert unless its Markdown says otherwise: `<@1>`, `<#1>` and `||spoilers||` are shown as they were written.
/// `@everyone` as plain text calls nobody, since every message forbids it (`allowed_mentions`).
pub(crate) const DISCORD: Dialect = Dialect {
    // Of Discord's three sizes the one that does not shout.
    heading: ("### ", ""),
    bold: ("**", "**"),
    // An asterisk beside those of bold would be taken for one of them.
    italic: ("_", "_"),
    strike: ("~~", "~~"),
    code: ("`", "`"),
    fence: Fence::Backticks { language: true },
    quote: "> ",
    bullets: &["- "],
    indent: 2,
    rule: "────────",
    // An underscore inside a word is a letter. A zero-width space is a boundary that nobody sees.
    joint: "\u{200b}",
    escape,
    escape_code: |text| Cow::Borrowed(text),
    link,
    label: Some(Label {
        takes: |c| c == '_' || !MARKUP.contains(&c),
        fits,
        // A link without a preview.
        address: ("<", ">"),
    }),
};

/// What Discord takes for markup anywhere in a line.
const MARKUP: [char; 9] = ['\\', '*', '_', '~', '`', '|', '<', '[', ']'];

/// A backslash takes the meaning from any of them. An address that stands by itself is left alone: Discord makes a link of it, backslashes
/// and all.
fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(MARKUP) || is_address(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if MARKUP.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    Cow::Owned(out)
}

fn is_address(word: &str) -> bool {
    let rest = word
        .strip_prefix("https://")
        .or_else(|| word.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.contains(['<', '>', '|', '`', '\\', '[', ']', '*'])
            && !rest.contains(char::is_whitespace)
    })
}

/// Discord shows backslashes in the text of a link, and shows `[https://…](https://…)` as it was written: a text could pretend to lead
/// elsewhere. <https://github.com/discord/discord-api-docs/issues/6185>, <https://github.com/discord/discord-api-docs/issues/7721>
fn fits(text: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut around = text.char_indices().filter(|(_, c)| *c == '_');
    let letters = around
        .all(|(at, _)| is_letter(text[..at].chars().next_back()) && is_letter(text[at + 1..].chars().next()));
    letters && !text.contains("http://") && !text.contains("https://")
}

/// `[text](address)`, for what Discord follows.
fn link(url: &str) -> Option<(String, String)> {
    let scheme = url.split_once(':')?.0.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https") {
        return None;
    }
    let mut close = String::with_capacity(url.len() + 3);
    close.push_str("](");
    for c in url.chars() {
        match c {
            '(' => close.push_str("%28"),
            ')' => close.push_str("%29"),
            '<' => close.push_str("%3C"),
            '>' => close.push_str("%3E"),
            '\\' => close.push_str("%5C"),
            '`' => close.push_str("%60"),
            c if c.is_whitespace() => close.push_str("%20"),
            c if c.is_control() => {}
            c => close.push(c),
        }
    }
    close.push(')');
    Some(("[".to_owned(), close))
}

#[cfg(test)]
mod tests;
