//! Bytes to requests, whatever pieces the pipe hands over.

use super::line::{self, BadLine};
use crate::Request;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Room that is kept between lines. A line that needed more gives it back.
const KEPT_BYTES: usize = 64 * 1024;

/// How long a line may be, in bytes without its `\n`. Clones share one value: reading starts before the settings
/// are known.
#[derive(Clone, Debug)]
pub struct LineLimit(Arc<AtomicUsize>);

impl LineLimit {
    /// A limit of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Another limit, from the next piece of input on.
    pub fn set(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// The limit as it is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// 4 MiB.
impl Default for LineLimit {
    fn default() -> Self {
        Self::new(4 * 1024 * 1024)
    }
}

/// Cuts a byte stream into lines and reads each. A bad line is an item like any other: the stream goes on.
///
/// Holds at most one line of [`LineLimit`] bytes.
#[derive(Debug)]
pub struct Decoder {
    limit: LineLimit,
    line: Vec<u8>,
    /// The rest of a line that was too long is on its way.
    skipping: bool,
}

impl Decoder {
    /// A decoder at the beginning of a line.
    #[must_use]
    pub fn new(limit: LineLimit) -> Self {
        Self {
            limit,
            line: Vec::new(),
            skipping: false,
        }
    }

    /// Takes bytes off the front of `input` up to the end of the next line that says something. None means that
    /// `input` is used up; an unfinished line is kept for the next call.
    ///
    /// # Errors
    /// The line is no command. It is gone, the next call reads on behind it.
    pub fn decode(&mut self, input: &mut &[u8]) -> Option<Result<Request, BadLine>> {
        while !input.is_empty() {
            let (part, ended) = take_line_part(input);
            if self.skipping {
                self.skipping = !ended;
                continue;
            }
            let limit = self.limit.bytes();
            if self.line.len() + part.len() > limit {
                self.skipping = !ended;
                return Some(Err(self.too_long(part, limit)));
            }
            self.keep(part, limit);
            if ended && let Some(item) = self.read_line() {
                return Some(item);
            }
        }
        None
    }

    /// The end of the stream: the last line, if it lacks its `\n` and says something.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn finish(&mut self) -> Option<Result<Request, BadLine>> {
        self.skipping = false;
        self.read_line()
    }

    fn read_line(&mut self) -> Option<Result<Request, BadLine>> {
        let item = line::read(&mut self.line);
        self.forget_line();
        item
    }

    /// Says so once; who sent it is still to be read off its beginning.
    fn too_long(&mut self, part: &[u8], limit: usize) -> BadLine {
        let room = limit.saturating_sub(self.line.len()).min(part.len());
        self.keep(&part[..room], limit);
        let bad = line::too_long(&mut self.line, limit);
        self.forget_line();
        bad
    }

    /// Grows as a vector does, but never past the limit.
    fn keep(&mut self, part: &[u8], limit: usize) {
        let needed = self.line.len() + part.len();
        if needed > self.line.capacity() {
            let target = (2 * self.line.capacity()).min(limit).max(needed);
            self.line.reserve_exact(target - self.line.len());
        }
        self.line.extend_from_slice(part);
    }

    fn forget_line(&mut self) {
        self.line.clear();
        self.line.shrink_to(KEPT_BYTES);
    }
}

/// Takes what belongs to the present line off the front of `input`, its `\n` included; says whether that was there.
fn take_line_part<'a>(input: &mut &'a [u8]) -> (&'a [u8], bool) {
    let bytes = *input;
    match bytes.iter().position(|&b| b == b'\n') {
        Some(end) => {
            *input = &bytes[end + 1..];
            (&bytes[..end], true)
        }
        None => {
            *input = &[];
            (bytes, false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn no_input_makes_the_decoder_hold_more_than_a_line(
            chunks in vec(vec(prop_oneof![9 => Just(b'x'), 1 => any::<u8>()], 0..200), 0..40),
            limit in 1_usize..300,
        ) {
            let mut decoder = Decoder::new(LineLimit::new(limit));
            for chunk in &chunks {
                let mut input = chunk.as_slice();
                while decoder.decode(&mut input).is_some() {}
                prop_assert!(decoder.line.capacity() <= limit.max(KEPT_BYTES));
                prop_assert!(decoder.line.len() <= limit);
            }
        }
    }

    #[test]
    fn room_for_a_long_line_is_given_back() {
        let mut decoder = Decoder::new(LineLimit::default());
        let long = vec![b'x'; 10 * KEPT_BYTES];
        assert!(decoder.decode(&mut long.as_slice()).is_none());
        assert!(decoder.decode(&mut &b"\n"[..]).is_some());
        assert!(decoder.line.capacity() <= KEPT_BYTES);
    }

    #[test]
    fn growing_stops_at_the_limit() {
        let limit = 5 * KEPT_BYTES;
        let mut decoder = Decoder::new(LineLimit::new(limit));
        let piece = vec![b'x'; KEPT_BYTES];
        for _ in 0..5 {
            assert!(decoder.decode(&mut piece.as_slice()).is_none());
            assert!(decoder.line.capacity() <= limit);
        }
    }
}
