//! What is to become of a task that is due: a function of the task and the time.

use std::time::Duration;

use kata_schedule::{Missed, Retry, Schedule};
use kata_store::{NextRun, Skipped, Task, TaskKind, UnixMs};

use super::{
    BACKOFF,
    rules::Rules,
    times::{self, time, unix_ms},
};

/// A run that begins no later than this after its time was not missed.
const ON_TIME: Duration = Duration::from_secs(60);
/// A task runs no more often than this, whatever its interval says.
const BREATH: Duration = Duration::from_secs(1);

const MISSED: &str = "missed: the daemon did not run, or the machine slept";

/// What is to be done about a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// A run, and what was missed before it.
    Fire {
        /// The time that names the run.
        slot: UnixMs,
        /// When the task runs after it.
        next: NextRun,
        /// Runs that are not made up for.
        missed: Option<Skipped>,
    },
    /// No run; the task moves on.
    Skip(Skipped),
    /// Nothing until its run that has not ended does: none of its missed runs is to be lost.
    Wait,
    /// Its time could not be read: it runs then.
    Rearm(UnixMs),
    /// Its time could not be read, and there is no run to come.
    Disable,
    /// It cannot run, for a reason that a person has to look at.
    Park(String),
}

/// What becomes of `task` at `now`.
pub(super) fn plan(task: &Task, now: UnixMs) -> Plan {
    let schedule = match times::schedule(task, now) {
        Ok(schedule) => schedule,
        Err(why) => return Plan::Park(format!("its schedule cannot be used: {why}")),
    };
    let rules = Rules::read(&task.settings);
    let calendar = Calendar {
        schedule: schedule.as_ref(),
        task,
        rules: &rules,
    };
    let Some(first) = task.next_run else {
        return calendar.after(now).map_or(Plan::Disable, Plan::Rearm);
    };
    if let Some(put_off) = calendar.put_off(first, now) {
        return put_off;
    }
    if task.running.is_some() && matches!(rules.policy(), Missed::All { .. }) {
        return Plan::Wait;
    }
    calendar.due(first, now)
}

/// When a task of this schedule runs first. None: never.
pub(super) fn first(schedule: &Schedule, task: i64, rules: &Rules, now: UnixMs) -> Option<UnixMs> {
    let slot = schedule.next(time(now))?;
    Some(unix_ms(schedule.jittered(slot, task, rules.jitter())))
}

/// When a task runs that was armed for later than its schedule says. The wall clock was set back, or the system's time zone
/// is another one.
pub(super) fn sooner(task: &Task, now: UnixMs) -> Option<UnixMs> {
    // A single run is on no calendar but its own, also when it is tried again.
    if task.kind == TaskKind::OneShot {
        return None;
    }
    let schedule = times::schedule(task, now).ok()??;
    let next = first(&schedule, task.id, &Rules::read(&task.settings), now)?;
    task.next_run.filter(|armed| next < *armed).map(|_| next)
}

/// A task's runs in time.
struct Calendar<'a> {
    schedule: Option<&'a Schedule>,
    task: &'a Task,
    rules: &'a Rules,
}

// === impl Calendar ===

impl Calendar<'_> {
    fn after(&self, at: UnixMs) -> Option<UnixMs> {
        first(self.schedule?, self.task.id, self.rules, at)
    }

    fn next(&self, at: UnixMs) -> NextRun {
        let every = self.task.schedule.trim().parse().map(Duration::from_millis);
        let is_hasty = self.task.kind == TaskKind::Interval && every.is_ok_and(|every| every < BREATH);
        let from = if is_hasty {
            at.plus(BREATH).minus(Duration::from_millis(1))
        } else {
            at
        };
        self.after(from).map_or(NextRun::Never, NextRun::At)
    }

    /// A task whose runs failed is left alone for a while.
    fn put_off(&self, first: UnixMs, now: UnixMs) -> Option<Plan> {
        let failures = self.task.failures;
        let Retry::After(pause) = BACKOFF.after(failures) else {
            return Some(Plan::Park(format!("{failures} runs in a row failed")));
        };
        let until = self.task.failed_at?.plus(pause);
        // An action is put off when it fails, by a clock that was read a moment earlier. And one that was set back must not
        // put it off for long.
        if until <= now.plus(BREATH) || until.since(now) > pause {
            return None;
        }
        let next = match self.next(until.minus(Duration::from_millis(1))) {
            NextRun::At(at) => NextRun::At(at),
            _ => NextRun::At(until),
        };
        Some(Plan::Skip(Skipped {
            task: self.task.id,
            slot: first,
            slots: 1,
            reason: format!(
                "left alone for {} s after {failures} failed runs",
                pause.as_secs()
            ),
            next_run: next,
        }))
    }

    /// `first` is the run that was armed, and may be on no calendar (a run that is tried again); those after it are the
    /// schedule's.
    fn due(&self, first: UnixMs, now: UnixMs) -> Plan {
        let end = self.end(first, now);
        let on_time = ON_TIME + self.rules.jitter();
        let policy = self.rules.policy();
        let (mut slots, mut skipped) = match self.schedule {
            None => (Vec::new(), 0),
            Some(schedule) => {
                let due = schedule.due(time(first), time(end), policy, on_time);
                let begin = |slot| unix_ms(schedule.jittered(slot, self.task.id, self.rules.jitter()));
                (due.slots.into_iter().map(begin).collect(), due.skipped)
            }
        };
        let late = end.since(first);
        let makes_up = match policy {
            Missed::Skip => slots.is_empty() && late <= on_time,
            Missed::Once { grace } => slots.is_empty() && late <= grace.max(on_time),
            Missed::All { cap } => slots.len() < cap.get(),
        };
        if makes_up {
            slots.insert(0, first);
        } else {
            skipped += 1;
        }
        let after_all = self.next(end);
        let missed = (skipped > 0).then(|| Skipped {
            task: self.task.id,
            slot: first,
            slots: skipped,
            reason: MISSED.to_owned(),
            next_run: if slots.is_empty() {
                after_all
            } else {
                NextRun::Stays
            },
        });
        match *slots {
            [slot, ref rest @ ..] => Plan::Fire {
                slot,
                next: rest.first().map_or(after_all, |at| NextRun::At(*at)),
                missed,
            },
            [] => match missed {
                Some(missed) => Plan::Skip(missed),
                None => Plan::Wait,
            },
        }
    }

    /// Up to where runs are due: one whose delay is not over is still to come.
    fn end(&self, first: UnixMs, now: UnixMs) -> UnixMs {
        let Some(schedule) = self.schedule else { return now };
        let one = Missed::All {
            cap: std::num::NonZeroUsize::MIN,
        };
        let newest = schedule
            .due(time(first), time(now), one, Duration::ZERO)
            .slots
            .pop();
        match newest {
            Some(slot) if schedule.jittered(slot, self.task.id, self.rules.jitter()) > time(now) => {
                unix_ms(slot).minus(Duration::from_millis(1))
            }
            _ => now,
        }
    }
}

#[cfg(test)]
mod tests;
