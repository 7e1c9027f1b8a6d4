//! What is typed, as messages.

use std::{
    io::{self, BufRead, Read},
    thread,
};

use tokio::sync::mpsc;

/// A longer line is taken in pieces of this many bytes: nobody types one, but anything can be piped in.
const LONGEST: u64 = 1 << 20;

/// Messages that wait for the daemon. Beyond these the reader waits, and with it whoever writes to us.
const WAITING: usize = 16;

/// Reads on a thread of its own: a read from a terminal cannot be cancelled, and a runtime that waits for one never ends. The thread lives until its
/// input ends or the process does.
pub(crate) fn read(input: impl BufRead + Send + 'static) -> io::Result<mpsc::Receiver<String>> {
    let (send, receive) = mpsc::channel(WAITING);
    thread::Builder::new()
        .name("terminal-input".into())
        .spawn(move || {
            for message in (Messages { input }) {
                if send.blocking_send(message).is_err() {
                    return;
                }
            }
        })?;
    Ok(receive)
}

/// Each line is a message; a backslash at its end joins it with the next one. Lines without text are none.
struct Messages<R> {
    input: R,
}

// === impl Messages ===

impl<R: BufRead> Messages<R> {
    fn line(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        // An input that fails has ended as well.
        let read = self
            .input
            .by_ref()
            .take(LONGEST)
            .read_until(b'\n', &mut bytes)
            .ok()?;
        (read > 0).then(|| {
            String::from_utf8_lossy(&bytes)
                .trim_end_matches(['\n', '\r'])
                .to_owned()
        })
    }
}

impl<R: BufRead> Iterator for Messages<R> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut message = String::new();
        while let Some(line) = self.line() {
            let joined = line.strip_suffix('\\');
            message.push_str(joined.unwrap_or(&line));
            if joined.is_some() && (message.len() as u64) < LONGEST {
                message.push('\n');
            } else if message.trim().is_empty() {
                message.clear();
            } else {
                return Some(message);
            }
        }
        Some(message).filter(|rest| !rest.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(input: &[u8]) -> Vec<String> {
        Messages { input }.collect()
    }

    #[test]
    fn each_line_with_text_is_a_message() {
        assert_eq!(messages(b"one\n\n  \r\ntwo\r\nlast"), ["one", "two", "last"]);
    }

    #[test]
    fn a_backslash_joins_lines() {
        assert_eq!(
            messages(b"one\\\ntwo\\\nthree\nfour\\\n"),
            ["one\ntwo\nthree", "four\n"]
        );
    }

    #[test]
    fn bytes_that_are_no_text_do_not_end_the_input() {
        assert_eq!(messages(b"\xff\nnext\n"), ["\u{fffd}", "next"]);
    }

    #[test]
    fn an_endless_line_is_taken_in_pieces() {
        let longest = usize::try_from(LONGEST).unwrap();
        let pieces = messages(&vec![b'x'; longest * 2 + 1]);
        assert_eq!(
            pieces.iter().map(String::len).collect::<Vec<_>>(),
            [longest, longest, 1]
        );
    }
}
