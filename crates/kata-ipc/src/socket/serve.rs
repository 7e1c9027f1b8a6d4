//! The daemon's end of one connection.

use super::{
    HELLO,
    frame::{
        Answer, Data, Greeting, LineReader, LineWriter, Opening, Request, TooLong, line, read, reader, write,
        writer,
    },
    secret::Secret,
};
use crate::Mismatch;
use futures_util::StreamExt;
use serde_json::Value;
use std::{io, sync::Arc};
use tokio::{
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Mutex,
    time::timeout,
};
use tokio_util::codec::LinesCodecError;

/// A client that has said nothing yet.
#[derive(Debug)]
pub struct Arrival(UnixStream);

/// A client that said hello, and waits to hear whether it is welcome.
#[derive(Debug)]
pub struct Guest {
    secret: Option<Secret>,
    read: LineReader<OwnedReadHalf>,
    write: LineWriter<OwnedWriteHalf>,
}

/// Why an arrival never became a guest. Nobody is told: it did not even say hello.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// It took too long.
    #[error("a client did not say hello within {HELLO:?}")]
    Silent,
    /// It went away, or its first line was no hello.
    #[error("a client's first line is no hello")]
    NoHello,
}

impl Arrival {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self(stream)
    }

    /// Waits for its hello, [`HELLO`] long.
    ///
    /// # Cancel safety
    /// Dropping it ends the connection.
    ///
    /// # Errors
    /// As [`Rejected`]; the connection is over.
    pub async fn greeted(self) -> Result<Guest, Rejected> {
        let (read_half, write_half) = self.0.into_split();
        let mut lines = reader(read_half);
        let first = timeout(HELLO, lines.next()).await.map_err(|_| Rejected::Silent)?;
        let Some(Ok(first)) = first else {
            return Err(Rejected::NoHello);
        };
        let Opening::Hello { secret } = read(&first).map_err(|_| Rejected::NoHello)?;
        Ok(Guest {
            secret,
            read: lines,
            write: writer(write_half),
        })
    }
}

impl Guest {
    /// What it showed; nothing for the command line.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// Lets it in.
    ///
    /// # Errors
    /// It is gone.
    pub async fn welcome(mut self) -> io::Result<(Requests, Answers)> {
        write(&mut self.write, said(&Greeting::Hello)?).await?;
        let answers = Answers(Arc::new(Mutex::new(self.write)));
        Ok((Requests(self.read), answers))
    }

    /// Sends it away with one sentence.
    ///
    /// # Errors
    /// It is gone already.
    pub async fn refuse(mut self, message: impl Into<String>) -> io::Result<()> {
        let message = message.into();
        write(&mut self.write, said(&Greeting::Error { message })?).await
    }
}

fn said(greeting: &Greeting) -> io::Result<String> {
    line(greeting).map_err(io::Error::other)
}

/// What a client asks for, in order.
#[derive(Debug)]
pub struct Requests(LineReader<OwnedReadHalf>);

/// A line that is no request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It is one that we do not understand: an answer can say so, and the connection goes on.
    #[error("the request is not understood: {why}")]
    NotUnderstood {
        /// Its number.
        id: u64,
        /// Why.
        why: Mismatch,
    },
    /// It has no number to answer to. The connection is of no use any more.
    #[error("a line is no request")]
    NotARequest,
    /// It has no end. The connection is of no use any more.
    #[error("a line is longer than {} bytes", super::LINE_BYTES)]
    TooLong,
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
}

impl Requests {
    /// The next request; none when the client has gone.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// # Errors
    /// As [`RequestError`]. After any but [`NotUnderstood`](RequestError::NotUnderstood) nothing follows.
    pub async fn next(&mut self) -> Result<Option<Request>, RequestError> {
        match self.0.next().await {
            None => Ok(None),
            Some(Ok(line)) => request(&line).map(Some),
            Some(Err(LinesCodecError::MaxLineLengthExceeded)) => Err(RequestError::TooLong),
            Some(Err(LinesCodecError::Io(error))) => Err(RequestError::Broken(error)),
        }
    }
}

fn request(line: &str) -> Result<Request, RequestError> {
    let frame: Value = read(line).map_err(|_| RequestError::NotARequest)?;
    let id = frame
        .get("id")
        .and_then(Value::as_u64)
        .ok_or(RequestError::NotARequest)?;
    crate::field::read(frame).map_err(|why| RequestError::NotUnderstood { id, why })
}

/// Answers a client, in any order. Clones write to one connection.
#[derive(Clone, Debug)]
pub struct Answers(Arc<Mutex<LineWriter<OwnedWriteHalf>>>);

impl Answers {
    /// Answers one request: with what was asked for, or with one sentence. An answer that is longer than a line may be
    /// becomes a sentence that says so.
    ///
    /// # Cancel safety
    /// Dropped midway, the answer may be lost; the connection stays whole.
    ///
    /// # Errors
    /// The client is gone, or reads nothing for 10 s.
    pub async fn send(&self, id: u64, outcome: Result<Data, String>) -> io::Result<()> {
        let line = line(&answer(id, outcome)).or_else(|too_long: TooLong| {
            line(&answer(id, Err(format!("the answer cannot be sent: {too_long}"))))
        });
        write(&mut *self.0.lock().await, line.map_err(io::Error::other)?).await
    }
}

fn answer(id: u64, outcome: Result<Data, String>) -> Answer<Data> {
    let (data, error) = match outcome {
        Ok(data) => (Some(data), None),
        Err(error) => (None, Some(error)),
    };
    Answer {
        id,
        ok: error.is_none(),
        data,
        error,
    }
}
