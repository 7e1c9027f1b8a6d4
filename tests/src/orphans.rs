//! Whether processes are gone.

use std::{fs, path::Path, time::Duration};

use rustix::process::Pid;
use tokio::time::{interval, timeout};

use crate::wait::PATIENCE;

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until every process that `file` names, one pid a line, has ended. A zombie has: nobody but its parent can make
/// it vanish.
///
/// # Panics
/// If the file names none, or one is still there after [`PATIENCE`].
pub async fn no_orphans(file: &Path) {
    let mut gone = Vec::new();
    loop {
        let pids = named(file);
        assert!(!pids.is_empty(), "{} names no process", file.display());
        // The processes write the file themselves: others may have come meanwhile.
        if pids == gone {
            return;
        }
        for pid in &pids {
            let ended = timeout(PATIENCE, ended(*pid)).await;
            ended.unwrap_or_else(|_| panic!("{pid:?} of {pids:?} is still there"));
        }
        gone = pids;
    }
}

fn named(file: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    text.lines()
        .filter_map(|line| Pid::from_raw(line.parse().ok()?))
        .collect()
}

/// Returns when the process has ended. A process that is no child can only be looked at.
async fn ended(pid: Pid) {
    let mut looks = interval(LOOK);
    while is_running(pid) {
        looks.tick().await;
    }
}

/// `proc_pid_stat(5)`: the state follows the name, which may contain anything.
#[cfg(target_os = "linux")]
fn is_running(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Launchd reaps the children of those that are gone: whoever takes a signal runs.
#[cfg(not(target_os = "linux"))]
fn is_running(pid: Pid) -> bool {
    rustix::process::test_kill_process(pid).is_ok()
}

#[cfg(test)]
mod tests {
    use tempfile::NamedTempFile;
    use tokio::process::Command;

    use super::*;

    #[tokio::test]
    async fn a_process_is_an_orphan_until_it_ends_and_no_longer_when_it_is_a_zombie() {
        let mut child = Command::new("sleep").arg("600").spawn().expect("a child");
        let pid = child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()))
            .expect("a pid");
        assert!(is_running(pid));
        let file = NamedTempFile::new().expect("a file");
        fs::write(&file, format!("{pid}\n")).expect("a writable file");
        child.start_kill().expect("a child that is ours");
        // Nobody has waited for it yet.
        no_orphans(file.path()).await;
        child.wait().await.expect("our child");
        assert!(!is_running(pid));
    }
}
