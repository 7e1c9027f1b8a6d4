//! What ten thousand scheduled tasks cost while none is due, and how exactly those that are due begin.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use serde_json::json;

use crate::{
    host::{Answers, Host},
    idle,
    lab::{Lab, WORKSPACE, conversations},
    samples::Samples,
    table::Row,
};

const JITTER_MS: f64 = 50.0;
/// From the last `schedule_task` to the first run.
const AHEAD: SignedDuration = SignedDuration::from_secs(2);
/// Between two runs.
const APART: SignedDuration = SignedDuration::from_millis(100);

/// The armed tasks are due in a far year. Beside them some are made that are due at once, one after the other.
pub(crate) fn armed(lab: &Lab) -> Result<Vec<Row>> {
    let count = lab.count(10_000, 1_000);
    let names = conversations(1);
    let (slack, home) = (lab.slack(&names), lab.home()?);
    let first = Host::spawn(&lab.katad, home.path(), &[], Answers::None)?;
    first.running()?;
    first.stop()?;
    arm(&home.path().join("daemon.db"), count)?;

    let host = lab.connected(home.path(), &slack, &names, Answers::Empty)?;
    let rest = idle::rest(lab, &host)?;
    let late = lateness(&host, lab.count(50, 10))?;
    host.stop()?;
    let (median, worst) = (late.percentile(50.0), late.percentile(100.0));
    Ok(vec![
        Row::new(
            format!("{count} tasks armed: wake-ups"),
            format!("{:.2}/s", rest.wake_ups),
            &format!("≤ {}/s", idle::WAKE_UPS),
            rest.wake_ups <= idle::WAKE_UPS,
        ),
        Row::new(
            format!("{count} tasks armed: a run begins late by"),
            format!("{median:.1} ms, {worst:.1} ms at most"),
            &format!("≤ {JITTER_MS} ms"),
            worst <= JITTER_MS,
        ),
    ])
}

/// As the 0.7 daemon wrote them.
fn arm(database: &Path, count: usize) -> Result<()> {
    let mut db = Connection::open(database)?;
    let all = db.transaction()?;
    for n in 0..i64::try_from(count)? {
        let action = json!({
            "type": "send_message", "workspaceId": WORKSPACE, "sessionKey": format!("daemon-far-{n:012}"), "message": "hello",
        });
        all.execute(
            "INSERT INTO scheduled_tasks (workspace_id, type, schedule, action, next_run_at)
             VALUES (?1, 'cron', '0 9 1 1 *', ?2, printf('2999-01-01T09:%02d:%02d.000Z', ?3 / 60 % 60, ?3 % 60))",
            (WORKSPACE, action.to_string(), n),
        )?;
    }
    all.commit().context("the tasks cannot be written")
}

/// From when each run was due to when `task_fired` was heard.
fn lateness(host: &Host, runs: usize) -> Result<Samples> {
    let (began, at) = (Instant::now(), Timestamp::now());
    let mut due = at + AHEAD;
    let mut slots = Vec::with_capacity(runs);
    for n in 0..runs {
        host.send(&json!({
            "type": "schedule_task", "workspaceId": WORKSPACE, "taskType": "one-shot", "schedule": format!("{due:.3}"),
            "action": {
                "type": "send_message", "workspaceId": WORKSPACE, "sessionKey": format!("daemon-due-{n:012}"), "message": "now",
            },
        }))?;
        slots.push(Timestamp::from_millisecond(due.as_millisecond())?);
        due += APART;
    }
    let mut late = Samples::new()?;
    for slot in slots {
        let heard = host.fired()?;
        let since_start =
            Duration::try_from(slot.duration_since(at)).context("a run is due after it was made")?;
        late.record((heard - began).saturating_sub(since_start))?;
    }
    Ok(late)
}
