//! One zlib stream over a whole connection: <https://docs.discord.com/developers/events/gateway#transport-compression>.

use flate2::{Decompress, FlushDecompress, Status};

use super::link::LARGEST_FRAME;

/// A message ends with these: the sender has flushed.
const WHOLE: [u8; 4] = [0, 0, 0xff, 0xff];
/// What is kept of memory between two messages.
const KEPT: usize = 64 * 1024;
/// Text is made room for in such steps.
const STEP: usize = 32 * 1024;

/// The stream cannot be read on: only a new connection brings a new one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Reads the stream of one connection.
pub(super) struct Inflate {
    zlib: Decompress,
    /// The beginning of a message whose end has not come yet.
    begun: Vec<u8>,
}

// === impl Inflate ===

impl Inflate {
    pub(super) fn new() -> Self {
        Self {
            zlib: Decompress::new(true),
            begun: Vec::new(),
        }
    }

    /// Takes what came next. None = the message goes on in the next frame.
    ///
    /// # Errors
    /// [`Broken`], also for a message longer than [`LARGEST_FRAME`]: a few bytes must not become all of our memory.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Option<String>, Broken> {
        if self.begun.len() + bytes.len() > LARGEST_FRAME {
            return Err(Broken);
        }
        self.begun.extend_from_slice(bytes);
        if !self.begun.ends_with(&WHOLE) {
            return Ok(None);
        }
        let begun = std::mem::take(&mut self.begun);
        let text = String::from_utf8(self.inflate(&begun)?).map_err(|_| Broken)?;
        if begun.capacity() <= KEPT {
            self.begun = begun;
            self.begun.clear();
        }
        Ok(Some(text))
    }

    fn inflate(&mut self, mut bytes: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut text = Vec::new();
        loop {
            if text.len() >= LARGEST_FRAME {
                return Err(Broken);
            }
            text.reserve(STEP);
            let (read, written) = (self.zlib.total_in(), text.len());
            let status = self
                .zlib
                .decompress_vec(bytes, &mut text, FlushDecompress::Sync)
                .map_err(|_| Broken)?;
            let taken = usize::try_from(self.zlib.total_in() - read).map_err(|_| Broken)?;
            bytes = bytes.get(taken..).ok_or(Broken)?;
            let is_still = taken == 0 && text.len() == written;
            match status {
                Status::StreamEnd => return Err(Broken),
                // With room left, all that was sent has been written.
                _ if bytes.is_empty() && text.len() < text.capacity() => return Ok(text),
                _ if is_still => return Err(Broken),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    struct Discord(ZlibEncoder<Vec<u8>>);

    impl Discord {
        fn new() -> Self {
            Self(ZlibEncoder::new(Vec::new(), Compression::default()))
        }

        fn says(&mut self, text: &str) -> Vec<u8> {
            self.0.write_all(text.as_bytes()).unwrap();
            self.0.flush().unwrap();
            std::mem::take(self.0.get_mut())
        }
    }

    proptest! {
        #[test]
        fn what_was_said_is_read_in_whatever_pieces_it_comes(
            texts in prop::collection::vec("[a-z{}\":é😀]{0,400}", 1..8), times in 1..400_usize, piece in 1..700_usize,
        ) {
            let (mut discord, mut ours) = (Discord::new(), Inflate::new());
            for text in texts {
                let text = text.repeat(times);
                let bytes = discord.says(&text);
                let mut read = Vec::new();
                for part in bytes.chunks(piece) {
                    read.extend(ours.take(part).unwrap());
                }
                // An end within the message is one by chance; an empty message is one of its own.
                prop_assert_eq!(read.concat(), text);
            }
        }

        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut ours = Inflate::new();
            let bytes = [&bytes[..], &WHOLE].concat();
            // Whatever it is, it is read or refused, and some hundred bytes become no more than zlib can make of them.
            if let Ok(Some(text)) = ours.take(&bytes) {
                prop_assert!(text.len() <= bytes.len() * 1032, "{} of {}", text.len(), bytes.len());
            }
        }
    }

    #[test]
    fn what_is_no_stream_ends_it() {
        assert_eq!(
            Inflate::new().take(b"not zlib at all\x00\x00\xff\xff"),
            Err(Broken)
        );
        let (mut discord, mut ours) = (Discord::new(), Inflate::new());
        let first = discord.says("one");
        assert_eq!(ours.take(&first), Ok(Some("one".into())));
        // A stream that says goodbye in the middle, and one that turns into something else.
        let bytes = std::mem::replace(&mut discord, Discord::new())
            .0
            .finish()
            .unwrap();
        assert_eq!(ours.take(&[&bytes[..], &WHOLE].concat()), Err(Broken));
        let mut ours = Inflate::new();
        assert_eq!(ours.take(&discord.says("two")), Ok(Some("two".into())));
        assert_eq!(ours.take(b"not zlib\x00\x00\xff\xff"), Err(Broken));
    }

    #[test]
    fn a_few_bytes_do_not_become_all_of_our_memory() {
        let (mut discord, mut ours) = (Discord::new(), Inflate::new());
        let fits = discord.says(&" ".repeat(LARGEST_FRAME - STEP));
        assert!(ours.take(&fits).unwrap().is_some());
        let bomb = discord.says(&" ".repeat(LARGEST_FRAME + STEP));
        assert!(bomb.len() < LARGEST_FRAME / 500);
        assert_eq!(ours.take(&bomb), Err(Broken));
        let endless = vec![1; LARGEST_FRAME];
        let mut ours = Inflate::new();
        assert_eq!(ours.take(&endless), Ok(None));
        assert_eq!(ours.take(&endless), Err(Broken));
    }
}
