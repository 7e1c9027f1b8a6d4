//! The single map from error to outcome: sent, later, looked up, parked, given back. What matches nothing is logged
//! and parked.

mod layer;

use std::time::Duration;

use kata_agent::{AgentError, Refused, Reply};
use kata_channel::{ChannelError, Clock, Effect, Error, Finding, Receipt, SendError, Timestamp, cause_ref};
use kata_store::{Settle, UnixMs};

pub(crate) use self::layer::RescueLayer;

/// D20: the platform is asked for a part at the earliest this long after its attempt ended.
const SETTLING: Duration = Duration::from_secs(5);
/// D20: a part is sent again by its platform's nonce only while that holds for this much longer: an attempt's time, and some to
/// wait for its turn.
const NONCE_MARGIN: Duration = Duration::from_secs(45);
/// D21: failures without effect back off from this …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// … to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is known of a part when its send ends.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// Which attempt this is, from 1.
    pub(crate) number: u32,
    /// When the answer came into being.
    pub(crate) created_at: Timestamp,
    /// The age after which it is parked instead of sent (D21). Looked at after an attempt, so that an answer that
    /// grew old while the machine slept still gets one (D16).
    pub(crate) max_age: Duration,
    /// Where time comes from.
    pub(crate) clock: Clock,
}

/// What became of a send.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SendOutcome {
    /// For the part.
    pub(crate) settle: Settle,
    /// For the channel: its token is no longer good, and nothing more is sent until there is a new one (D21).
    pub(crate) expired: Option<ChannelError>,
}

// === impl Attempt ===

impl Attempt {
    /// What becomes of the part.
    pub(crate) fn ended(&self, sent: Result<Receipt, Error>) -> SendOutcome {
        let now = self.clock.wall();
        match sent {
            Ok(receipt) => SendOutcome {
                settle: Settle::Sent {
                    platform_id: receipt.id.map(|id| id.to_string()),
                },
                expired: None,
            },
            Err(error) => SendOutcome {
                settle: send(
                    &*error,
                    self.number,
                    now.since(self.created_at) >= self.max_age,
                    now,
                ),
                expired: cause_ref::<ChannelError>(&*error)
                    .filter(|e| matches!(e, ChannelError::AuthExpired(_)))
                    .cloned(),
            },
        }
    }
}

/// What becomes of a part whose send failed.
fn send(
    error: &(dyn std::error::Error + Send + Sync + 'static),
    attempt: u32,
    too_old: bool,
    now: Timestamp,
) -> Settle {
    let Some(SendError { error: what, effect }) = cause_ref::<SendError>(error) else {
        tracing::error!(error, "a send failed in a way that nobody foresaw");
        return Settle::Park {
            error: error.to_string(),
        };
    };
    let said = what.to_string();
    match (effect, what) {
        (Effect::Maybe, _) => Settle::Unknown {
            look_at: ms(now + SETTLING),
            error: said,
        },
        (Effect::None, ChannelError::Rejected(_)) => Settle::Park { error: said },
        (Effect::None, _) if too_old => Settle::Park { error: said },
        (Effect::None, what) => {
            let pause = what.retry_after().unwrap_or_else(|| backoff(attempt));
            Settle::Later {
                at: ms(now + pause),
                error: said,
            }
        }
    }
}

/// Whether a part of unknown outcome is sent again with its key, which the platform still knows if it took the first one (D20).
/// A clock that was set back says nothing.
pub(crate) fn nonce_decides(holds: Option<Duration>, first_attempt: Timestamp, now: Timestamp) -> bool {
    holds.is_some_and(|holds| now >= first_attempt && now.since(first_attempt) + NONCE_MARGIN < holds)
}

/// What becomes of a part after the platform was asked for it (D20).
pub(crate) fn looked_up(found: Result<Finding, ChannelError>, attempt: u32, now: Timestamp) -> Settle {
    match found {
        Ok(Finding::Sent(receipt)) => Settle::Sent {
            platform_id: receipt.id.map(|id| id.to_string()),
        },
        Ok(Finding::Absent) => Settle::Absent,
        Ok(Finding::Unknowable) => Settle::Park {
            error: "it is not known whether this answer arrived, and it cannot be looked up".into(),
        },
        // A failed look says nothing: look again later, never send.
        Err(error) => Settle::Unknown {
            look_at: ms(now
                + error
                    .retry_after()
                    .unwrap_or_else(|| backoff(attempt))
                    .max(SETTLING)),
            error: error.to_string(),
        },
    }
}

/// What becomes of a turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TurnOutcome {
    /// It was answered; an empty answer says nothing.
    Answered(Reply),
    /// It failed, and that counts.
    Failed {
        /// Why.
        error: String,
        /// Nobody answered before the lease ended.
        lease: bool,
    },
    /// The host is busy with this session: ask again (D12).
    Busy(String),
    /// It ends without an answer, and nobody is to blame (drain).
    GivenBack,
    /// It was cancelled; the rows have been dealt with.
    Cancelled,
}

impl TurnOutcome {
    /// A word for the log: what was said is nobody's business there.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Answered(_) => "answered",
            Self::Failed { lease: true, .. } => "lease over",
            Self::Failed { .. } => "failed",
            Self::Busy(_) => "busy",
            Self::GivenBack => "given back",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What becomes of a turn, whichever way its run ended.
pub(crate) fn turn_ended(run: Result<Reply, kata_agent::Error>) -> TurnOutcome {
    match run {
        Ok(reply) => TurnOutcome::Answered(reply),
        Err(error) => turn(&*error),
    }
}

fn turn(error: &(dyn std::error::Error + Send + Sync + 'static)) -> TurnOutcome {
    match cause_ref::<AgentError>(error) {
        Some(AgentError::Busy(why)) => TurnOutcome::Busy(why.clone()),
        Some(AgentError::Timeout) => TurnOutcome::Failed {
            error: AgentError::Timeout.to_string(),
            lease: true,
        },
        Some(AgentError::Cancelled) => TurnOutcome::Cancelled,
        Some(AgentError::Unavailable(_)) => TurnOutcome::GivenBack,
        Some(failed) => TurnOutcome::Failed {
            error: failed.to_string(),
            lease: false,
        },
        None if cause_ref::<Refused>(error).is_some() => TurnOutcome::Failed {
            error: error.to_string(),
            lease: false,
        },
        None => {
            tracing::error!(error, "a turn failed in a way that nobody foresaw");
            TurnOutcome::Failed {
                error: error.to_string(),
                lease: false,
            }
        }
    }
}

fn backoff(attempt: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << attempt.saturating_sub(1).min(16))
        .min(LONGEST_PAUSE)
}

fn ms(t: Timestamp) -> UnixMs {
    UnixMs(t.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn send_of(error: SendError, attempt: u32, too_old: bool) -> Settle {
        let error: Error = Box::new(error);
        send(&*error, attempt, too_old, NOW)
    }

    #[test]
    fn an_unknown_outcome_is_looked_up_and_never_sent_again_blindly() {
        let lost = ChannelError::ConnectionLost("slack went away".into());
        let settle = send_of(SendError::maybe(lost), 1, true);
        assert!(
            matches!(
                settle,
                Settle::Unknown {
                    look_at: UnixMs(1_005_000),
                    ..
                }
            ),
            "{settle:?}"
        );
    }

    #[test]
    fn a_refusal_without_effect_backs_off_to_a_minute() {
        let down = || SendError::none(ChannelError::ConnectionLost("no route".into()));
        for (attempt, seconds) in [(1, 1), (2, 2), (5, 16), (7, 60), (40, 60)] {
            let settle = send_of(down(), attempt, false);
            assert!(
                matches!(settle, Settle::Later { at: UnixMs(at), .. } if at == 1_000_000 + seconds * 1000),
                "{attempt}: {settle:?}"
            );
        }
    }

    #[test]
    fn the_platforms_own_pause_wins() {
        let limited = ChannelError::RateLimited {
            what: "chat.postMessage".into(),
            retry_after: Some(Duration::from_secs(90)),
        };
        let settle = send_of(SendError::none(limited), 1, false);
        assert!(
            matches!(
                settle,
                Settle::Later {
                    at: UnixMs(1_090_000),
                    ..
                }
            ),
            "{settle:?}"
        );
    }

    #[test]
    fn an_answer_past_its_age_and_one_that_is_refused_are_parked() {
        let down = ChannelError::ConnectionLost("no route".into());
        assert!(matches!(
            send_of(SendError::none(down), 1, true),
            Settle::Park { .. }
        ));
        let no = ChannelError::Rejected("no such channel".into());
        assert!(matches!(
            send_of(SendError::none(no), 1, false),
            Settle::Park { .. }
        ));
    }

    #[test]
    fn a_nonce_decides_while_it_certainly_holds_and_never_after() {
        let holds = Some(Duration::from_secs(120));
        for (holds, seconds, expect) in [
            (None, 1, false),
            (holds, 0, true),
            (holds, 74, true),
            (holds, 75, false),
            (holds, 8 * 3600, false),
            (holds, -10, false),
        ] {
            let now = Timestamp::from_millis(NOW.as_millis() + seconds * 1000);
            assert_eq!(nonce_decides(holds, NOW, now), expect, "{seconds}");
        }
    }

    #[test]
    fn a_read_back_decides_and_a_failed_one_decides_nothing() {
        let receipt = Receipt {
            id: Some("1.2".into()),
        };
        assert!(matches!(
            looked_up(Ok(Finding::Sent(receipt)), 1, NOW),
            Settle::Sent { platform_id: Some(_) }
        ));
        assert!(matches!(looked_up(Ok(Finding::Absent), 1, NOW), Settle::Absent));
        assert!(matches!(
            looked_up(Ok(Finding::Unknowable), 1, NOW),
            Settle::Park { .. }
        ));
        let lost = Err(ChannelError::ConnectionLost("down".into()));
        assert!(matches!(looked_up(lost, 1, NOW), Settle::Unknown { .. }));
    }
}
