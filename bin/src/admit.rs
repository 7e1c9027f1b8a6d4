//! The bottom of the ingress stack: a page becomes rows, in one transaction with its cursor (D2, D3). Its answer says what is
//! news, to the layers above it that show it to hooks (D1).

use std::{
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use kata_channel::{
    Advance, Consumed, Disposition, Error, Inbound, Kind, Page, Role, Sender,
    settings::{Edits, Filter, SessionMode, SessionSettings},
};
use kata_plugin::{Session, Stored};
use kata_store::{
    Admit, ApprovalEffect, Arrival, ChannelId, ControlEffect, CursorMove, Effect, NewMessage, Outcome, Store,
    StoreError, UnixMs,
};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{
    daemon::{Daemon, Events},
    gate, pairing, replies,
    turn::OpenTurns,
    wire,
};

/// D26: a response URL lives this long, and so does our copy of it.
const SECRETS_LIVE: Duration = Duration::from_secs(30 * 60);

/// Writes pages of one channel.
#[derive(Clone, Debug)]
pub(crate) struct AdmitService {
    store: Store,
    channel: ChannelId,
    naming: Arc<Naming>,
    /// Weak: the daemon's channels hold this stack.
    daemon: Weak<Daemon>,
    events: Events,
    turns: OpenTurns,
    /// Ends the daemon.
    damaged: CancellationToken,
}

/// How this channel's sessions are named.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    pub(crate) filter: Filter,
    pub(crate) session: SessionSettings,
    /// What an edit does that comes too late.
    pub(crate) edits: Edits,
}

// === impl AdmitService ===

impl AdmitService {
    pub(crate) fn new(daemon: &Arc<Daemon>, channel: ChannelId, naming: Naming) -> Self {
        Self {
            store: daemon.store.clone(),
            channel,
            naming: Arc::new(naming),
            daemon: Arc::downgrade(daemon),
            events: daemon.events.clone(),
            turns: daemon.open_turns.clone(),
            damaged: daemon.stopping.clone(),
        }
    }
}

impl Service<Page> for AdmitService {
    type Response = Stored;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Stored, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, page: Page) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.admit(page).await })
    }
}

impl AdmitService {
    async fn admit(self, page: Page) -> Result<Stored, Error> {
        let ready = !matches!(page.advance, Some(Advance::Gap { .. }));
        let total = page.messages.len();
        let kept: Vec<Inbound> = page.messages.into_iter().filter(is_for_us).collect();
        let mut stored = Stored::default();
        stored.admitted.refused = total - kept.len();
        let cursor = page.advance.map(cursor_move);
        if kept.is_empty() && cursor.is_none() {
            return Ok(stored);
        }
        let arrivals = kept.iter().map(|m| self.arrival(m, ready)).collect();
        let admit = Admit {
            channel: self.channel,
            arrivals,
            cursor,
        };
        let admitting = self.store.admit(admit).await;
        if let Err(StoreError::Damaged(_)) = &admitting {
            // The next daemon looks at the whole file, and sets it aside if it must.
            self.damaged.cancel();
        }
        let outcomes = admitting?;
        for (message, outcome) in kept.iter().zip(outcomes) {
            self.tell(message, outcome, &mut stored).await;
        }
        Ok(stored)
    }

    fn arrival(&self, m: &Inbound, ready: bool) -> Arrival {
        let conversation = m.place.conversation.to_string();
        let platform_id = m.id.to_string();
        match (&m.kind, &m.disposition) {
            (Kind::Edit { edited }, _) if self.naming.edits == Edits::FollowUp => Arrival::EditOrTurn {
                edited: edited.0,
                message: self.new_message(m, ready),
            },
            (Kind::Edit { edited }, _) => Arrival::Edit {
                conversation,
                platform_id,
                edited: edited.0,
                content: m.text.readable.clone(),
                prompt: m.text.prompt.clone(),
            },
            (Kind::Deletion, _) => Arrival::Withdraw {
                conversation,
                platform_id,
            },
            (_, Disposition::Consumed(why)) => Arrival::Consumed {
                message: self.new_message(m, ready),
                effect: effect(why, m),
            },
            _ => Arrival::Turn(self.new_message(m, ready)),
        }
    }

    fn new_message(&self, m: &Inbound, ready: bool) -> NewMessage {
        let naming = &self.naming;
        let secret = m.metadata.contains_key("responseUrl") || m.metadata.contains_key("triggerId");
        NewMessage {
            conversation: m.place.conversation.to_string(),
            thread: m.place.thread.as_ref().map(ToString::to_string),
            platform_id: m.id.to_string(),
            order: m.order.0,
            lane: kata_session::lane_key(&naming.session, m),
            thread_key: kata_session::thread_key(&naming.filter, &naming.session, m),
            sender: m.sender.id.to_string(),
            role: wire::role_name(m.role).to_owned(),
            content: m.text.readable.clone(),
            prompt: m.text.prompt.clone(),
            source: m.channel.slug.to_string(),
            sent_at: UnixMs(m.sent_at.as_millis()),
            reply_thread: m.place.thread.as_ref().map(ToString::to_string),
            metadata: metadata(m),
            not_before: m.not_before.map(|t| UnixMs(t.as_millis())),
            ready,
            has_files: !m.attachments.is_empty(),
            alone: naming.session.mode == SessionMode::Stateless,
            secret_until: secret.then(|| UnixMs((m.sent_at + SECRETS_LIVE).as_millis())),
        }
    }

    /// D1: what is said to the host is said after the commit, and for new rows only.
    async fn tell(&self, message: &Inbound, outcome: Outcome, stored: &mut Stored) {
        tracing::debug!(conversation = %message.place.conversation, msg = %message.id, "stored: {outcome:?}");
        match outcome {
            Outcome::New { session_started, .. } => {
                stored.admitted.new += 1;
                if let Some(key) = session_started {
                    self.session_started(message, key, stored).await;
                }
                stored.messages.push(message.into());
                self.events
                    .message_received(&message.channel, message.id.as_str())
                    .await;
            }
            Outcome::Consumed {
                cancelled,
                ended_session,
                session_started,
                answered,
                pairing,
                ..
            } => {
                stored.admitted.new += 1;
                if let (Some(asked), Some(daemon)) = (pairing, self.daemon.upgrade()) {
                    pairing::requested(&daemon, &asked).await;
                }
                let is_skipped = matches!(message.disposition, Disposition::Consumed(Consumed::Skipped(_)));
                stored.admitted.skipped += usize::from(is_skipped);
                if let (Some(answered), Some(daemon)) = (answered, self.daemon.upgrade()) {
                    daemon.gate.approvals.answered(&daemon, &answered).await;
                }
                if let Some(turn) = cancelled {
                    self.turns.cancel(turn);
                }
                if let Some(key) = session_started {
                    self.session_started(message, key, stored).await;
                }
                if let Some(key) = ended_session {
                    self.events.session_ended(&message.channel, &key, "reset").await;
                }
                self.events
                    .message_received(&message.channel, message.id.as_str())
                    .await;
            }
            Outcome::Known | Outcome::Edited { .. } | Outcome::Withdrawn { .. } | Outcome::Ignored => {
                stored.admitted.known += 1;
            }
        }
    }

    async fn session_started(&self, message: &Inbound, key: String, stored: &mut Stored) {
        self.events.session_started(&message.channel, &key).await;
        stored.sessions.push(Session {
            channel: message.channel.clone(),
            place: message.place.clone(),
            session_key: key,
        });
    }
}

/// Whether the layers let it pass. Why a message was passed over stands in the log at `debug`.
fn is_for_us(message: &Inbound) -> bool {
    match message.disposition {
        Disposition::Refused(why) => {
            tracing::debug!(conversation = %message.place.conversation, msg = %message.id, "passed over: {why}");
            false
        }
        Disposition::Turn | Disposition::Consumed(_) => true,
    }
}

fn cursor_move(advance: Advance) -> CursorMove {
    match advance {
        Advance::Gap { place } => CursorMove::Gap {
            conversation: place.conversation.to_string(),
            thread: place.thread.map(|t| t.to_string()),
        },
        Advance::To { place, to } => CursorMove::To {
            conversation: place.conversation.to_string(),
            thread: place.thread.map(|t| t.to_string()),
            cursor: to.0,
        },
    }
}

fn effect(why: &Consumed, message: &Inbound) -> Effect {
    match why {
        Consumed::Reset => Effect::Reset(Box::new(replies::reset)),
        Consumed::Status => Effect::Reply(Box::new(replies::status)),
        Consumed::Stop => Effect::Stop(Box::new(replies::stop)),
        Consumed::Help => Effect::Reply(Box::new(replies::help)),
        Consumed::Approval(answer) => Effect::Approval(ApprovalEffect {
            code: answer.code.clone(),
            decision: wire::answer_decision(answer.decision),
            may_answer: message.role == Role::Owner,
            by: person(&message.sender),
            reply: Box::new(gate::reply),
        }),
        Consumed::Control { on, what } => Effect::Control(ControlEffect {
            on: on.to_string(),
            what: wire::control(*what),
            may_all: message.role == Role::Owner,
        }),
        Consumed::Pairing => Effect::Pairing(pairing::effect(message)),
        Consumed::Skipped(reason) => Effect::Skip {
            reason: (*reason).to_owned(),
        },
    }
}

/// Somebody, for people.
fn person(sender: &Sender) -> String {
    match &sender.name {
        Some(name) => format!("{name} ({})", sender.id),
        None => sender.id.to_string(),
    }
}

/// What the host is told about a message: what the adapter knows, and what every platform has.
fn metadata(m: &Inbound) -> Map<String, Value> {
    let mut metadata = m.metadata.clone();
    if let Some(name) = &m.sender.name {
        metadata
            .entry("senderName")
            .or_insert_with(|| Value::from(name.as_str()));
    }
    metadata
        .entry("sender")
        .or_insert_with(|| Value::from(m.sender.id.as_str()));
    if !m.attachments.is_empty() {
        let files = m
            .attachments
            .iter()
            .filter_map(|a| serde_json::to_value(a).ok())
            .collect();
        metadata.insert("attachments".into(), Value::Array(files));
    }
    metadata
}
