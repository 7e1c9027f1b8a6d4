//! `katad tasks`: the stored tasks, read from the file, also while the daemon runs.

use kata_ipc::event::view::{FireState, TaskCreator, TaskState, TaskView};
use kata_store::{TaskFilter, View};
use serde_json::json;

use super::view::{RUNS, view};
use crate::{exit::Exit, home::Home, open::sentence, status, terminal};

/// More are not printed.
const MOST: usize = 10_000;

/// Prints the tasks.
pub(crate) fn run(as_json: bool) -> Exit {
    let home = match Home::from_env() {
        Ok(home) => home,
        Err(why) => return terminal::fail(why, Exit::BadConfig),
    };
    let tasks = match status::open(&home).and_then(|file| read(&file)) {
        Ok(tasks) => tasks,
        Err(why) => return terminal::fail(why, Exit::TryLater),
    };
    if as_json {
        return terminal::json(&json!({"tasks": tasks}));
    }
    if tasks.is_empty() {
        return terminal::say("There are no scheduled tasks.");
    }
    let rows: Vec<[String; 7]> = tasks.iter().map(row).collect();
    terminal::say(terminal::table(
        [
            "TASK",
            "WORKSPACE",
            "SCHEDULE",
            "STATE",
            "NEXT RUN",
            "LAST RUN",
            "MADE BY",
        ],
        &rows,
    ))
}

fn read(file: &View) -> Result<Vec<TaskView>, String> {
    let tasks = file
        .tasks(&TaskFilter::default(), None, MOST)
        .map_err(|error| sentence(&error))?;
    tasks
        .into_iter()
        .map(|task| {
            let fires = file
                .fires(task.id, None, RUNS)
                .map_err(|error| sentence(&error))?;
            Ok(view(task, fires))
        })
        .collect()
}

fn row(task: &TaskView) -> [String; 7] {
    let schedule = match &task.zone {
        Some(zone) => format!("{} ({zone})", task.schedule),
        None => task.schedule.clone(),
    };
    let state = match (task.state, &task.parked_reason) {
        (TaskState::Armed, _) if task.failures > 0 => format!("armed, failed {}×", task.failures),
        (TaskState::Armed, _) => "armed".to_owned(),
        (TaskState::Paused, _) => "paused".to_owned(),
        (TaskState::Parked, Some(why)) => format!("parked: {why}"),
        (TaskState::Parked, None) => "parked".to_owned(),
        (TaskState::Over, _) => "over".to_owned(),
    };
    let last = task.fires.first().map_or_else(String::new, |fire| {
        let how = match fire.state {
            FireState::Running => "runs",
            FireState::Done => "done",
            FireState::Failed => "failed",
            FireState::Skipped => "skipped",
        };
        format!("{} {how}", fire.slot_at)
    });
    let by = match &task.creator {
        TaskCreator::Host => "host".to_owned(),
        TaskCreator::Agent { session_key, .. } => session_key.clone(),
    };
    [
        task.task_id.to_string(),
        task.workspace_id.clone(),
        schedule,
        state,
        task.next_run_at.clone().unwrap_or_default(),
        last,
        by,
    ]
}
