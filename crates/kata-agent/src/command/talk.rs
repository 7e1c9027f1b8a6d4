//! Talking with a program: feed it, and listen to it until it is done.

use std::{fmt, io, pin::pin, process::ExitStatus, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
    select,
    sync::Notify,
    time::timeout,
    try_join,
};

/// The longest answer.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// How much of the end of stderr is kept.
const KEPT: usize = 8 * 1024;

/// The longest line of stderr that goes into an error, in characters.
const MAX_LINE: usize = 300;

/// After the program ended its pipes are read for this long: a process that it left behind may hold them open.
const LINGER: Duration = Duration::from_millis(250);

/// A started program and what comes out of it. Borrowed, since the pipes outlive the talk: a program whose stderr is
/// closed before it may tidy up dies of its first complaint.
#[derive(Debug)]
pub(super) struct Talk<'a> {
    pub(super) program: &'a mut Child,
    pub(super) stdout: &'a mut ChildStdout,
    pub(super) stderr: &'a mut ChildStderr,
}

/// What a program said until it ended.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) answer: Vec<u8>,
    pub(super) complaint: Tail,
    pub(super) status: ExitStatus,
}

/// The end of a long text.
#[derive(Debug, Default)]
pub(super) struct Tail(Vec<u8>);

/// A talk that did not come to its end.
#[derive(Debug)]
pub(super) enum Broken {
    TooLong,
    Silent(Duration),
    Io(io::Error),
}

// === impl Talk ===

impl Talk<'_> {
    /// Feeds `given` to the program and reads what it says until it ends.
    ///
    /// # Cancel safety
    /// Not cancel safe: what was said is lost. Dropping it ends nothing; that is the leash's.
    pub(super) async fn hold(
        self,
        stdin: ChildStdin,
        given: &[u8],
        no_progress: Option<Duration>,
    ) -> Result<Spoken, Broken> {
        let (mut answer, mut complaint, progress) = (Vec::new(), Tail::default(), Notify::new());
        let status = {
            // All three at once: a program may answer before it has read, and stop reading until it is heard.
            let talk = async {
                try_join!(
                    feed(stdin, given),
                    listen(self.stdout, &progress, |bytes| {
                        answer.extend_from_slice(bytes);
                        if answer.len() > MAX_ANSWER {
                            Err(Broken::TooLong)
                        } else {
                            Ok(())
                        }
                    }),
                    listen(self.stderr, &progress, |bytes| {
                        complaint.push(bytes);
                        Ok(())
                    }),
                )
                .map(|_| ())
            };
            select! {
                ended = until_exit(self.program, talk) => ended?,
                limit = silence(&progress, no_progress) => return Err(Broken::Silent(limit)),
            }
        };
        Ok(Spoken {
            answer,
            complaint,
            status,
        })
    }
}

/// Waits for the program and for the talk with it, but for the talk not much longer.
async fn until_exit(
    program: &mut Child,
    talk: impl Future<Output = Result<(), Broken>>,
) -> Result<ExitStatus, Broken> {
    let mut talk = pin!(talk);
    select! {
        said = &mut talk => {
            said?;
            Ok(program.wait().await?)
        }
        status = program.wait() => {
            if let Ok(said) = timeout(LINGER, talk).await {
                said?;
            }
            Ok(status?)
        }
    }
}

async fn feed(mut stdin: ChildStdin, given: &[u8]) -> Result<(), Broken> {
    match stdin.write_all(given).await {
        // A program need not read what it is given.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        fed => Ok(fed?),
    }
}

async fn listen(
    from: &mut (impl AsyncRead + Unpin),
    progress: &Notify,
    mut hear: impl FnMut(&[u8]) -> Result<(), Broken>,
) -> Result<(), Broken> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        progress.notify_one();
        hear(&buffer[..read])?;
    }
}

/// Returns once there was no progress for the limit; without a limit never.
async fn silence(progress: &Notify, limit: Option<Duration>) -> Duration {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    while timeout(limit, progress.notified()).await.is_ok() {}
    limit
}

// === impl Tail ===

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let surplus = self.0.len().saturating_sub(KEPT);
        self.0.drain(..surplus);
    }

    /// All that was kept.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The last line with something on it, fit to be shown: short, and without control characters.
    pub(super) fn last_line(&self) -> String {
        let text = self.text();
        let line = text
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or_default();
        line.chars().filter(|c| !c.is_control()).take(MAX_LINE).collect()
    }
}

// === impl Broken ===

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "wrote more than {} MiB", MAX_ANSWER / (1024 * 1024)),
            Self::Silent(limit) => write!(f, "wrote nothing for {} s", limit.as_secs()),
            Self::Io(error) => write!(f, "cannot be heard: {error}"),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
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
    fn a_line_in_an_error_is_short() {
        let mut tail = Tail::default();
        tail.push("é".repeat(2 * MAX_LINE).as_bytes());
        assert_eq!(tail.last_line().chars().count(), MAX_LINE);
    }
}
