// The programs of these tests are those of a Unix.
#![cfg(unix)]

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
};

use kata_perm::{Policy, Role};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use super::*;

fn settings(home: &TempDir, program: &str, args: &[&str]) -> CommandSettings {
    CommandSettings {
        program: program.into(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        variables: environment(&[], |name| std::env::var_os(name)),
        input: Input::Text,
        model: None,
        sessions: home.path().join("sessions"),
        no_progress: None,
        guard: None,
    }
}

fn turn(prompt: &str) -> Turn {
    Turn {
        prompt: prompt.into(),
        ..Turn::new(1, "ws_1", "work", "daemon-work-1", Role::Member)
    }
}

async fn run(settings: CommandSettings, prompt: &str) -> Result<Reply, AgentError> {
    let tasks = TaskTracker::new();
    let ended = CommandAgent::new(settings, tasks.clone())
        .oneshot(turn(prompt))
        .await;
    tasks.close();
    tasks.wait().await;
    ended
}

async fn sh(script: &str, prompt: &str) -> Result<Reply, AgentError> {
    let home = TempDir::new().unwrap();
    run(settings(&home, "sh", &["-c", script]), prompt).await
}

#[tokio::test]
async fn the_prompt_goes_in_and_the_answer_comes_out() {
    assert_eq!(sh("tr a-z A-Z; echo", "hello").await.unwrap().text, "HELLO");
}

#[tokio::test]
async fn an_argument_is_not_read_by_a_shell() {
    let home = TempDir::new().unwrap();
    let reply = run(settings(&home, "echo", &["$HOME;", "`id`"]), "")
        .await
        .unwrap();
    assert_eq!(reply.text, "$HOME; `id`");
}

#[tokio::test]
async fn a_program_may_leave_a_long_prompt_unread() {
    assert_eq!(
        sh("echo done", &"x".repeat(1024 * 1024)).await.unwrap().text,
        "done"
    );
}

#[tokio::test]
async fn a_program_may_answer_more_than_a_pipe_holds_before_it_reads() {
    let prompt = "x".repeat(300_000);
    let reply = sh("head -c 300000 /dev/zero | tr '\\0' y; cat", &prompt)
        .await
        .unwrap();
    assert_eq!(reply.text.len(), 600_000);
}

#[tokio::test]
async fn a_program_that_asks_for_json_reads_the_whole_turn() {
    let home = TempDir::new().unwrap();
    let settings = CommandSettings {
        input: Input::Json,
        model: Some("small".into()),
        ..settings(&home, "cat", &[])
    };
    let mut turn = turn("the prompt");
    turn.content = "hello".into();
    turn.deadline = Some("2026-01-01T00:00:00.000Z".into());
    turn.policy = Arc::new(Policy::base());
    turn.metadata
        .insert("responseUrl".into(), "https://hooks.example/secret".into());
    let reply = CommandAgent::new(settings, TaskTracker::new())
        .oneshot(turn)
        .await
        .unwrap();
    let read: serde_json::Value = serde_json::from_str(&reply.text).unwrap();
    insta::assert_json_snapshot!(read);
}

#[tokio::test]
async fn an_exit_code_is_a_failure_that_names_the_last_complaint() {
    let failed = sh(
        "echo partial; echo first >&2; echo 'no key is set' >&2; exit 3",
        "",
    )
    .await
    .unwrap_err();
    assert_eq!(
        failed,
        AgentError::Failed("sh ended with exit code 3: no key is set".into())
    );
}

#[tokio::test]
async fn a_program_that_is_killed_is_dead() {
    assert!(matches!(
        sh("kill -9 $$", "").await.unwrap_err(),
        AgentError::Dead(_)
    ));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let home = TempDir::new().unwrap();
    let failed = run(settings(&home, "no-such-agent", &["--key=secret"]), "")
        .await
        .unwrap_err();
    let AgentError::Failed(text) = failed else {
        panic!("{failed:?}")
    };
    assert!(
        text.starts_with("no-such-agent cannot be started: ") && !text.contains("secret"),
        "{text}"
    );
}

#[tokio::test]
async fn only_named_variables_reach_the_program() {
    let home = TempDir::new().unwrap();
    let known = |name: &str| match name {
        "PATH" => std::env::var_os("PATH"),
        "API_KEY" | "KATA_TOKEN_WS_WORK" => Some("value".into()),
        _ => None,
    };
    let variables = environment(&["API_KEY".into(), "ABSENT".into()], known);
    let settings = CommandSettings {
        variables,
        model: Some("small".into()),
        ..settings(&home, "env", &[])
    };
    let reply = run(settings, "").await.unwrap();
    let mut names: Vec<&str> = reply
        .text
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "API_KEY",
            "KATA_MODEL",
            "KATA_SESSION_KEY",
            "KATA_WORKSPACE_ID",
            "PATH"
        ]
    );
}

#[tokio::test]
async fn a_session_has_a_private_directory_that_lasts() {
    let home = TempDir::new().unwrap();
    run(settings(&home, "sh", &["-c", "echo kept > note"]), "")
        .await
        .unwrap();
    let reply = run(settings(&home, "cat", &["note"]), "").await.unwrap();
    assert_eq!(reply.text, "kept");
    for directory in ["sessions", "sessions/daemon-work-1"] {
        let mode = fs::metadata(home.path().join(directory))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{directory}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let failed = sh("cat /dev/zero", "").await.unwrap_err();
    assert_eq!(failed, AgentError::Failed("sh wrote more than 8 MiB".into()));
}

#[tokio::test(start_paused = true)]
async fn a_program_that_writes_nothing_for_too_long_has_failed() {
    let home = TempDir::new().unwrap();
    let no_progress = Some(Duration::from_secs(300));
    let settings = CommandSettings {
        no_progress,
        ..settings(&home, "sleep", &["1000"])
    };
    let failed = run(settings, "").await.unwrap_err();
    assert_eq!(failed, AgentError::Failed("sleep wrote nothing for 300 s".into()));
}

/// Hears from every process that inherits the script's descriptor 9: when the first one lives, and when the last one is
/// gone, in whatever way it went.
struct Witness {
    lives: oneshot::Receiver<()>,
    gone: oneshot::Receiver<()>,
}

impl Witness {
    fn of(fifo: &Path) -> Self {
        assert!(
            std::process::Command::new("mkfifo")
                .arg(fifo)
                .status()
                .unwrap()
                .success()
        );
        let fifo = fifo.to_owned();
        let (lives_tx, lives) = oneshot::channel();
        let (gone_tx, gone) = oneshot::channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(File::open(fifo).unwrap());
            reader.read_line(&mut String::new()).unwrap();
            lives_tx.send(()).unwrap();
            reader.read_to_end(&mut Vec::new()).unwrap();
            gone_tx.send(()).unwrap();
        });
        Self { lives, gone }
    }
}

/// Starts `script` in a run that is dropped once it lives; returns when no process of it is left.
async fn drop_once_it_lives(script: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    let fifo = home.path().join("witness");
    let witness = Witness::of(&fifo);
    let tasks = TaskTracker::new();
    let script = format!("exec 9>'{}'; {script}", fifo.display());
    let run = CommandAgent::new(settings(&home, "sh", &["-c", &script]), tasks.clone()).oneshot(turn(""));
    tokio::select! {
        ended = run => panic!("it was to be dropped: {ended:?}"),
        lives = witness.lives => lives.unwrap(),
    }
    tasks.close();
    tasks.wait().await;
    witness.gone.await.unwrap();
    home
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_no_process_behind() {
    drop_once_it_lives("sleep 1000 & sh -c 'sleep 1000 & wait' & echo lives >&9; wait").await;
}

#[tokio::test]
async fn a_run_that_is_dropped_may_tidy_up() {
    let home = drop_once_it_lives(
        "trap 'echo tidy > tidied; exit' TERM; echo lives >&9; while :; do sleep 0.01; done",
    )
    .await;
    assert_eq!(
        fs::read_to_string(home.path().join("sessions/daemon-work-1/tidied")).unwrap(),
        "tidy\n"
    );
}

// The paused clock leaps over the grace: what is shown is that the kill comes, not when.
#[tokio::test(start_paused = true)]
async fn a_group_that_ignores_sigterm_is_killed() {
    drop_once_it_lives("trap '' TERM; sleep 1000 & echo lives >&9; wait; wait").await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_neither_holds_up_its_answer_nor_lives_on() {
    let home = TempDir::new().unwrap();
    let fifo = home.path().join("witness");
    let witness = Witness::of(&fifo);
    let script = format!(
        "exec 9>'{}'; sleep 1000 & echo lives >&9; echo answer",
        fifo.display()
    );
    let reply = run(settings(&home, "sh", &["-c", &script]), "").await.unwrap();
    assert_eq!(reply.text, "answer");
    witness.gone.await.unwrap();
}
