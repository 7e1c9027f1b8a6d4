//! What a task has beside its schedule: what becomes of missed runs, and the delay of each run.

use std::{num::NonZeroUsize, time::Duration};

use kata_ipc::command::MissedRuns;
use kata_schedule::Missed;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// As far back as messages are caught up by default: a weekend without the machine.
const GRACE: Duration = Duration::from_secs(72 * 60 * 60);
/// Missed runs that are made up for where all are wanted and no number is given.
const MOST: u32 = 10;
/// The largest such number.
const LARGEST_MOST: u32 = 100;
/// The longest delay.
const LONGEST_JITTER: Duration = Duration::from_secs(24 * 60 * 60);

/// As they are kept with the task, and given by `schedule_task`: what is absent has its default at the time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rules {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) missed: Option<MissedRuns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) missed_grace_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) missed_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jitter_ms: Option<u64>,
}

// === impl Rules ===

impl Rules {
    /// Of a stored task. A task of the 0.7 daemon has none.
    pub(super) fn read(settings: &Value) -> Self {
        Self::deserialize(settings).unwrap_or_default()
    }

    /// As the store keeps them: null if there is nothing to keep.
    pub(super) fn kept(&self) -> Value {
        if *self == Self::default() {
            return Value::Null;
        }
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What cannot be meant, in one sentence.
    pub(super) fn fault(&self) -> Option<String> {
        let missed = self.missed();
        if self.missed_grace_ms.is_some() && missed != MissedRuns::Once {
            return Some("missedGraceMs goes with missed \"once\": leave one of them out".to_owned());
        }
        if self.missed_max.is_some() && missed != MissedRuns::All {
            return Some("missedMax goes with missed \"all\": leave it out, or set missed".to_owned());
        }
        if self
            .missed_max
            .is_some_and(|most| !(1..=LARGEST_MOST).contains(&most))
        {
            return Some(format!("missedMax is a number from 1 to {LARGEST_MOST}"));
        }
        (self.jitter() > LONGEST_JITTER)
            .then(|| format!("jitterMs is at most {}", LONGEST_JITTER.as_millis()))
    }

    pub(super) fn missed(&self) -> MissedRuns {
        self.missed.unwrap_or(MissedRuns::Once)
    }

    pub(super) fn grace(&self) -> Duration {
        self.missed_grace_ms.map_or(GRACE, Duration::from_millis)
    }

    pub(super) fn most(&self) -> u32 {
        self.missed_max.unwrap_or(MOST)
    }

    pub(super) fn jitter(&self) -> Duration {
        Duration::from_millis(self.jitter_ms.unwrap_or(0))
    }

    /// For the schedule.
    pub(super) fn policy(&self) -> Missed {
        match self.missed() {
            MissedRuns::Skip => Missed::Skip,
            MissedRuns::Once => Missed::Once { grace: self.grace() },
            MissedRuns::All => Missed::All {
                cap: usize::try_from(self.most())
                    .ok()
                    .and_then(NonZeroUsize::new)
                    .unwrap_or(NonZeroUsize::MIN),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_kept_as_they_were_given_and_a_task_without_them_has_defaults() {
        let given = Rules {
            missed: Some(MissedRuns::All),
            missed_max: Some(3),
            ..Rules::default()
        };
        assert_eq!(given.kept(), json!({"missed": "all", "missedMax": 3}));
        assert_eq!(Rules::read(&given.kept()), given);
        assert_eq!(Rules::default().kept(), Value::Null);
        for of_others in [Value::Null, json!("text"), json!({"missed": "sometimes"})] {
            assert_eq!(Rules::read(&of_others), Rules::default(), "{of_others}");
        }
        assert_eq!(Rules::default().policy(), Missed::Once { grace: GRACE });
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let fault = |settings: Value| Rules::read(&settings).fault();
        for fine in [
            json!({}),
            json!({"missedGraceMs": 0}),
            json!({"missed": "all", "missedMax": 100}),
            json!({"missed": "skip", "jitterMs": 86_400_000}),
        ] {
            assert_eq!(fault(fine.clone()), None, "{fine}");
        }
        for wrong in [
            json!({"missed": "skip", "missedGraceMs": 1}),
            json!({"missedMax": 3}),
            json!({"missed": "all", "missedMax": 0}),
            json!({"missed": "all", "missedMax": 101}),
            json!({"jitterMs": 86_400_001}),
        ] {
            assert!(fault(wrong.clone()).is_some(), "{wrong}");
        }
    }
}
