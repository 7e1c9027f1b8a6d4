//! A client's end: many questions at once over one connection.

use super::{
    HELLO,
    frame::{
        Answer, Ask, Greeting, LineReader, LineWriter, Opening, Request, TooLong, line, read, reader, write,
        writer,
    },
    listen::{PathTooLong, check_length},
    secret::Secret,
};
use crate::{
    Mismatch,
    event::view::{GrantView, PairingView, PluginView, ToolView},
    field,
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::{
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, oneshot},
    time::timeout,
};

/// Questions that may wait to be written.
const WAITING: usize = 16;

/// What comes of a question: the daemon's data, or its sentence.
type Outcome = Result<Value, String>;

/// A question on its way to the connection.
#[derive(Debug)]
struct Question {
    ask: Ask,
    answer: oneshot::Sender<Outcome>,
}

/// Asks the daemon. Clones ask over one connection, which somebody must [drive](Link::run).
#[derive(Clone, Debug)]
pub struct Client(mpsc::Sender<Question>);

/// The connection. It does nothing until it is [run](Self::run).
#[derive(Debug)]
pub struct Link {
    read: LineReader<OwnedReadHalf>,
    write: LineWriter<OwnedWriteHalf>,
    questions: mpsc::Receiver<Question>,
    open: Open,
}

/// The questions that wait for their answers.
#[derive(Debug, Default)]
struct Open(Mutex<HashMap<u64, oneshot::Sender<Outcome>>>);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The path is longer than the system takes.
    #[error(transparent)]
    PathTooLong(#[from] PathTooLong),
    /// Nobody serves there.
    #[error("no daemon answers at {}", path.display())]
    NoDaemon {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The daemon said no, in this sentence.
    #[error("{0}")]
    Refused(String),
    /// Somebody answers who does not speak as a daemon does.
    #[error("what answers at {} is no daemon of this kind", path.display())]
    NoHello {
        /// The path.
        path: PathBuf,
    },
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The daemon said no, in this sentence.
    #[error("{0}")]
    Refused(String),
    /// The connection is over. Whether a call was carried out is not known.
    #[error("the daemon is gone; whether it was done is not known")]
    Gone,
    /// The daemon said something else than what was asked for.
    #[error("the daemon's answer cannot be read: {0}")]
    Unreadable(Mismatch),
}

/// Connects to the daemon at `path`: with the secret of a session on its behalf, without one as the command line.
///
/// # Errors
/// As [`ConnectError`].
pub async fn connect(path: &Path, secret: Option<Secret>) -> Result<(Client, Link), ConnectError> {
    check_length(path)?;
    let stream = UnixStream::connect(path)
        .await
        .map_err(|source| ConnectError::NoDaemon {
            path: path.into(),
            source,
        })?;
    let (read_half, write_half) = stream.into_split();
    let (mut lines, mut out) = (reader(read_half), writer(write_half));
    let hello = line(&Opening::Hello { secret });
    let greeting = async {
        write(&mut out, hello.ok()?).await.ok()?;
        read::<Greeting>(&lines.next().await?.ok()?).ok()
    };
    match timeout(HELLO, greeting).await {
        Ok(Some(Greeting::Hello)) => {}
        Ok(Some(Greeting::Error { message })) => return Err(ConnectError::Refused(message)),
        Ok(None) | Err(_) => return Err(ConnectError::NoHello { path: path.into() }),
    }
    let (sender, questions) = mpsc::channel(WAITING);
    let link = Link {
        read: lines,
        write: out,
        questions,
        open: Open::default(),
    };
    Ok((Client(sender), link))
}

impl Client {
    /// The tools that the session may see.
    ///
    /// # Errors
    /// As [`AskError`].
    pub async fn list(&self) -> Result<Vec<ToolView>, AskError> {
        self.ask(Ask::List).await
    }

    /// Calls a tool, through the gate. A person may be asked: that may take minutes.
    ///
    /// # Cancel safety
    /// Dropped, the call goes on and its answer is dropped.
    ///
    /// # Errors
    /// As [`AskError`]; a refused or failed call is [`AskError::Refused`].
    pub async fn call(&self, tool: impl Into<String>, input: Value) -> Result<Value, AskError> {
        let tool = tool.into();
        self.ask(Ask::Call { tool, input }).await
    }

    /// The grants that are in force.
    ///
    /// # Errors
    /// As [`AskError`].
    pub async fn grants(&self) -> Result<Vec<GrantView>, AskError> {
        self.ask(Ask::Grants).await
    }

    /// The plugins, what they bring, and how their services stand.
    ///
    /// # Errors
    /// As [`AskError`].
    pub async fn plugins(&self) -> Result<Vec<PluginView>, AskError> {
        self.ask(Ask::Plugins).await
    }

    /// Ends a grant before its time. Says whether there was such a grant in force.
    ///
    /// # Errors
    /// As [`AskError`].
    pub async fn revoke_grant(&self, grant_id: i64) -> Result<bool, AskError> {
        self.ask(Ask::RevokeGrant { grant_id }).await
    }

    /// Lets the sender in whose code it is.
    ///
    /// # Errors
    /// As [`AskError`]; a code that is wrong or void, or that is not heard now, is [`AskError::Refused`].
    pub async fn pair(&self, code: impl Into<String>) -> Result<PairingView, AskError> {
        let code = code.into();
        self.ask(Ask::Pair { code }).await
    }

    /// Makes a paired sender a stranger again, or takes a code back.
    ///
    /// # Errors
    /// As [`AskError`]; a pairing that is over is [`AskError::Refused`].
    pub async fn unpair(&self, pairing_id: i64) -> Result<PairingView, AskError> {
        self.ask(Ask::Unpair { pairing_id }).await
    }

    async fn ask<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, AskError> {
        let (answer, answered) = oneshot::channel();
        let question = Question { ask, answer };
        self.0.send(question).await.map_err(|_| AskError::Gone)?;
        match answered.await {
            Ok(Ok(data)) => field::read(data).map_err(AskError::Unreadable),
            Ok(Err(sentence)) => Err(AskError::Refused(sentence)),
            Err(_) => Err(AskError::Gone),
        }
    }
}

impl Link {
    /// Carries questions and answers until the daemon or the last [`Client`] is gone. Open questions end with
    /// [`AskError::Gone`].
    ///
    /// # Cancel safety
    /// Dropping it ends the connection.
    ///
    /// # Errors
    /// The connection broke, or the daemon does not speak as it should.
    pub async fn run(self) -> io::Result<()> {
        let Self {
            read,
            write,
            questions,
            open,
        } = self;
        tokio::select! {
            ended = take_answers(read, &open) => ended,
            ended = put_questions(write, questions, &open) => ended,
        }
    }
}

async fn put_questions(
    mut to: LineWriter<OwnedWriteHalf>,
    mut questions: mpsc::Receiver<Question>,
    open: &Open,
) -> io::Result<()> {
    let mut id = 0;
    while let Some(Question { ask, answer }) = questions.recv().await {
        id += 1;
        match line(&Request { id, ask }) {
            Ok(line) => {
                open.add(id, answer);
                write(&mut to, line).await?;
            }
            // Nobody waits for the answer any more, or is told here.
            Err(too_long @ TooLong { .. }) => drop(answer.send(Err(too_long.to_string()))),
        }
    }
    Ok(())
}

async fn take_answers(mut from: LineReader<OwnedReadHalf>, open: &Open) -> io::Result<()> {
    while let Some(line) = from.next().await {
        let line = line.map_err(|error| io::Error::other(error.to_string()))?;
        let answer: Answer<Value> = read(&line).map_err(io::Error::other)?;
        let outcome = if answer.ok {
            Ok(answer.data.unwrap_or_default())
        } else {
            Err(answer.error.unwrap_or_default())
        };
        open.settle(answer.id, outcome);
    }
    Ok(())
}

impl Open {
    fn add(&self, id: u64, answer: oneshot::Sender<Outcome>) {
        self.all().insert(id, answer);
    }

    fn settle(&self, id: u64, outcome: Outcome) {
        if let Some(answer) = self.all().remove(&id) {
            // Who does not wait any more does not want to know.
            let _ = answer.send(outcome);
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Outcome>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
