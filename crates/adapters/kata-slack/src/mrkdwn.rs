//! Slack's own markup, as the page "Formatting message text" describes it:
//! <https://docs.slack.dev/messaging/formatting-message-text/>.

use std::borrow::Cow;

use kata_channel::markdown::{Dialect, Fence};

/// Slack's `mrkdwn`.
///
/// Everything in an answer is inert unless its Markdown says otherwise: `<!channel>`, `<@U1>` and `<#C1>` are shown as they were
/// written, so no answer can call a whole channel. `@here` as plain text never was a mention (`link_names` is not set).
pub(crate) const MRKDWN: Dialect = Dialect {
    // Slack has no headings.
    heading: ("*", "*"),
    bold: ("*", "*"),
    italic: ("_", "_"),
    strike: ("~", "~"),
    code: ("`", "`"),
    // A language behind the fence would be shown as the first line of the code.
    fence: Fence::Backticks { language: false },
    quote: "> ",
    bullets: &["• ", "◦ ", "▪ "],
    indent: 4,
    rule: "────────",
    // Slack sees marks at word boundaries only: `un*believ*able` and `这是*重点*` would show their asterisks. A zero-width space
    // is a boundary that nobody sees.
    joint: "\u{200b}",
    escape,
    escape_code: escape,
    link,
    label: None,
};

/// `&`, `<` and `>` are Slack's control characters, inside code as well.
fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;"),
    )
}

/// `<url|text>`, for addresses that lead out of Slack only: between these brackets `!channel`, `@U1` and `#C1` are commands.
fn link(url: &str) -> Option<(String, String)> {
    let scheme = url.split_once(':')?.0.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel") {
        return None;
    }
    let mut open = String::with_capacity(url.len() + 2);
    open.push('<');
    for c in url.chars() {
        match c {
            '&' => open.push_str("&amp;"),
            '<' => open.push_str("%3C"),
            '>' => open.push_str("%3E"),
            '|' => open.push_str("%7C"),
            '`' => open.push_str("%60"),
            ' ' => open.push_str("%20"),
            c if c.is_control() => {}
            c => open.push(c),
        }
    }
    open.push('|');
    Some((open, ">".to_owned()))
}

#[cfg(test)]
mod tests;
