//! `query tasks`.

use kata_ipc::{
    command::{MissedRuns, Query, TaskType},
    event::view::{FireState, FireView, Page, TaskCreator, TaskState, TaskView},
};
use kata_store::{Creator, Task, TaskFilter, TaskKind};

use super::rules::Rules;
use crate::{
    commands::Refused,
    daemon::Daemon,
    query::{self, iso},
};

/// So many runs of each task are shown.
pub(super) const RUNS: usize = 5;

/// Answers the query: the newest task first.
pub(crate) async fn query(daemon: &Daemon, query: &Query) -> Result<Page<TaskView>, Refused> {
    let limit = query::limit(query);
    let tasks = match query.task_id {
        Some(id) => daemon.store.task(id).await?.into_iter().collect(),
        None => {
            let filter = TaskFilter {
                workspace: query.workspace_id.clone(),
                session_key: query.session_key.clone(),
                enabled: None,
            };
            daemon
                .store
                .tasks(filter, query::id_cursor(query)?, limit)
                .await?
        }
    };
    let next_cursor = tasks
        .last()
        .filter(|_| tasks.len() == limit && query.task_id.is_none())
        .map(|task| task.id.to_string());
    let mut items = Vec::with_capacity(tasks.len());
    for task in tasks {
        let fires = daemon.store.fires(task.id, None, RUNS).await?;
        items.push(view(task, fires));
    }
    Ok(Page { items, next_cursor })
}

/// A task as it is shown, with its latest runs.
pub(super) fn view(task: Task, fires: Vec<kata_store::FireView>) -> TaskView {
    let rules = Rules::read(&task.settings);
    let missed = rules.missed();
    TaskView {
        task_id: task.id,
        state: state(&task),
        next_run_at: task.next_run.filter(|_| task.enabled).map(iso),
        workspace_id: task.workspace,
        task_type: task_type(task.kind),
        schedule: task.schedule,
        action: task.action,
        zone: task.zone,
        missed,
        missed_grace_ms: (missed == MissedRuns::Once)
            .then(|| u64::try_from(rules.grace().as_millis()).unwrap_or(u64::MAX)),
        missed_max: (missed == MissedRuns::All).then(|| rules.most()),
        jitter_ms: rules.jitter_ms,
        last_run_at: task.last_run.map(iso),
        created_at: task.created_at.map(iso),
        creator: creator(task.creator),
        failures: task.failures,
        parked_reason: task.parked.map(|(_, why)| why),
        fires: fires.into_iter().map(fire).collect(),
    }
}

pub(super) fn state(task: &Task) -> TaskState {
    match task {
        Task { enabled: true, .. } => TaskState::Armed,
        Task { parked: Some(_), .. } => TaskState::Parked,
        Task { over_at: Some(_), .. } => TaskState::Over,
        _ => TaskState::Paused,
    }
}

fn task_type(kind: TaskKind) -> TaskType {
    match kind {
        TaskKind::Cron => TaskType::Cron,
        TaskKind::Interval => TaskType::Interval,
        TaskKind::OneShot => TaskType::OneShot,
    }
}

fn creator(creator: Creator) -> TaskCreator {
    match creator {
        Creator::Host => TaskCreator::Host,
        Creator::Agent {
            session_key,
            role,
            origin,
            ..
        } => TaskCreator::Agent {
            session_key,
            role,
            origin,
        },
    }
}

fn fire(fire: kata_store::FireView) -> FireView {
    FireView {
        slot_at: iso(fire.slot),
        state: match fire.state {
            kata_store::FireState::Running => FireState::Running,
            kata_store::FireState::Done => FireState::Done,
            kata_store::FireState::Failed => FireState::Failed,
            kata_store::FireState::Skipped => FireState::Skipped,
        },
        runs: fire.slots,
        at: iso(fire.at),
        ended_at: fire.ended_at.map(iso),
        error: fire.error,
        message_id: fire.message,
    }
}
