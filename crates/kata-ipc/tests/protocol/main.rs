//! The protocol from outside: every shape, the framing, the pipes.
#![expect(
    clippy::unwrap_used,
    reason = "in a test it is an assertion, in its support code too"
)]

mod commands;
mod events;
mod framing;
mod pipes;
mod schema;
#[cfg(unix)]
mod sockets;

use kata_ipc::{
    BadLine, Request,
    codec::{Decoder, LineLimit},
};

/// Everything that `bytes` say, end of the stream included.
fn decode_all(bytes: &[u8]) -> Vec<Result<Request, BadLine>> {
    decode_chunks([bytes], LineLimit::default())
}

fn decode_chunks<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
    limit: LineLimit,
) -> Vec<Result<Request, BadLine>> {
    let mut decoder = Decoder::new(limit);
    let mut items = Vec::new();
    for mut chunk in chunks {
        while let Some(item) = decoder.decode(&mut chunk) {
            items.push(item);
        }
    }
    items.extend(decoder.finish());
    items
}

/// The one request that `line` is, which may be wrapped for the reader.
fn request(line: &str) -> Request {
    match decode_all(line.replace('\n', " ").as_bytes()).pop() {
        Some(Ok(request)) => request,
        other => panic!("{line} is no request but {other:?}"),
    }
}

/// Why `line` is none.
fn refusal(line: impl AsRef<[u8]>) -> BadLine {
    let mut items = decode_all(line.as_ref());
    assert_eq!(items.len(), 1, "one line, one item");
    items.remove(0).expect_err("a bad line")
}
