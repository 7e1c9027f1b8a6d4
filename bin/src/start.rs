//! Opens what a daemon needs, and starts it: the same with a host and without one.

use std::sync::Arc;

use kata_channel::Clock;
use kata_ipc::event::DaemonStatus;
use kata_store::{OpenError, SetAside, StoreError};

use crate::{
    daemon::{Daemon, Events, Parts},
    exit::Exit,
    home::{DaemonConfig, Home, PidFile},
    host::HostLink,
    open, plugins,
    tasks::Desk,
};

/// A daemon that runs, with what must outlive it.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) daemon: Arc<Daemon>,
    /// To be dropped before the lock is: the next daemon must not find our pid in a file that it may already write.
    pub(crate) pid: PidFile,
    set_aside: Option<SetAside>,
    parked: Vec<i64>,
}

/// There will be no daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) why: String,
    pub(crate) exit: Exit,
}

/// Makes the daemon on a directory whose lock is held, and starts its loops. With `with_host` turns may go to the host.
pub(crate) fn daemon(
    home: Home,
    config: DaemonConfig,
    events: Events,
    with_host: bool,
) -> Result<Started, Failed> {
    let clock = Clock::system();
    let opened = open::store(&home, &config, &clock)
        .map_err(|why| failed(open::refusal(&home, &why), exit_of(&why)))?;
    let pid = PidFile::write(home.pid_file()).map_err(|why| {
        let said = format!("cannot write {}: {why}", home.pid_file().display());
        failed(said, Exit::BadConfig)
    })?;
    let desk = Desk::default();
    let plugins = plugins::all(&desk).map_err(|why| failed(why.to_string(), Exit::Bug))?;
    let (host, turns) = with_host.then(HostLink::new).unzip();
    let daemon = Daemon::new(Parts {
        home,
        config,
        store: opened.store,
        clock,
        events,
        plugins,
        desk,
        host: host.clone(),
    });
    if let (Some(host), Some(turns)) = (host, turns) {
        daemon
            .tasks
            .spawn(HostLink::deliver(Arc::clone(&daemon), host, turns));
    }
    daemon.start();
    Ok(Started {
        daemon,
        pid,
        set_aside: opened.set_aside,
        parked: opened.parked,
    })
}

// === impl Started ===

impl Started {
    /// Says that it runs, and what was found at its start.
    pub(crate) async fn announce(&mut self) {
        let daemon = &self.daemon;
        daemon.events.status(DaemonStatus::Running, None, None).await;
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            pid = std::process::id(),
            "running"
        );
        if let Some(aside) = self.set_aside.take() {
            let said = format!(
                "the database was damaged ({}); it is kept as {}, and a new one was begun",
                aside.reason,
                aside.path.display()
            );
            daemon.events.plugin_error("katad", &said).await;
        }
        daemon.say_parked(std::mem::take(&mut self.parked));
    }
}

fn failed(why: String, exit: Exit) -> Failed {
    Failed { why, exit }
}

fn exit_of(error: &OpenError) -> Exit {
    match error {
        // Waiting helps neither of these.
        OpenError::Newer { .. } | OpenError::Store(StoreError::Database(_)) => Exit::BadConfig,
        _ => Exit::TryLater,
    }
}
