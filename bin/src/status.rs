//! `katad status`: what the daemon has done and has still to do, read from the file, also while it runs.

use kata_store::{ChannelCounts, StoreError, View};
use serde_json::json;

use crate::{
    exit::Exit,
    home::{Home, Lock, LockError},
    open::sentence,
    terminal,
};

/// Prints the status.
pub(crate) fn run(as_json: bool) -> Exit {
    let home = match Home::from_env() {
        Ok(home) => home,
        Err(why) => return terminal::fail(why, Exit::BadConfig),
    };
    let running = matches!(Lock::look(&home.lock_file()), Err(LockError::Held { .. }));
    let counts = match open(&home).and_then(|view| view.channel_counts().map_err(|e| sentence(&e))) {
        Ok(counts) => counts,
        Err(why) => return terminal::fail(why, Exit::TryLater),
    };
    if as_json {
        print_json(running, &home, &counts)
    } else {
        print(running, &home, &counts)
    }
}

/// Opens the database for looking.
pub(crate) fn open(home: &Home) -> Result<View, String> {
    let path = home.database();
    if !path.exists() {
        return Err(format!(
            "there is no {} yet; no daemon has run with this config directory",
            path.display()
        ));
    }
    View::open_read_only(&path).map_err(|error| match error {
        StoreError::NotOurs => format!(
            "{} was written by Kata 0.7; katad takes it over when it first runs",
            path.display()
        ),
        error => format!("cannot read {}: {}", path.display(), sentence(&error)),
    })
}

fn print(running: bool, home: &Home, counts: &[ChannelCounts]) -> Exit {
    let what = if running { "running" } else { "not running" };
    terminal::say(format_args!("katad is {what} on {}", home.dir().display()));
    if counts.is_empty() {
        return terminal::say("No channel was ever configured.");
    }
    let rows: Vec<[String; 6]> = counts
        .iter()
        .map(|c| {
            let paused = if c.paused { " (paused)" } else { "" };
            [
                format!("{}{paused}", c.slug),
                c.workspace.clone(),
                c.waiting.to_string(),
                c.running.to_string(),
                c.outgoing.to_string(),
                c.parked.to_string(),
            ]
        })
        .collect();
    terminal::say(terminal::table(
        ["CHANNEL", "WORKSPACE", "WAITING", "RUNNING", "TO SEND", "PARKED"],
        &rows,
    ))
}

fn print_json(running: bool, home: &Home, counts: &[ChannelCounts]) -> Exit {
    let channels: Vec<_> = counts
        .iter()
        .map(|c| {
            json!({
                "workspaceId": c.workspace, "slug": c.slug, "configured": c.configured, "paused": c.paused,
                "waiting": c.waiting, "running": c.running, "outgoing": c.outgoing, "parked": c.parked,
            })
        })
        .collect();
    terminal::json(&json!({"running": running, "configDir": home.dir(), "channels": channels}))
}
