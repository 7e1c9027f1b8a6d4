//! This binary as an agent that speaks ACP, well or badly.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, BufRead as _, Write as _},
    process::{Command, ExitCode},
};

use serde_json::{Value, json};

/// Speaks until its stdin ends. What it is to do stands in its prompt: `sh` and shell text to run before it answers, `flood`,
/// `close` (its stdout, and live on), or anything else, which it answers with its process id and its environment's names.
pub(super) fn run(_: &[OsString]) -> ExitCode {
    for line in io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let id = message["id"].clone();
        match message["method"].as_str() {
            Some("initialize") => answer(id, json!({"protocolVersion": 1})),
            Some("session/new") => answer(id, json!({"sessionId": "s"})),
            Some("session/prompt") => {
                prompt(message["params"]["prompt"][0]["text"].as_str().unwrap());
                answer(id, json!({"stopReason": "end_turn"}));
            }
            _ => {}
        }
    }
    ExitCode::SUCCESS
}

fn prompt(text: &str) {
    match text.split_once(' ') {
        Some(("sh", script)) => {
            // In the agent's own process group, as agents do it.
            let ended = Command::new("sh").args(["-c", script]).status().unwrap();
            say(&ended.to_string());
        }
        _ if text == "close" => {
            let nowhere = File::options().write(true).open("/dev/null").unwrap();
            rustix::stdio::dup2_stdout(nowhere).unwrap();
            loop {
                std::thread::park();
            }
        }
        _ if text == "flood" => loop {
            write(&"x".repeat(1024 * 1024));
        },
        _ => {
            let mut names: Vec<_> = std::env::vars().map(|(name, _)| name).collect();
            names.sort_unstable();
            say(&format!("{} {}", std::process::id(), names.join(" ")));
        }
    }
}

fn say(text: &str) {
    write(
        &json!({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "s", "update": {
            "sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}}})
        .to_string(),
    );
    write("\n");
}

fn answer(id: Value, result: Value) {
    write(&format!(
        "{}\n",
        json!({"jsonrpc": "2.0", "id": id, "result": result})
    ));
}

fn write(text: &str) {
    let mut out = io::stdout();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}
