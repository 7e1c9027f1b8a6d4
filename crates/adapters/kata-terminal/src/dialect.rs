//! A terminal's markup: ANSI sequences, or none.
//!
//! The sequences are those of ECMA-48, "Select graphic rendition":
//! <https://ecma-international.org/publications-and-standards/standards/ecma-48/>.

use std::borrow::Cow;

use kata_channel::markdown::{Dialect, Fence};

/// With colours. Each style is ended by its own code, so that styles nest.
pub(crate) const TERMINAL: Dialect = Dialect {
    heading: ("\u{1b}[1;4m", "\u{1b}[22;24m"),
    bold: ("\u{1b}[1m", "\u{1b}[22m"),
    italic: ("\u{1b}[3m", "\u{1b}[23m"),
    strike: ("\u{1b}[9m", "\u{1b}[29m"),
    code: ("\u{1b}[36m", "\u{1b}[39m"),
    fence: Fence::Indented("    "),
    quote: "│ ",
    bullets: &["• ", "◦ ", "▪ "],
    indent: 2,
    rule: "────────",
    joint: "",
    escape: inert,
    escape_code: inert,
    // An address that can be read can be copied; not every terminal follows links.
    link: |_| None,
    label: None,
};

/// Without colours.
pub(crate) const PLAIN: Dialect = Dialect {
    escape: inert,
    escape_code: inert,
    ..Dialect::PLAIN
};

/// An answer is text from outside: it must not move the cursor, set the title or write to the clipboard.
pub(crate) fn inert(text: &str) -> Cow<'_, str> {
    let controls = |c: char| c.is_control() && c != '\t';
    if !text.contains(controls) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(controls, "\u{fffd}"))
}

#[cfg(test)]
mod tests {
    use kata_channel::{Length, Unit, markdown::render};

    use super::*;

    const ANSWER: &str = "\
# Title
Some **bold**, *italic*, ~~struck~~ and `code`, see [here](https://example.com).

- one
  1. two

> quoted

```
let x = 1;
```";

    fn shown(markdown: &str, dialect: &Dialect) -> String {
        render(
            markdown,
            dialect,
            Length {
                unit: Unit::Chars,
                limit: usize::MAX,
            },
        )
        .concat()
    }

    #[test]
    fn an_answer_with_colours() {
        insta::assert_snapshot!(shown(ANSWER, &TERMINAL).replace('\u{1b}', "^"), @r"
        ^[1;4mTitle^[22;24m

        Some ^[1mbold^[22m, ^[3mitalic^[23m, ^[9mstruck^[29m and ^[36mcode^[39m, see here (https://example.com).

        • one
          1. two

        │ quoted

            let x = 1;
        ");
    }

    #[test]
    fn an_answer_without_colours() {
        insta::assert_snapshot!(shown(ANSWER, &PLAIN), @r"
        Title

        Some bold, italic, struck and code, see here (https://example.com).

        • one
          1. two

        > quoted

            let x = 1;
        ");
    }

    #[test]
    fn an_answer_cannot_steer_the_terminal() {
        for dialect in [PLAIN, TERMINAL] {
            let text = shown(
                "\u{1b}]0;title\u{7} and \u{9b}2J `\u{1b}[2J`\n\n    \u{1b}c",
                &dialect,
            );
            let own: String = text.replace("\u{1b}[36m", "").replace("\u{1b}[39m", "");
            assert!(!own.chars().any(|c| c.is_control() && c != '\n'), "{own:?}");
        }
    }
}
