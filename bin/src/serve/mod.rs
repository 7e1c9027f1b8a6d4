//! `katad serve`: the run without the app. Configuration and tokens come from the folder, and what a host would be told is said
//! in the log.

mod follow;
mod words;

use std::future::pending;

use kata_ipc::event::DaemonStatus;
use tokio::sync::mpsc;

use crate::{
    daemon::Events,
    drain::{self, Ending, Sign},
    exit::Exit,
    folder::{Environment, user_home},
    home::{DaemonConfig, Home, Lock, LockError, parse_daemon_json},
    logging, start, terminal,
};

/// Serves until a signal comes.
pub(crate) fn run() -> Exit {
    let prepared = Home::from_env().map_err(|why| why.to_string()).and_then(|home| {
        home.create().map_err(|why| why.to_string())?;
        let config = parse_daemon_json(&home.daemon_json())?;
        Ok((home, config))
    });
    let (home, config) = match prepared {
        Ok(prepared) => prepared,
        Err(why) => return terminal::fail(why, Exit::BadConfig),
    };
    let _logs = logging::init(&config.log, Some(&home.logs()));
    let Ok(runtime) = crate::runtime() else {
        return Exit::Bug;
    };
    let exit = runtime.block_on(serve(home, config));
    // A blocking call that hangs must not keep the process.
    runtime.shutdown_background();
    exit
}

async fn serve(home: Home, config: DaemonConfig) -> Exit {
    let Ok(mut ending) = Ending::signals() else {
        return Exit::Bug;
    };
    let lock_file = home.lock_file();
    let lock = tokio::select! {
        biased;
        _ = ending.sign() => return Exit::Done,
        taken = Lock::take(&lock_file) => taken,
    };
    let lock = match lock {
        Ok(lock) => lock,
        Err(why @ LockError::Held { .. }) => return cannot_start(&why.to_string(), Exit::TryLater),
        Err(why) => return cannot_start(&why.to_string(), Exit::BadConfig),
    };
    let (events, heard) = mpsc::channel(64);
    let events = Events::inside(events);
    let mut started = match start::daemon(home, config, events.clone(), false) {
        Ok(started) => started,
        Err(failed) => return cannot_start(&failed.why, failed.exit),
    };
    let daemon = started.daemon.clone();
    daemon.tasks.spawn(words::tell(heard));
    started.announce().await;
    let user = user_home();
    let environment = Environment::of(std::env::vars_os());
    daemon.spawn_critical("folder", follow::run(daemon.clone(), environment, user));
    let sign = tokio::select! {
        biased;
        sign = ending.sign() => sign,
        () = daemon.stopping.cancelled() => Sign::Broken,
    };
    let exit = drain::drain(&daemon, sign, pending(), &mut ending).await;
    drop(started.pid);
    drop(lock);
    events.status(DaemonStatus::Stopped, None, None).await;
    tracing::info!("stopped");
    exit
}

fn cannot_start(why: &str, exit: Exit) -> Exit {
    tracing::error!(code = exit.code(), "cannot start: {why}");
    exit
}
