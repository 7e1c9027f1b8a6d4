//! A terminal: an input, an output, and whoever sits at them.

use std::{
    fmt,
    io::{self, BufRead, Write},
    sync::{Arc, Mutex, PoisonError},
};

use kata_channel::{Inbound, markdown::Dialect};
use tokio::sync::{self, mpsc, watch};

use crate::{dialect, input, screen::Screen};

/// How a terminal looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalOptions {
    /// The output understands ANSI sequences.
    pub colour: bool,
    /// Somebody sits at it: a prompt is shown.
    pub interactive: bool,
    /// Who sits at it, as prompt and as the sender's name.
    pub user: String,
}

/// A terminal. Clones are the same one.
#[derive(Clone)]
pub struct Terminal {
    shared: Arc<Shared>,
}

struct Shared {
    user: String,
    colour: bool,
    screen: Mutex<Screen>,
    /// One subscription reads at a time; the next one goes on where it left off.
    typed: sync::Mutex<Typed>,
    ended: watch::Sender<bool>,
    gone: watch::Sender<bool>,
}

/// What was typed and is not durable yet.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) lines: mpsc::Receiver<String>,
    /// Taken from `lines`, not yet committed: a subscription that is dropped meanwhile loses nothing.
    pub(crate) unpushed: Option<Inbound>,
}

// === impl Terminal ===

impl Terminal {
    /// Reads from `input` from now on, on a thread of its own that ends with the input or the process.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn open(
        input: impl BufRead + Send + 'static,
        output: impl Write + Send + 'static,
        options: TerminalOptions,
    ) -> io::Result<Self> {
        let TerminalOptions {
            colour,
            interactive,
            user,
        } = options;
        let prompt = interactive.then(|| format!("{user}> "));
        let shared = Shared {
            user,
            colour,
            screen: Mutex::new(Screen::new(Box::new(output), colour, prompt)),
            typed: sync::Mutex::new(Typed {
                lines: input::read(input)?,
                unpushed: None,
            }),
            ended: watch::Sender::new(false),
            gone: watch::Sender::new(false),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Returns when the input has ended and everything that was typed is durable. Answers may still be on their way.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn ended(&self) {
        // The sender lives in `self`: this cannot fail.
        let _ = self.shared.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Returns when the output is gone: whoever looked at it left.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn gone(&self) {
        // The sender lives in `self`: this cannot fail.
        let _ = self.shared.gone.subscribe().wait_for(|gone| *gone).await;
    }

    /// Prints a remark of the program's own (a session's name, a verdict, a time), set off from the answers.
    ///
    /// # Cancel safety
    /// Dropped midway, the remark may still be printed.
    ///
    /// # Errors
    /// The output is gone.
    pub async fn note(&self, text: impl Into<String>) -> io::Result<()> {
        let text = text.into();
        self.on_screen(move |screen| screen.note(&text)).await
    }

    pub(crate) fn dialect(&self) -> Dialect {
        if self.shared.colour {
            dialect::TERMINAL
        } else {
            dialect::PLAIN
        }
    }

    pub(crate) fn user(&self) -> &str {
        &self.shared.user
    }

    pub(crate) fn typed(&self) -> &sync::Mutex<Typed> {
        &self.shared.typed
    }

    pub(crate) fn end(&self) {
        self.shared.ended.send_replace(true);
    }

    /// Writes off the runtime's threads: an output that nobody reads blocks.
    pub(crate) async fn on_screen<F>(&self, write: F) -> io::Result<()>
    where
        F: FnOnce(&mut Screen) -> io::Result<()> + Send + 'static,
    {
        let shared = self.shared.clone();
        let written = tokio::task::spawn_blocking(move || {
            write(&mut shared.screen.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await
        .map_err(io::Error::other)?;
        if written.is_err() {
            self.shared.gone.send_replace(true);
        }
        written
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("user", &self.shared.user)
            .finish_non_exhaustive()
    }
}
