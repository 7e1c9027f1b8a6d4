//! The outbox loop: prepares answers, sends their parts, looks up what became of those whose outcome is unknown.
//! Order is the claim's doing: part n+1 is not claimed before part n is settled, and a lane's next answer waits for
//! the one before it (D17).

use std::{collections::HashMap, sync::Arc, time::Duration};

use kata_channel::{IdempotencyKey, Lookup, MessageId, Outbound, Place, Timestamp};
use kata_plugin::Draft;
use kata_store::{ChannelId, OutClaim, OutWork, Part, RawAnswer, Settle, StoreError, UnixMs};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{Daemon, channel::Channel, ledger::Ledger};
use crate::{
    rescue::{self, Attempt},
    stack,
};

/// Sends of one channel that may be under way at once.
const AT_ONCE: usize = 8;
/// D20: a read-back reaches back to the attempt's time minus this.
const WINDOW: Duration = Duration::from_secs(120);
/// A read-back that hangs is as good as none.
const LOOKUP: Duration = Duration::from_secs(60);

/// Runs until `stop`. Sends that are under way then go on; the drain waits for them.
pub(super) async fn outbox_loop(daemon: Arc<Daemon>, stop: CancellationToken) {
    let under_way = Ledger::default();
    let mut work = daemon.store.out_work();
    let mut channels = daemon.channels.changed();
    let mut freed = under_way.freed();
    let mut order = Order::default();
    loop {
        work.mark_unchanged();
        channels.mark_unchanged();
        freed.mark_unchanged();
        let eligible = daemon.channels.sendable().channels;
        let free: Vec<ChannelId> = eligible
            .into_iter()
            .filter(|c| under_way.held(*c) < AT_ONCE)
            .collect();
        let next_due = match daemon.store.claim_out(order.of(free)).await {
            Ok(OutClaim::Work(work)) => {
                let channel = channel_of(&work);
                order.served(channel);
                let held = under_way.take(channel);
                let daemon = Arc::clone(&daemon);
                daemon.sending.clone().spawn(async move {
                    carry_out(&daemon, work).await;
                    drop(held);
                });
                if stop.is_cancelled() {
                    return;
                }
                continue;
            }
            Ok(OutClaim::Nothing { next_due }) => next_due,
            Err(StoreError::Closed) => return,
            Err(error) => {
                daemon.store_failed("claiming an answer", &error);
                Some(UnixMs(daemon.clock.wall().as_millis() + 1000))
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = work.changed() => {}
            _ = channels.changed() => {}
            _ = freed.changed() => {}
            () = daemon.due(next_due.map(|at| Timestamp::from_millis(at.0))) => {}
        }
    }
}

fn channel_of(work: &OutWork) -> ChannelId {
    match work {
        OutWork::Prepare(raw) => raw.channel,
        OutWork::Send(part) | OutWork::ReadBack(part) => part.channel,
    }
}

/// Channels in the order in which they were served, the longest ago first.
#[derive(Debug, Default)]
struct Order {
    round: u64,
    served: HashMap<ChannelId, u64>,
}

impl Order {
    fn of(&self, mut channels: Vec<ChannelId>) -> Vec<ChannelId> {
        channels.sort_by_key(|c| self.served.get(c).copied().unwrap_or(0));
        channels
    }

    fn served(&mut self, channel: ChannelId) {
        self.round += 1;
        self.served.insert(channel, self.round);
    }
}

async fn carry_out(daemon: &Arc<Daemon>, work: OutWork) {
    let Some(channel) = daemon.channels.by_id(channel_of(&work)) else {
        // It went away between the claim and now. A part that was claimed keeps its mark and is given back.
        if let OutWork::Send(part) = work {
            settle(daemon, None, &part, Settle::NotTried).await;
        }
        return;
    };
    match work {
        OutWork::Prepare(raw) => prepare(daemon, &channel, raw).await,
        OutWork::Send(part) => send(daemon, &channel, &part).await,
        OutWork::ReadBack(part) => read_back(daemon, &channel, &part).await,
    }
}

/// D17: hooks, render, split; durable before anything of it is sent.
async fn prepare(daemon: &Arc<Daemon>, channel: &Arc<Channel>, raw: RawAnswer) {
    let draft = Draft {
        channel: channel.key.clone(),
        place: Place {
            conversation: raw.conversation.into(),
            thread: raw.thread.map(Into::into),
        },
        text: raw.content,
    };
    match stack::prepare(daemon, channel).oneshot(draft).await {
        Ok(parts) => {
            daemon
                .persist("preparing an answer", || {
                    daemon.store.prepare(raw.id, parts.clone())
                })
                .await;
        }
        Err(why) => {
            let why = why.to_string();
            let said = format!("answer {} is {why}", raw.id);
            daemon.events.plugin_error(channel.key.slug.as_str(), &said).await;
            daemon
                .persist("withholding an answer", || daemon.store.withhold(raw.id, &why))
                .await;
        }
    }
}

async fn send(daemon: &Arc<Daemon>, channel: &Arc<Channel>, part: &Part) {
    let attempt = Attempt {
        number: part.attempt,
        created_at: Timestamp::from_millis(part.created_at.0),
        max_age: channel.spec.settings.max_answer_age(),
        clock: daemon.clock.clone(),
    };
    let Ok(outcome) = stack::egress(channel, attempt)
        .oneshot(outbound(channel, part))
        .await;
    if let Some(expired) = &outcome.expired {
        channel.auth_expired(daemon, expired).await;
    }
    settle(daemon, Some(channel), part, outcome.settle).await;
}

async fn read_back(daemon: &Arc<Daemon>, channel: &Arc<Channel>, part: &Part) {
    let now = daemon.clock.wall();
    let first_attempt = Timestamp::from_millis(part.first_attempt_at.0);
    let outbound = outbound(channel, part);
    if rescue::nonce_decides(channel.adapter.nonce_holds(&outbound), first_attempt, now) {
        return settle(daemon, Some(channel), part, Settle::Again).await;
    }
    let found = match channel.adapter.read_back() {
        None => Ok(kata_channel::Finding::Unknowable),
        Some(platform) => {
            let lookup = Lookup {
                outbound,
                since: first_attempt - WINDOW,
            };
            tokio::time::timeout(LOOKUP, platform.find(&lookup))
                .await
                .unwrap_or_else(|_| {
                    Err(kata_channel::ChannelError::ConnectionLost(
                        "the platform did not answer the look-up".into(),
                    ))
                })
        }
    };
    settle(
        daemon,
        Some(channel),
        part,
        rescue::looked_up(found, part.attempt, now),
    )
    .await;
}

fn outbound(channel: &Channel, part: &Part) -> Outbound {
    Outbound {
        channel: channel.key.clone(),
        place: Place {
            conversation: part.conversation.as_str().into(),
            thread: part.thread.as_deref().map(Into::into),
        },
        reply_to: part.reply_to.as_deref().map(MessageId::from),
        text: part.text.clone(),
        key: IdempotencyKey(part.key.clone()),
        part: part.part,
        of: part.of,
        metadata: part.metadata.clone(),
        choices: part
            .choices
            .iter()
            .filter_map(|choice| serde_json::from_value(choice.clone()).ok())
            .collect(),
        created_at: Timestamp::from_millis(part.created_at.0),
    }
}

/// Writes down what became of a part, and says so.
async fn settle(daemon: &Arc<Daemon>, channel: Option<&Arc<Channel>>, part: &Part, outcome: Settle) {
    let (error, next) = match &outcome {
        Settle::Later { at, error } => (Some(error.clone()), Some(Timestamp::from_millis(at.0))),
        Settle::Unknown { look_at, error } => (Some(error.clone()), Some(Timestamp::from_millis(look_at.0))),
        Settle::Park { error } => (Some(error.clone()), None),
        Settle::Sent { .. } | Settle::Absent | Settle::Again | Settle::NotTried => (None, None),
    };
    tracing::debug!(
        msg = part.answer,
        attempt = part.attempt,
        "part {} of {}: {}",
        part.part,
        part.of,
        name(&outcome)
    );
    // Until this is written the part holds its lane: it would be looked up at the next start, and no sooner.
    let settled = daemon.persist("writing down what became of a send", || {
        daemon.store.settle(part.id, outcome.clone())
    });
    let Some(settled) = settled.await else { return };
    let Some(channel) = channel else { return };
    if settled.answer_done {
        daemon.events.message_sent(&channel.key, settled.answer).await;
    }
    if let Some(error) = error {
        daemon
            .events
            .message_failed(&channel.key, settled.answer, part.attempt, &error, next)
            .await;
        if settled.parked {
            let said = format!(
                "an answer could not be sent: {error}; retry_message {} sends it again",
                settled.answer
            );
            daemon.events.plugin_error(channel.key.slug.as_str(), &said).await;
        }
    }
}

fn name(outcome: &Settle) -> &'static str {
    match outcome {
        Settle::Sent { .. } => "sent",
        Settle::Later { .. } => "later",
        Settle::Unknown { .. } => "unknown",
        Settle::Absent => "absent",
        Settle::Again => "again, with its key",
        Settle::Park { .. } => "parked",
        Settle::NotTried => "not tried",
    }
}
