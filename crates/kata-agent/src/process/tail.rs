//! The end of what a program wrote to stderr.

use kata_perm::preview;

/// How much of it is kept.
const KEPT: usize = 8 * 1024;

/// The longest line that goes into an error, in characters.
const MAX_LINE: usize = 300;

/// The end of a long text.
#[derive(Debug, Default)]
pub(crate) struct Tail(Vec<u8>);

// === impl Tail ===

impl Tail {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let surplus = self.0.len().saturating_sub(KEPT);
        self.0.drain(..surplus);
    }

    /// All that was kept.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The last line with something on it, fit to be shown: short, without control characters and without secrets.
    pub(crate) fn last_line(&self) -> String {
        let text = self.text();
        let line = text
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or_default();
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        preview::line(&line, MAX_LINE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_complaint_the_end_is_kept() {
        let mut tail = Tail::default();
        tail.push(&vec![b'x'; 3 * KEPT]);
        tail.push(b"\nthe \x1b[31mreason\x1b[0m\n\n  \n");
        assert_eq!(tail.text().len(), KEPT);
        assert_eq!(tail.last_line(), "the [31mreason[0m");
    }

    #[test]
    fn a_secret_in_the_last_line_is_not_told() {
        let mut tail = Tail::default();
        tail.push(b"401 for Authorization: Bearer abcdef0123456789abcdef\n");
        let line = tail.last_line();
        assert!(line.starts_with("401 for ") && !line.contains("abcdef"), "{line}");
    }

    #[test]
    fn a_line_in_an_error_is_short() {
        let mut tail = Tail::default();
        tail.push("é".repeat(2 * MAX_LINE).as_bytes());
        assert_eq!(tail.last_line().chars().count(), MAX_LINE);
    }
}
