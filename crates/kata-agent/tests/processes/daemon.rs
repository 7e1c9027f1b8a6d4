//! This binary as a daemon that is killed.

use std::{ffi::OsString, path::Path, process::ExitCode};

use kata_agent::CommandAgent;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::guard;

/// Runs one script as a guarded agent: `{home} {script}`.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &[OsString]) -> ExitCode {
    let settings = guard::settings(Path::new(&args[0]), args[1].to_str().unwrap());
    let run = CommandAgent::new(settings, TaskTracker::new()).oneshot(guard::turn(""));
    run.await.unwrap();
    ExitCode::SUCCESS
}
