//! From the host: bytes to requests, on a thread of their own.

use crate::{
    BadLine, Request,
    codec::{Decoder, LineLimit},
};
use std::{
    io::{self, Read},
    thread,
};
use tokio::sync::mpsc;

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// Requests that may wait before the host has to. Few: each may be as long as a line.
const WAITING: usize = 16;

/// What came from the host.
#[derive(Debug)]
pub enum Incoming {
    /// A command.
    Request(Request),
    /// A line that is none; to be told by `protocol_error`.
    Bad(BadLine),
    /// The host is gone. Nothing follows.
    End,
}

/// Reads commands off `input` until it ends, fails, or the receiver is dropped.
///
/// A receiver that is slow stops the reading, and so the host. The thread cannot be ended while it waits for
/// input, and nobody waits for it: it holds nothing but `input`.
///
/// # Errors
/// The operating system gives no thread.
pub fn spawn_reader(
    input: impl Read + Send + 'static,
    limit: LineLimit,
) -> io::Result<mpsc::Receiver<Incoming>> {
    let (requests, receiver) = mpsc::channel(WAITING);
    thread::Builder::new().name("ipc-read".into()).spawn(move || {
        // A receiver that is gone ends the reading, and there is nobody left to tell.
        let _ = read_all(input, Decoder::new(limit), &requests);
    })?;
    Ok(receiver)
}

/// The receiver is gone.
struct Unheard;

fn read_all(
    mut input: impl Read,
    mut decoder: Decoder,
    requests: &mpsc::Sender<Incoming>,
) -> Result<(), Unheard> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                let mut bytes = &buffer[..read];
                while let Some(line) = decoder.decode(&mut bytes) {
                    hand_over(requests, line.into())?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::warn!(%error, "stdin cannot be read, which is taken as its end");
                break;
            }
        }
    }
    if let Some(line) = decoder.finish() {
        hand_over(requests, line.into())?;
    }
    hand_over(requests, Incoming::End)
}

fn hand_over(requests: &mpsc::Sender<Incoming>, item: Incoming) -> Result<(), Unheard> {
    requests.blocking_send(item).map_err(|_| Unheard)
}

impl From<Result<Request, BadLine>> for Incoming {
    fn from(line: Result<Request, BadLine>) -> Self {
        line.map_or_else(Self::Bad, Self::Request)
    }
}
