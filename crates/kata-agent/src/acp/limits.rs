//! How much an agent may say.

use std::{
    fmt, io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{Stream, StreamExt as _, future};
use tokio::{io::AsyncRead, sync::Notify};
use tokio_util::{
    codec::{FramedRead, LinesCodec, LinesCodecError},
    sync::CancellationToken,
};

/// The longest line, in bytes. A file that is written goes over in one line.
const MAX_LINE: usize = 16 * 1024 * 1024;

/// The most values in one line. Each takes many times the room that it has on the wire: a line of zeroes would come to
/// hundreds of megabytes.
const MAX_VALUES: usize = 256 * 1024;

/// All lines of one turn, in bytes.
const MAX_TURN: usize = 256 * 1024 * 1024;

/// What an agent did too much of. It does not live on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Line,
    Values,
    Turn,
    Answer,
    NotText,
}

/// Counts what an agent says, and breaks when it is too much.
#[derive(Debug, Default)]
pub(super) struct Fuse {
    /// Tells of every line: the agent is alive.
    pub(super) progress: Notify,
    said: AtomicUsize,
    blown: CancellationToken,
    excess: OnceLock<Excess>,
}

// === impl Fuse ===

impl Fuse {
    /// Counts anew.
    pub(super) fn begin_turn(&self) {
        self.said.store(0, Ordering::Relaxed);
    }

    /// Too much. The first reason stands.
    pub(super) fn blow(&self, excess: Excess) {
        let _ = self.excess.set(excess);
        self.blown.cancel();
    }

    /// Why it is blown, if it is.
    pub(super) fn excess(&self) -> Option<Excess> {
        self.excess.get().copied()
    }

    /// Returns once it is blown.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn blown(&self) {
        self.blown.cancelled().await;
    }

    fn count(&self, line: &str) -> Result<(), Excess> {
        let before = self.said.fetch_add(line.len(), Ordering::Relaxed);
        if before.saturating_add(line.len()) > MAX_TURN {
            Err(Excess::Turn)
        } else {
            Ok(())
        }
    }
}

/// The messages that an agent writes, one a line. What is no JSON object is no message: programs print what they like
/// before they speak a protocol.
pub(super) fn lines(
    from: impl AsyncRead + Send + 'static,
    fuse: Arc<Fuse>,
) -> impl Stream<Item = io::Result<String>> + Send + 'static {
    FramedRead::new(from, LinesCodec::new_with_max_length(MAX_LINE)).filter_map(move |line| {
        fuse.progress.notify_one();
        future::ready(taken(line, &fuse))
    })
}

fn taken(line: Result<String, LinesCodecError>, fuse: &Fuse) -> Option<io::Result<String>> {
    let excess = match line {
        Ok(line) => match fuse.count(&line) {
            Ok(()) if values(&line) > MAX_VALUES => Excess::Values,
            Ok(()) => return line.trim_start().starts_with('{').then_some(Ok(line)),
            Err(excess) => excess,
        },
        Err(LinesCodecError::MaxLineLengthExceeded) => Excess::Line,
        Err(LinesCodecError::Io(e)) if e.kind() == io::ErrorKind::InvalidData => Excess::NotText,
        Err(LinesCodecError::Io(e)) => return Some(Err(e)),
    };
    fuse.blow(excess);
    Some(Err(io::Error::other(excess.to_string())))
}

/// About so many values are in a line of JSON.
fn values(line: &str) -> usize {
    let (mut values, mut is_text, mut is_escaped) = (0, false, false);
    for byte in line.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => values += 1,
            _ => {}
        }
    }
    values
}

// === impl Excess ===

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIB: usize = 1024 * 1024;
        match self {
            Self::Line => write!(f, "wrote a line of more than {} MiB", MAX_LINE / MIB),
            Self::Values => write!(f, "wrote a line of more than {MAX_VALUES} values"),
            Self::Turn => write!(f, "wrote more than {} MiB in one turn", MAX_TURN / MIB),
            Self::Answer => f.write_str("answered with more than 4 MiB"),
            Self::NotText => f.write_str("wrote what is not UTF-8"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_many_values_is_too_much_and_a_text_with_commas_is_not() {
        let fuse = Fuse::default();
        let text = format!(r#"{{"text": "\"{}"}}"#, ",[".repeat(MAX_VALUES));
        assert!(matches!(taken(Ok(text), &fuse), Some(Ok(_))));
        let zeroes = format!(r#"{{"a": [{}0]}}"#, "0,".repeat(MAX_VALUES));
        assert!(matches!(taken(Ok(zeroes), &fuse), Some(Err(_))));
        assert_eq!(fuse.excess(), Some(Excess::Values));
    }
}
