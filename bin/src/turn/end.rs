//! Runs one claimed turn through its stack, and writes down how it ended.

use std::{sync::Arc, time::Duration};

use kata_agent::{Reply, Stopwatch};
use kata_channel::{ChannelKey, Timestamp};
use kata_store::{Answer, ClaimedTurn, Failed, Failure, Finished, NoticeFn, SessionName, UnixMs};
use tower::ServiceExt;

use super::{
    Claimed, Slot,
    record::{record, record_late},
};
use crate::{
    daemon::{Channel, Daemon, Sign},
    gate::{Docket, Standing},
    replies,
    rescue::TurnOutcome,
    stack, tasks,
};

/// D12: a busy host is asked again after this.
const BUSY: Duration = Duration::from_secs(15);
/// What is being done when the end of a turn cannot be written.
const WRITING: &str = "writing down the end of a turn";

/// Runs one turn to its durable end.
pub(crate) async fn run(daemon: &Arc<Daemon>, turn: ClaimedTurn, slot: Slot) {
    let Some(channel) = daemon.channel_of(&turn) else {
        // The channel went away between the claim and now: its rows stay queued (D10).
        daemon.persist(WRITING, || daemon.store.give_back(turn.id)).await;
        return;
    };
    tracing::debug!(channel = %channel.key, turn = turn.id, attempt = turn.attempt, "claimed {} messages", turn.rows.len());
    let watch = Stopwatch::new();
    let mut standing = Standing::of(daemon, &channel, &turn, &slot, &watch);
    tasks::inherit(daemon, &turn, &mut standing).await;
    let docket = Arc::new(Docket::of_turn(daemon, &turn, standing));
    let (cancel, _listed) = daemon.open_turns.open(turn.id, &docket);
    let sign = Sign::after_a_while(daemon, &channel, &turn);
    let limit = daemon.turn_limit(&channel);
    let claimed = Claimed {
        deadline: daemon.clock.wall() + limit,
        turn: turn.clone(),
        slot: slot.clone(),
        cancel,
        watch,
    };
    let Ok(outcome) = stack::turn(daemon, &channel, docket, limit)
        .oneshot(claimed)
        .await;
    tracing::debug!(channel = %channel.key, turn = turn.id, attempt = turn.attempt, "the run ended: {}", outcome.name());
    // The run is over, so its slot is free: the next claim may share a commit with this turn's end. The lane stays
    // held until that commit.
    slot.give_back();
    let is_over = matches!(outcome, TurnOutcome::Answered(_) | TurnOutcome::Cancelled);
    end(daemon, &channel, &turn, limit, outcome).await;
    if is_over {
        daemon.gate.approvals.withdraw(daemon, turn.id).await;
    }
    sign.take_off().await;
}

async fn end(
    daemon: &Arc<Daemon>,
    channel: &Arc<Channel>,
    turn: &ClaimedTurn,
    limit: Duration,
    outcome: TurnOutcome,
) {
    match outcome {
        TurnOutcome::Answered(reply) => answered(daemon, channel, turn, &reply).await,
        TurnOutcome::Failed { error, lease } => {
            let failure = || Failure {
                error: error.clone(),
                lease,
                notice: notice(channel, turn),
            };
            let failed = daemon
                .persist(WRITING, || daemon.store.fail(turn.id, failure()))
                .await;
            say_failed(daemon, channel, turn.id, &error, failed).await;
        }
        TurnOutcome::Busy(error) => {
            let again = UnixMs((daemon.clock.wall() + BUSY).as_millis());
            let failure = || Failure {
                error: error.clone(),
                lease: false,
                notice: notice(channel, turn),
            };
            let failed = daemon
                .persist(WRITING, || daemon.store.busy(turn.id, again, limit, failure()))
                .await;
            say_failed(daemon, channel, turn.id, &error, failed).await;
        }
        TurnOutcome::GivenBack => drop(daemon.persist(WRITING, || daemon.store.give_back(turn.id)).await),
        TurnOutcome::Cancelled => {}
    }
}

/// D17: the turn's end and its answer are one commit. Where no hook is to look at it, its parts are in it too.
async fn answered(daemon: &Arc<Daemon>, channel: &Arc<Channel>, turn: &ClaimedTurn, reply: &Reply) {
    let text = if reply.sent { "" } else { reply.text.as_str() };
    let remembers = daemon.agents.remembers(&channel.spec);
    let record = record(turn, reply, remembers, daemon.clock.wall());
    let parts = channel
        .message_sending(daemon)
        .is_empty()
        .then(|| channel.render(text));
    let is_said = parts
        .as_ref()
        .map_or(!text.trim().is_empty(), |parts| !parts.is_empty());
    let answer = || {
        is_said.then(|| Answer {
            content: text.to_owned(),
            parts: parts.clone(),
        })
    };
    let finished = daemon
        .persist(WRITING, || {
            daemon.store.finish_recorded(turn.id, answer(), record.clone())
        })
        .await;
    match finished {
        Some(Finished::Already) => tracing::debug!(turn = turn.id, "a second answer changes nothing"),
        Some(Finished::Done {
            ended: Some(session), ..
        }) => say_over(daemon, session).await,
        _ => {}
    }
}

/// D13: a success that no open turn waits for: late, for a row that is offered again or parked, or from an earlier
/// process. It is rendered when it is prepared.
pub(crate) async fn answered_late(daemon: &Arc<Daemon>, turn: i64, reply: &Reply) -> Option<Finished> {
    let text = reply.text.as_str();
    let answer = || {
        (!text.trim().is_empty()).then(|| Answer {
            content: text.to_owned(),
            parts: None,
        })
    };
    let finished = daemon
        .persist(WRITING, || {
            daemon.store.finish_recorded(turn, answer(), record_late(reply))
        })
        .await;
    if let Some(Finished::Done {
        ended: Some(session), ..
    }) = &finished
    {
        say_over(daemon, session.clone()).await;
    }
    finished
}

/// A message that was a session by itself has had its answer.
async fn say_over(daemon: &Daemon, session: SessionName) {
    let channel = ChannelKey::new(&*session.workspace, &*session.slug);
    daemon
        .events
        .session_ended(&channel, &session.key, "stateless")
        .await;
}

/// D22: strangers get no notice, and neither does a platform that must not carry any.
fn notice(channel: &Channel, turn: &ClaimedTurn) -> Option<NoticeFn> {
    let stranger = turn.rows.last().and_then(|row| row.role.as_deref()) == Some("stranger");
    let wanted = channel.adapter.descriptor().notices && !stranger;
    wanted.then(|| -> NoticeFn { Box::new(replies::parked) })
}

async fn say_failed(
    daemon: &Arc<Daemon>,
    channel: &Arc<Channel>,
    turn: i64,
    error: &str,
    failed: Option<Failed>,
) {
    match failed {
        Some(Failed::Retry { attempt, at }) => {
            let at = Some(Timestamp::from_millis(at.0));
            daemon
                .events
                .message_failed(&channel.key, turn, attempt, error, at)
                .await;
        }
        Some(Failed::Parked { attempt, .. }) => {
            daemon
                .events
                .message_failed(&channel.key, turn, attempt, error, None)
                .await;
            let attempts = replies::attempts(attempt);
            let said = format!(
                "message {turn} could not be answered after {attempts}: {error}; retry_message brings it back"
            );
            daemon.events.plugin_error(channel.key.slug.as_str(), &said).await;
            tasks::turn_given_up(daemon, turn, error).await;
        }
        Some(Failed::GivenBack { .. } | Failed::NotOpen) | None => {}
    }
}
