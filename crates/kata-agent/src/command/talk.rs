//! Talking with a program: feed it, and listen to it until it is done.

use std::{fmt, io, pin::pin, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::ChildStdin,
    select,
    sync::Notify,
    time::{sleep, timeout},
    try_join,
};

use crate::{
    Stopwatch,
    process::{End, Exit, Heard, Tail},
    stopwatch::silence,
};

/// The longest answer.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// After the program ended its pipes are read for this long: a process that it left behind may hold them open.
const LINGER: Duration = Duration::from_millis(250);

/// After it closed its stdout, which ends its answer, a program has this long to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a program said until it ended.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) answer: Vec<u8>,
    pub(super) complaint: Tail,
    /// None = it closed its stdout and lives on.
    pub(super) end: Option<End>,
}

/// A talk that did not come to its end.
#[derive(Debug)]
pub(super) enum Broken {
    TooLong,
    Silent(Duration),
    Io(io::Error),
}

/// Feeds `given` to a program and reads what it says until it ends. Without progress for `no_progress`, counted on
/// `watch`, that is over.
///
/// # Cancel safety
/// Not cancel safe: what was said is lost. Dropping it ends nothing; that is the leash's.
pub(super) async fn talk(
    heard: Heard<'_>,
    stdin: ChildStdin,
    given: &[u8],
    no_progress: Option<Duration>,
    watch: &Stopwatch,
) -> Result<Spoken, Broken> {
    let (mut answer, mut complaint, progress) = (Vec::new(), Tail::default(), Notify::new());
    let answered = Notify::new();
    let end = {
        // All three at once: a program may answer before it has read, and stop reading until it is heard.
        let talk = async {
            try_join!(
                feed(stdin, given),
                async {
                    let heard = listen(heard.stdout, &progress, |bytes| {
                        answer.extend_from_slice(bytes);
                        if answer.len() > MAX_ANSWER {
                            Err(Broken::TooLong)
                        } else {
                            Ok(())
                        }
                    });
                    heard.await?;
                    answered.notify_one();
                    Ok(())
                },
                listen(heard.stderr, &progress, |bytes| {
                    complaint.push(bytes);
                    Ok(())
                }),
            )
            .map(|_| ())
        };
        select! {
            ended = until_exit(heard.program, talk, &answered) => ended?,
            limit = silence(&progress, no_progress, watch) => return Err(Broken::Silent(limit)),
        }
    };
    Ok(Spoken {
        answer,
        complaint,
        end,
    })
}

/// Waits for the program and for the talk with it, but for the talk not much longer, and for a program that has `answered`
/// not much longer either: none then.
async fn until_exit(
    mut program: Exit<'_>,
    talk: impl Future<Output = Result<(), Broken>>,
    answered: &Notify,
) -> Result<Option<End>, Broken> {
    let mut talk = pin!(talk);
    let mut over = pin!(async {
        answered.notified().await;
        sleep(PATIENCE).await;
    });
    select! {
        said = &mut talk => {
            said?;
            select! {
                end = program.wait() => Ok(Some(end?)),
                () = over => Ok(None),
            }
        }
        end = program.wait() => {
            if let Ok(said) = timeout(LINGER, talk).await {
                said?;
            }
            Ok(Some(end?))
        }
        () = &mut over => Ok(None),
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
