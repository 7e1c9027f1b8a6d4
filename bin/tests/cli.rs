//! The command line, by running the binary: what it says and with which exit code it ends.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

fn katad(config_dir: &std::path::Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_katad"));
    command
        .args(args)
        .env("KATA_CONFIG_DIR", config_dir)
        .stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn with_input(mut command: Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("katad starts");
    // A daemon that ended early has closed its stdin; what it said is what is looked at.
    let _ = child
        .stdin
        .take()
        .expect("stdin is piped")
        .write_all(input.as_bytes());
    child.wait_with_output().expect("katad ends")
}

#[test]
fn help_and_version_are_no_errors() {
    let dir = tempfile::tempdir().unwrap();
    for args in [["--help"], ["--version"]] {
        let output = katad(dir.path(), &args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(text(&output.stdout).contains("katad"), "{args:?}");
    }
}

#[test]
fn a_command_line_that_cannot_be_read_ends_with_64() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["no-such-command"][..],
        &[],
        &["chat", "--agent", "command"],
        &["chat", "--agent", "no-such-agent"],
    ] {
        let output = katad(dir.path(), args).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(64),
            "{args:?}: {}",
            text(&output.stderr)
        );
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_chat_answers_what_was_typed_and_ends_with_its_input() {
    let dir = tempfile::tempdir().unwrap();
    let output = with_input(katad(dir.path(), &["chat"]), "hello **there**\n/status\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("hello there"), "{said}");
    assert!(said.contains("Session `daemon-terminal-"), "{said}");
}

#[test]
fn a_chat_that_nobody_looks_at_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut chat = katad(dir.path(), &["chat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(chat.stdout.take());
    // The input stays open: what ends the chat is that its answer finds no reader.
    let mut stdin = chat.stdin.take().unwrap();
    stdin.write_all(b"hello\n").unwrap();
    assert!(chat.wait().unwrap().success());
    drop(stdin);
}

#[cfg(unix)]
#[test]
fn a_chat_with_a_program_gives_it_the_prompt_and_shows_its_answer() {
    let dir = tempfile::tempdir().unwrap();
    let agent = "command sh -c 'grep -c . >/dev/null; echo from the program'";
    let output = with_input(katad(dir.path(), &["chat", "--agent", agent]), "hello\n");
    assert!(
        text(&output.stdout).contains("from the program"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn status_and_explain_without_a_daemon_say_so() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["status"][..], &["explain", "1"]] {
        let output = katad(dir.path(), args).output().unwrap();
        assert_eq!(output.status.code(), Some(75), "{args:?}");
        assert!(
            text(&output.stderr).contains("no daemon has run"),
            "{args:?}: {}",
            text(&output.stderr)
        );
        assert!(
            !dir.path().join("daemon.lock").exists(),
            "looking leaves nothing behind"
        );
    }
}

#[test]
fn explain_tells_every_step_of_a_message() {
    let dir = tempfile::tempdir().unwrap();
    with_input(katad(dir.path(), &["chat"]), "hello\n");
    let chat = dir.path().join("chat");
    let output = katad(&chat, &["explain", "1"]).output().unwrap();
    let said = text(&output.stdout);
    for step in ["received", "claimed", "answered", "tried", "sent"] {
        assert!(said.contains(step), "{step}: {said}");
    }
    let unknown = katad(&chat, &["explain", "no-such-id"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(64));
    let status = katad(&chat, &["status", "--json"]).output().unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["channels"][0]["waiting"], 0);
}

#[cfg(unix)]
#[test]
fn a_host_that_does_not_read_cannot_hold_up_our_end() {
    use rustix::process::{Pid, Signal, kill_process};
    use std::time::{Duration, Instant};

    let dir = tempfile::tempdir().unwrap();
    let mut katad = katad(dir.path(), &["run"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Nobody reads: the pipe fills, then our queue of events, and at last we stop reading as well.
    let mut stdin = katad.stdin.take().unwrap();
    let (wrote, progress) = std::sync::mpsc::channel();
    let writing = std::thread::spawn(move || {
        while stdin.write_all(b"{\"type\":\"health_check\"}\n").is_ok() {
            let _ = wrote.send(());
        }
    });
    while progress.recv_timeout(Duration::from_millis(500)).is_ok() {}
    let signalled = Instant::now();
    kill_process(
        Pid::from_raw(i32::try_from(katad.id()).unwrap()).unwrap(),
        Signal::TERM,
    )
    .unwrap();
    let status = katad.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(
        signalled.elapsed() < Duration::from_secs(5),
        "{:?}",
        signalled.elapsed()
    );
    writing.join().unwrap();
}
