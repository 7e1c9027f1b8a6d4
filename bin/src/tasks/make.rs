//! Making a task: everything that can be wrong with it is said at once, before anything is stored.

use kata_ipc::command::TaskAction;
use kata_schedule::{Kind, Schedule};
use kata_store::{Created, Creator, NewTask, Store, StoreError, TaskLimits, UnixMs};

use super::{action, plan, rules::Rules, times};

/// A task as it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) workspace: String,
    pub(super) kind: Kind,
    pub(super) schedule: String,
    pub(super) zone: Option<String>,
    pub(super) action: TaskAction,
    pub(super) rules: Rules,
}

/// A task that can be stored.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    wanted: Wanted,
    pub(super) schedule: Schedule,
    pub(super) first: UnixMs,
}

/// Of the host's tasks there may be any number: the store bounds sessions only.
pub(super) const UNLIMITED: TaskLimits = TaskLimits {
    live: u32::MAX,
    hourly: u32::MAX,
};

// === impl Wanted ===

impl Wanted {
    /// Checks it; what is wrong is one sentence.
    pub(super) fn check(self, now: UnixMs) -> Result<Draft, String> {
        if let Some(fault) = self.rules.fault() {
            return Err(fault);
        }
        if let TaskAction::SendMessage {
            session_key, message, ..
        } = &self.action
        {
            if session_key.trim().is_empty() {
                return Err(
                    "the session's key is empty: name the session in which the message is to be said"
                        .to_owned(),
                );
            }
            if message.trim().is_empty() {
                return Err("the message is empty: say what is to be done when the task runs".to_owned());
            }
        }
        let zone = times::zone(self.zone.as_deref())?;
        let schedule = Schedule::parse(self.kind, &self.schedule, &zone, times::time(now))
            .map_err(|error| error.to_string())?;
        // The delay of the first run hangs on the task's number, which it does not have yet.
        let first = schedule.next(times::time(now)).map(times::unix_ms).unwrap_or(now);
        Ok(Draft {
            wanted: self,
            schedule,
            first,
        })
    }
}

// === impl Draft ===

impl Draft {
    /// Stores it, armed. The second value is when it runs first.
    pub(super) async fn store(
        self,
        store: &Store,
        creator: Creator,
        limits: TaskLimits,
    ) -> Result<(Created, UnixMs), StoreError> {
        let Wanted {
            workspace,
            kind,
            schedule,
            zone,
            action,
            rules,
        } = self.wanted;
        let created = store
            .create_task(NewTask {
                workspace,
                kind: times::stored_kind(kind),
                schedule,
                action: action::stored(&action),
                zone,
                settings: rules.kept(),
                next_run: self.first,
                creator,
                limits,
            })
            .await?;
        let Created::Task(id) = created else {
            return Ok((created, self.first));
        };
        let before = UnixMs(self.first.0 - 1);
        let begins = plan::first(&self.schedule, id, &rules, before).unwrap_or(self.first);
        if begins != self.first {
            store.set_task_enabled(id, true, Some(begins)).await?;
        }
        Ok((created, begins))
    }
}
