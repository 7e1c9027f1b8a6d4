//! `katad run`: serves a host over stdin and stdout, from the first `starting` to the last `stopped`.

use std::{io, sync::Arc, time::Duration};

use kata_ipc::{
    Command, Outgoing, Request,
    codec::LineLimit,
    event::DaemonStatus,
    stdio::{Incoming, Writer, spawn_reader, spawn_writer},
};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    commands,
    daemon::{Daemon, Events},
    drain::{self, Ending},
    exit::Exit,
    home::{DaemonConfig, Home, Lock, LockError, LogConfig, parse_daemon_json},
    logging,
    start::{self, Started},
    stdio,
};

/// A fatal start waits this long for a line: a daemon that exits before it has read stdin raises EPIPE in the app.
const FIRST_LINE: Duration = Duration::from_secs(1);
/// The last events may take this long to reach a host that does not read.
const FLUSH: Duration = Duration::from_millis(300);
/// Commands that may come while the lock is waited for. The app sends one.
const EARLY: usize = 64;

/// Runs until the host says so, goes away, or a signal comes.
pub(crate) fn run(ignored: &[String]) -> Exit {
    let Ok(stdout) = stdio::take_stdout() else {
        return Exit::Bug;
    };
    let home = Home::from_env();
    let config = home
        .as_ref()
        .map_err(ToString::to_string)
        .and_then(|home| home.create().map_err(|e| e.to_string()))
        .and_then(|()| {
            home.as_ref().map_or_else(
                |_| Ok(DaemonConfig::default()),
                |h| parse_daemon_json(&h.daemon_json()),
            )
        });
    let (log, dir) = match (&config, &home) {
        (Ok(config), Ok(home)) => (config.log.clone(), Some(home.logs())),
        _ => (LogConfig::default(), None),
    };
    let _logs = logging::init(&log, dir.as_deref());
    if !ignored.is_empty() {
        tracing::debug!(?ignored, "ignored on the command line");
    }
    let Ok(runtime) = crate::runtime() else {
        return Exit::Bug;
    };
    let exit = runtime.block_on(async move {
        let Ok((to_host, writer)) = spawn_writer(stdout) else {
            return Exit::Bug;
        };
        let limit = LineLimit::new(
            config
                .as_ref()
                .map_or(DaemonConfig::default().max_line_bytes, |c| c.max_line_bytes),
        );
        let Ok(incoming) = spawn_reader(io::stdin(), limit) else {
            return Exit::Bug;
        };
        let events = Events::wire(to_host.clone());
        let Ok(ending) = Ending::listen(to_host) else {
            return Exit::Bug;
        };
        events.status(DaemonStatus::Starting, None, None).await;
        let session = Session {
            events: events.clone(),
            incoming,
            ending,
            early: Vec::new(),
        };
        let exit = match (home, config) {
            (Ok(home), Ok(config)) => session.serve(home, config).await,
            (_, Err(why)) => session.fail(&why, Exit::BadConfig).await,
            (Err(why), Ok(_)) => session.fail(&why.to_string(), Exit::BadConfig).await,
        };
        events.close();
        flush(writer).await;
        exit
    });
    // A blocking call that hangs must not keep the process.
    runtime.shutdown_background();
    exit
}

async fn flush(writer: Writer) {
    if let Err(why) = writer.join(FLUSH).await {
        tracing::debug!(%why, "the last events did not reach the host");
    }
}

/// A host's session with us, before and while commands are served.
#[derive(Debug)]
struct Session {
    events: Events,
    incoming: mpsc::Receiver<Incoming>,
    ending: Ending,
    /// Commands that came before we could serve them.
    early: Vec<Request>,
}

// === impl Session ===

impl Session {
    async fn serve(mut self, home: Home, config: DaemonConfig) -> Exit {
        let lock = match self.take_lock(&home).await {
            Some(Ok(lock)) => lock,
            Some(Err(why @ LockError::Held { .. })) => {
                return self.fail(&why.to_string(), Exit::TryLater).await;
            }
            Some(Err(why)) => return self.fail(&why.to_string(), Exit::BadConfig).await,
            None => return self.leave().await,
        };
        let started = start::daemon(home, config, self.events.clone(), true);
        let mut started = match started {
            Ok(started) => started,
            Err(failed) => return self.fail(&failed.why, failed.exit).await,
        };
        started.announce().await;
        let Started { daemon, pid, .. } = started;
        for request in std::mem::take(&mut self.early) {
            commands::carry_out(&daemon, request).await;
        }
        let sign = self.command_loop(&daemon).await;
        let late = drain::late_lines(&daemon, &mut self.incoming);
        let exit = drain::drain(&daemon, sign, late, &mut self.ending).await;
        drop(pid);
        drop(lock);
        self.events.status(DaemonStatus::Stopped, None, None).await;
        exit
    }

    /// Waits for the lock with stdin being read. `None` = the host or a signal said stop meanwhile.
    async fn take_lock(&mut self, home: &Home) -> Option<Result<Lock, LockError>> {
        let path = home.lock_file();
        let lock = Lock::take(&path);
        tokio::pin!(lock);
        loop {
            tokio::select! {
                biased;
                taken = &mut lock => return Some(taken),
                _ = self.ending.sign() => return None,
                line = self.incoming.recv() => match line {
                    Some(Incoming::Request(Request { command: Command::Stop, .. }) | Incoming::End) | None => return None,
                    Some(Incoming::Request(request)) if self.early.len() < EARLY => self.early.push(request),
                    Some(Incoming::Request(request)) => {
                        let name = request.command.name();
                        self.events.protocol_error("too many commands before `running`", name, request.request_id).await;
                    }
                    Some(Incoming::Bad(bad)) => self.events.send(Outgoing::from(bad)).await,
                },
            }
        }
    }

    /// Serves commands until the first sign of an end. A sign is heard while a command is carried out, too: a host
    /// that does not read holds up our answers, and must not hold up our end.
    async fn command_loop(&mut self, daemon: &Arc<Daemon>) -> drain::Sign {
        loop {
            let line = tokio::select! {
                biased;
                sign = self.ending.sign() => return sign,
                () = daemon.stopping.cancelled() => return drain::Sign::Broken,
                line = self.incoming.recv() => line,
            };
            let serve = async {
                match line {
                    Some(Incoming::Request(Request {
                        command: Command::Stop,
                        request_id,
                    })) => Some(drain::Sign::Stop { request_id }),
                    Some(Incoming::Request(request)) => {
                        commands::carry_out(daemon, request).await;
                        None
                    }
                    Some(Incoming::Bad(bad)) => {
                        self.events.send(Outgoing::from(bad)).await;
                        None
                    }
                    Some(Incoming::End) | None => Some(drain::Sign::HostGone),
                }
            };
            let sign = tokio::select! {
                biased;
                sign = self.ending.sign() => Some(sign),
                () = daemon.stopping.cancelled() => Some(drain::Sign::Broken),
                // CANCEL: dropping a command midway loses an answer that nobody reads.
                served = serve => served,
            };
            if let Some(sign) = sign {
                return sign;
            }
        }
    }

    /// Leaves without having touched anything.
    async fn leave(self) -> Exit {
        self.events.status(DaemonStatus::Stopping, None, None).await;
        self.events.status(DaemonStatus::Stopped, None, None).await;
        Exit::Done
    }

    /// Says why there will be no `running`, and leaves.
    async fn fail(mut self, why: &str, exit: Exit) -> Exit {
        tracing::error!(why, code = exit.code(), "cannot start");
        let deadline = Instant::now() + FIRST_LINE;
        // Any line will do, and so will the end of stdin.
        let _ = tokio::time::timeout_at(deadline, self.incoming.recv()).await;
        self.events
            .status(DaemonStatus::Error, Some(why.to_owned()), None)
            .await;
        exit
    }
}
