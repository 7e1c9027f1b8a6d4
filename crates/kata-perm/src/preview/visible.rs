//! Text in which every sign is seen, and none passes for another or for a note of ours.

use std::fmt::Write;

use crate::text::hidden;

/// More spaces in a row push what follows out of sight.
const MOST_SPACES: usize = 24;
/// As do more ends of lines.
const MOST_BREAKS: usize = 3;

/// What becomes of ends of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breaks {
    /// They end lines.
    Kept,
    /// They are shown as a note.
    Shown,
}

/// Shows what would not be seen, or would be taken for something else, as a note: `⟨U+202E⟩`, `⟨40 spaces⟩`.
pub(super) fn text(text: &str, breaks: Breaks) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let mut count = 1;
        while chars.next_if_eq(&c).is_some() {
            count += 1;
        }
        show(&mut shown, c, count, breaks);
    }
    shown
}

/// Shows a sign that stands there `count` times in a row. Writing to a text does not fail.
fn show(shown: &mut String, c: char, count: usize, breaks: Breaks) {
    let _ = match c {
        ' ' if count > MOST_SPACES => write!(shown, "⟨{count} spaces⟩"),
        '\n' if breaks == Breaks::Kept && count > MOST_BREAKS => writeln!(shown, "⟨{count} line ends⟩"),
        '\n' if breaks == Breaks::Kept => repeat(shown, c, count),
        '\t' => repeat(shown, '⇥', count),
        // More than one may end a block of code, or begin one.
        '`' if count > 1 => write!(shown, "⟨{count} backticks⟩"),
        // These are ours.
        '⟨' | '⟩' | '⇥' => note(shown, c, count),
        _ if hidden(c) => note(shown, c, count),
        _ => repeat(shown, c, count),
    };
}

fn note(shown: &mut String, c: char, count: usize) -> std::fmt::Result {
    let code = u32::from(c);
    if count == 1 {
        write!(shown, "⟨U+{code:04X}⟩")
    } else {
        write!(shown, "⟨{count} × U+{code:04X}⟩")
    }
}

fn repeat(shown: &mut String, c: char, count: usize) -> std::fmt::Result {
    shown.extend(std::iter::repeat_n(c, count));
    Ok(())
}
