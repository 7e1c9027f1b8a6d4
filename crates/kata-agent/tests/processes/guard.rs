//! The guard, around programs that are agents.

use std::{
    ffi::OsString,
    fs,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use kata_agent::{AgentError, CommandAgent, CommandSettings, Guard, Input, Reply, Turn, environment};
use kata_perm::Role;
use tempfile::TempDir;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::witness::Witness;

/// This binary as a guard, with the command line that katad has for it.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let [flag, control, end, command @ ..] = args else {
        panic!("{args:?}");
    };
    assert_eq!([flag.to_str(), end.to_str()], [Some("--control"), Some("--")]);
    kata_agent::guard::run(control.to_str().unwrap().parse().unwrap(), command)
}

pub(super) fn guard() -> Guard {
    Guard {
        program: std::env::current_exe().unwrap(),
        args: vec!["as-guard".into()],
    }
}

pub(super) fn settings(home: &Path, script: &str) -> CommandSettings {
    CommandSettings {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        variables: environment(&[], |name| std::env::var_os(name)),
        input: Input::Text,
        model: None,
        sessions: home.join("sessions"),
        no_progress: None,
        guard: Some(guard()),
    }
}

pub(super) fn turn(prompt: &str) -> Turn {
    Turn {
        prompt: prompt.into(),
        ..Turn::new(1, "ws_1", "work", "daemon-work-1", Role::Member)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run_script(home: &Path, script: &str) -> Result<Reply, AgentError> {
    CommandAgent::new(settings(home, script), TaskTracker::new())
        .oneshot(turn("hello"))
        .await
}

fn sh(script: &str) -> Result<Reply, AgentError> {
    run_script(TempDir::new().unwrap().path(), script)
}

pub(super) fn passes_through() {
    assert_eq!(sh("tr a-z A-Z; echo").unwrap().text, "HELLO");
    assert_eq!(
        sh("echo 'no key' >&2; exit 3"),
        Err(AgentError::Failed("sh ended with exit code 3: no key".into()))
    );
    assert_eq!(
        sh("kill -9 $$"),
        Err(AgentError::Dead("sh was killed by signal 9".into()))
    );
}

pub(super) fn closes_stdout() {
    // The witness sees that what lives on is ended. Well before the turn's lease, which this test would wait for for ever.
    let home = TempDir::new().unwrap();
    let witness = Witness::new(home.path());
    let script = witness.seeing("echo lives >&9; echo answer; exec >&-; exec sleep 1000");
    assert_eq!(run_script(home.path(), &script).unwrap().text, "answer");
    witness.gone.blocking_recv().unwrap();
    assert_eq!(
        sh("echo 'no words' >&2; exec >&-; exec sleep 1000"),
        Err(AgentError::Dead(
            "sh closed its stdout without an answer, and lives on: no words".into()
        ))
    );
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn names_what_is_not_there() {
    let home = TempDir::new().unwrap();
    let settings = CommandSettings {
        program: "no-such-agent".into(),
        ..settings(home.path(), "")
    };
    let failed = CommandAgent::new(settings, TaskTracker::new())
        .oneshot(turn(""))
        .await;
    let text = failed.unwrap_err().to_string();
    assert!(text.contains("no-such-agent cannot be started: "), "{text}");
}

pub(super) fn needs_its_pipe() {
    let guard = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["as-guard", "--control", "99", "--", "true"])
        .output()
        .unwrap();
    assert_eq!(guard.status.code(), Some(127));
    let said = String::from_utf8(guard.stderr).unwrap();
    assert!(
        said.contains("descriptor 99, the control pipe, cannot be opened"),
        "{said}"
    );
}

pub(super) fn ignores_signals() {
    let script = "for signal in TERM INT HUP; do kill -$signal $PPID; done; echo still here";
    assert_eq!(sh(script).unwrap().text, "still here");
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn ends_a_dropped_run() {
    let home = TempDir::new().unwrap();
    let witness = Witness::new(home.path());
    // One that tidies up, and one that does not want to end.
    let script = witness.seeing(
        "sh -c 'trap \"\" TERM; sleep 1000 & echo lives >&9; wait; wait' & trap 'echo tidy > tidied; exit' TERM; wait; wait",
    );
    let tasks = TaskTracker::new();
    let run = CommandAgent::new(settings(home.path(), &script), tasks.clone()).oneshot(turn(""));
    tokio::select! {
        ended = run => panic!("it was to be dropped: {ended:?}"),
        lives = witness.lives => lives.unwrap(),
    }
    tasks.close();
    tasks.wait().await;
    witness.gone.await.unwrap();
    let tidied = fs::read_to_string(home.path().join("sessions/daemon-work-1/tidied")).unwrap();
    assert_eq!(tidied, "tidy\n");
}

pub(super) fn ends_what_is_left() {
    let home = TempDir::new().unwrap();
    let witness = Witness::new(home.path());
    let since = Instant::now();
    let script = witness.seeing("trap '' TERM; sleep 1000 & echo lives >&9; echo answer");
    assert_eq!(run_script(home.path(), &script).unwrap().text, "answer");
    witness.gone.blocking_recv().unwrap();
    // Nobody waits for the grace of a program that has ended itself.
    assert!(since.elapsed() < Duration::from_secs(2));
}

pub(super) fn outlives_no_daemon() {
    let home = TempDir::new().unwrap();
    let witness = Witness::new(home.path());
    let script = witness.seeing("sh -c 'trap \"\" TERM; sleep 1000 & wait; wait' & echo lives >&9; wait");
    let mut daemon = std::process::Command::new(std::env::current_exe().unwrap())
        .arg("as-daemon")
        .arg(home.path())
        .arg(script)
        .spawn()
        .unwrap();
    witness.lives.blocking_recv().unwrap();
    // SIGKILL: the daemon itself does nothing any more.
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    witness.gone.blocking_recv().unwrap();
}
