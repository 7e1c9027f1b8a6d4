//! Scheduled tasks at work: the timer that finds what is due, the runs, and what hosts, agents and people at a terminal may
//! ask. When a task runs is kata-schedule's to say, and that no run is made twice and none forgotten is kata-store's.

mod action;
mod fire;
mod hand;
mod make;
mod plan;
mod plugin;
mod preview;
mod print;
mod provenance;
mod rules;
#[cfg(test)]
mod tests;
mod timer;
mod times;
mod view;

pub(crate) use self::{
    fire::turn_given_up,
    hand::{cancel, pause, resume, run_now, schedule},
    plugin::{Desk, PLUGIN, TasksPlugin},
    preview::{TypeArg, run as preview},
    print::run as print,
    provenance::inherit,
    timer::run,
    view::query,
};

use std::time::Duration;

use kata_schedule::Backoff;

/// How long a task that fails is left alone.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(60),
    longest: Duration::from_secs(60 * 60),
    park_after: 5,
};
