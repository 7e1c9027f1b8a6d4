//! What the tests of scheduled tasks share.

use serde_json::{Value, json};

use crate::{
    ChannelId, Created, Creator, Fire, FireEnd, FireWhat, Fired, FiredTurn, NewTask, NextRun, Store, Task,
    TaskKind, TaskLimits, TaskTurn, UnixMs,
};

use super::support::START;

pub(super) const MINUTE: i64 = 60_000;

/// The slot that comes `n` minutes after the start.
pub(super) fn slot(n: i64) -> UnixMs {
    UnixMs(START + n * MINUTE)
}

/// A task of the host that is due at the start.
pub(super) fn task() -> NewTask {
    NewTask {
        workspace: "w".to_owned(),
        kind: TaskKind::Interval,
        schedule: "60000".to_owned(),
        action: json!({"type": "plugin_action", "pluginId": "p", "action": "a"}),
        zone: None,
        settings: Value::Null,
        next_run: slot(0),
        creator: Creator::Host,
        limits: TaskLimits { live: 3, hourly: 5 },
    }
}

pub(super) fn agent(session: &str) -> Creator {
    Creator::Agent {
        channel: ChannelId(1),
        session_key: session.to_owned(),
        role: "member".to_owned(),
        origin: Some(json!([{"sender": "U1"}])),
    }
}

pub(super) async fn create(store: &Store, new: NewTask) -> i64 {
    match store.create_task(new).await.unwrap() {
        Created::Task(id) => id,
        refused => panic!("{refused:?}"),
    }
}

pub(super) async fn get(store: &Store, id: i64) -> Task {
    store.task(id).await.unwrap().unwrap()
}

/// The action of the slot `n`, after which the next minute is due.
pub(super) fn action(task: i64, n: i64) -> Fire {
    Fire {
        task,
        slot: slot(n),
        next_run: NextRun::At(slot(n + 1)),
        what: FireWhat::Action,
    }
}

/// The turn of the slot `n` in a session of (w, s).
pub(super) fn turn(task: i64, n: i64, session: &str) -> Fire {
    Fire {
        what: FireWhat::Turn(TaskTurn {
            workspace: "w".to_owned(),
            session_key: session.to_owned(),
            slug: "s".to_owned(),
            message: "do it".to_owned(),
            prompt: "do it, says the clock".to_owned(),
        }),
        ..action(task, n)
    }
}

/// The fire of a run that is claimed now.
pub(super) async fn taken(store: &Store, fire: Fire) -> i64 {
    match store.fire(fire).await.unwrap() {
        Fired::Taken { fire, .. } => fire,
        other => panic!("{other:?}"),
    }
}

/// The turn of a run that is claimed now.
pub(super) async fn fired(store: &Store, fire: Fire) -> FiredTurn {
    match store.fire(fire).await.unwrap() {
        Fired::Taken { turn: Some(turn), .. } => turn,
        other => panic!("{other:?}"),
    }
}

pub(super) fn failed(then: crate::AfterFailure) -> FireEnd {
    FireEnd::Failed {
        error: "no".to_owned(),
        then,
    }
}
