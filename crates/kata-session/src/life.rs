//! The life of a session: when it is active, when it is idle, and what a host is told about it.
//!
//! A session starts with its first message and goes on for as long as somebody talks in it. When nobody did for a while
//! it is idle: its agent is stopped and its state is kept. The next message resumes it. A reset ends it for good; its retention
//! ends it too, and should its conversation come back, it begins anew under its key.

use std::time::Duration;

use kata_channel::Timestamp;
use serde::{Deserialize, Serialize};

/// What a session is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Somebody talked in it not long ago.
    Active,
    /// Nobody did: its agent may be stopped.
    Idle,
    /// It was reset, or nobody talked in it for as long as anything is kept.
    Ended,
}

/// What is counted of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When its first message came.
    pub started: Timestamp,
    /// When something was last said in it, by either side.
    pub last: Timestamp,
    /// Turns that ended with an answer.
    pub turns: u64,
    /// Tokens of what its agent is shown, reported or estimated.
    pub tokens: u64,
}

/// What a host is told about a session, so that it may compact the context that it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionStats {
    /// Tokens of what was said since the last compaction, reported or estimated.
    pub tokens: u64,
    /// Messages of people.
    pub messages: u64,
    /// Turns that ended with an answer.
    pub turns: u64,
    /// Tokens at which it is compacted. None where that is for the agent or the host to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

// === impl Life ===

impl Life {
    /// A session whose first message came at `at`.
    #[must_use]
    pub const fn new(at: Timestamp) -> Self {
        Self {
            started: at,
            last: at,
            turns: 0,
            tokens: 0,
        }
    }

    /// A message came at `at`.
    #[must_use]
    pub fn after_message(self, at: Timestamp) -> Self {
        Self {
            // A clock that stepped back makes nothing older than it was.
            last: self.last.max(at),
            ..self
        }
    }

    /// A turn ended with an answer at `at`, and the agent is now shown `tokens`.
    #[must_use]
    pub fn after_turn(self, at: Timestamp, tokens: u64) -> Self {
        Self {
            turns: self.turns.saturating_add(1),
            tokens,
            ..self.after_message(at)
        }
    }

    /// What it is up to at `now`. `idle_after` counts wall time: a night asleep is a night in which nobody talked.
    /// `ended`: it was reset, or its retention is over.
    #[must_use]
    pub fn state(&self, now: Timestamp, idle_after: Duration, ended: bool) -> State {
        if ended {
            State::Ended
        } else if now.since(self.last) >= idle_after {
            State::Idle
        } else {
            State::Active
        }
    }

    /// What a host is told, with the messages of people that were counted and the limit, if it has one here.
    #[must_use]
    pub const fn stats(&self, messages: u64, limit: Option<u64>) -> SessionStats {
        SessionStats {
            tokens: self.tokens,
            messages,
            turns: self.turns,
            limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_HOUR: Duration = Duration::from_secs(30 * 60);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    #[test]
    fn a_session_is_idle_once_nobody_talked_for_that_long_and_active_again_after_a_message() {
        let life = Life::new(at(0)).after_turn(at(2), 10);
        for (minute, expect) in [
            (2, State::Active),
            (31, State::Active),
            (32, State::Idle),
            (9_999, State::Idle),
        ] {
            assert_eq!(life.state(at(minute), HALF_HOUR, false), expect, "{minute}");
        }
        let resumed = life.after_message(at(500));
        assert_eq!(resumed.state(at(501), HALF_HOUR, false), State::Active);
        let answered = resumed.after_turn(at(502), 20);
        assert_eq!(
            (answered.started, answered.turns, answered.tokens),
            (at(0), 2, 20)
        );
    }

    #[test]
    fn an_ended_session_is_neither_active_nor_idle() {
        let life = Life::new(at(0));
        for minute in [0, 100] {
            assert_eq!(life.state(at(minute), HALF_HOUR, true), State::Ended);
        }
    }

    #[test]
    fn a_clock_that_stepped_back_makes_no_session_idle_or_older() {
        let life = Life::new(at(100)).after_turn(at(40), 1);
        assert_eq!(life.last, at(100));
        assert_eq!(life.state(at(40), HALF_HOUR, false), State::Active);
    }

    #[test]
    fn stats_on_the_wire_look_like_this() {
        let life = Life::new(at(0)).after_turn(at(1), 1_200);
        insta::assert_json_snapshot!([life.stats(3, Some(24_000)), life.stats(3, None)]);
    }
}
