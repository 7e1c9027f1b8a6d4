//! Questions to people: asked in the conversation and of the host, waited for by the turn, answered once, void after a
//! while. The store decides what an answer does; here are those who wait for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kata_channel::{MessageId, Place, Timestamp, ingress::Questions};
use kata_ipc::{
    command::{Decision, ResolveApproval},
    event::{ApprovalRequested, ApprovalResolved},
};
use kata_perm::{
    ToolCall, Verdict,
    gate::{Error, Resolution},
    preview,
};
use kata_store::{
    Answered, AnsweredWhat, Approval, ApprovalState, Card, CardFn, ChannelId, NewApproval, Reply, StoreError,
    UnixMs, Via,
};
use serde_json::json;
use tokio::sync::{Notify, OnceCell, watch};
use tokio_util::sync::CancellationToken;

use super::{
    card,
    docket::{Docket, Standing},
};
use crate::{daemon::Daemon, wire};

/// The most that is kept and told of a call's arguments: a mail of the longest text that is sent, and well within a line of the
/// wire. Bytes.
const KEPT: usize = 512 << 10;
/// Codes of questions that were closed are recognised for this long: a late "yes" is told that it is late.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// The questions of this process.
#[derive(Debug, Default)]
pub(crate) struct Approvals {
    waiting: Mutex<HashMap<i64, Waiting>>,
    questions: Mutex<HashMap<ChannelId, Questions>>,
    /// There is a new question, which may be the next to expire.
    asked: Notify,
    recalled: OnceCell<()>,
}

#[derive(Debug)]
struct Waiting {
    turn: i64,
    resolution: watch::Sender<Option<Resolution>>,
}

/// A question that was put.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Its row.
    pub(crate) id: i64,
    resolution: watch::Receiver<Option<Resolution>>,
}

// === impl Asked ===

impl Asked {
    /// What became of it so far.
    pub(crate) fn so_far(&self) -> Option<Resolution> {
        self.resolution.borrow().clone()
    }

    /// Waits for what becomes of it.
    ///
    /// # Cancel safety
    /// Cancel safe: the question stays open.
    pub(crate) async fn resolution(mut self) -> Resolution {
        let resolution = match self.resolution.wait_for(Option::is_some).await {
            Ok(resolution) => resolution.clone(),
            Err(_) => None,
        };
        match resolution {
            Some(resolution) => resolution,
            // Nobody can resolve it any more: the daemon ends. The question is in the store.
            None => std::future::pending().await,
        }
    }
}

// === impl Approvals ===

impl Approvals {
    /// The codes that answers in this channel may name, shared with its ingress stack.
    pub(crate) fn questions(&self, channel: ChannelId) -> Questions {
        self.questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(channel)
            .or_default()
            .clone()
    }

    /// Makes known what earlier processes asked, once. Before anything comes in.
    pub(crate) async fn recall(&self, daemon: &Daemon) {
        if let Err(error) = self.recalled.get_or_try_init(|| self.recall_all(daemon)).await {
            daemon.store_failed("looking for open questions", &error);
        }
    }

    async fn recall_all(&self, daemon: &Daemon) -> Result<(), StoreError> {
        let since = UnixMs(daemon.clock.wall().as_millis() - millis(REMEMBERED));
        for (channel, conversation, code) in daemon.store.known_codes(since).await? {
            self.questions(channel).add(&conversation.as_str().into(), &code);
        }
        Ok(())
    }

    /// Puts a question, or joins one about the same call that is open already.
    pub(crate) async fn open(
        &self,
        docket: &Docket,
        turn: &Standing,
        call: &ToolCall,
        verdict: &Verdict,
    ) -> Result<Asked, Error> {
        let daemon = &docket.daemon;
        let stands = daemon.config.approvals.expire();
        let opened = daemon
            .store
            .open_approval(NewApproval {
                channel: turn.channel.id,
                conversation: turn.place.conversation.to_string(),
                session_key: turn.session_key.clone(),
                message: turn.id,
                thread: turn.place.thread.as_ref().map(ToString::to_string),
                tool: call.tool.clone(),
                digest: call.digest().to_string(),
                input: preview::bounded(&call.input, KEPT),
                rule: verdict.rule.to_string(),
                reason: verdict.reason.clone(),
                requester: turn.requester.clone(),
                expires_at: UnixMs((daemon.clock.wall() + stands).as_millis()),
                card: turn
                    .asks_in_conversation()
                    .then(|| card_of(turn, call, verdict, stands, self.questions(turn.channel.id))),
            })
            .await?;
        let approval = opened.approval;
        let asked = self.wait(turn.id, approval.id);
        if opened.is_new {
            self.asked.notify_one();
            daemon.events.send(requested(docket, turn, &approval)).await;
        }
        // It may have been answered before anybody waited.
        let current = match daemon.store.approval(approval.id).await? {
            Some(current) => current,
            None => approval,
        };
        self.wake(&current);
        Ok(asked)
    }

    /// One more waits for this question.
    fn wait(&self, turn: i64, id: i64) -> Asked {
        let mut waiting = self.lock();
        waiting.retain(|_, w| w.resolution.receiver_count() > 0);
        let entry = waiting.entry(id).or_insert_with(|| Waiting {
            turn,
            resolution: watch::Sender::new(None),
        });
        Asked {
            id,
            resolution: entry.resolution.subscribe(),
        }
    }

    /// Tells those who wait how the question was closed, if it was.
    fn wake(&self, approval: &Approval) {
        let Some(resolution) = resolution(approval) else {
            return;
        };
        if let Some(waiting) = self.lock().remove(&approval.id) {
            waiting.resolution.send_replace(Some(resolution));
        }
    }

    /// A question was closed: those who wait go on, the host is told, the card needs no buttons any more.
    pub(crate) async fn closed(&self, daemon: &Arc<Daemon>, approval: &Approval) {
        self.wake(approval);
        if let Some(event) = resolved(approval) {
            daemon.events.send(event).await;
        }
        let (daemon, approval) = (Arc::clone(daemon), approval.clone());
        daemon
            .tasks
            .clone()
            .spawn(async move { close_card(&daemon, &approval).await });
    }

    /// What an answer in a conversation did.
    pub(crate) async fn answered(&self, daemon: &Arc<Daemon>, answered: &Answered) {
        if let (AnsweredWhat::Taken | AnsweredWhat::TooLate, Some(approval)) =
            (answered.what, &answered.approval)
        {
            self.closed(daemon, approval).await;
        }
    }

    /// The host answers.
    pub(crate) async fn resolve(
        &self,
        daemon: &Arc<Daemon>,
        answer: ResolveApproval,
    ) -> Result<Answered, StoreError> {
        let reply = Reply {
            decision: wire::approval_decision(answer.decision),
            by: "the person at the desk".to_owned(),
            via: Via::Host,
            reason: answer.reason,
        };
        let answered = daemon.store.resolve_approval(answer.approval_id, reply).await?;
        self.answered(daemon, &answered).await;
        Ok(answered)
    }

    /// A turn is over and will not be tried again: what it asked needs no answer any more.
    pub(crate) async fn withdraw(&self, daemon: &Arc<Daemon>, turn: i64) {
        if !self.lock().values().any(|w| w.turn == turn) {
            return;
        }
        match daemon.store.withdraw_approvals(turn).await {
            Ok(withdrawn) => {
                for approval in &withdrawn {
                    self.closed(daemon, approval).await;
                }
            }
            Err(error) => tracing::warn!(turn, %error, "the turn's questions stay open until they expire"),
        }
    }

    /// Closes questions that nobody answered in time, until `stop`.
    pub(crate) async fn expire(daemon: Arc<Daemon>, stop: CancellationToken) {
        loop {
            let next = match daemon.store.next_approval_expiry().await {
                Ok(next) => next.map(|at| Timestamp::from_millis(at.0)),
                Err(StoreError::Closed) => return,
                Err(error) => {
                    daemon.store_failed("looking for questions that expire", &error);
                    Some(daemon.clock.wall() + Duration::from_secs(1))
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = daemon.gate.approvals.asked.notified() => {}
                () = daemon.due(next) => match daemon.store.expire_approvals().await {
                    Ok(expired) => for approval in &expired {
                        daemon.gate.approvals.closed(&daemon, approval).await;
                    },
                    Err(error) => daemon.store_failed("closing a question that expired", &error),
                },
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn card_of(
    turn: &Standing,
    call: &ToolCall,
    verdict: &Verdict,
    stands: Duration,
    questions: Questions,
) -> CardFn {
    let minutes = stands.as_secs().div_ceil(60);
    let question = card::question(call, verdict, &turn.requester, minutes);
    let is_whole = card::is_whole(call);
    let channel = Arc::clone(&turn.channel);
    let conversation = turn.place.conversation.clone();
    Box::new(move |approval| {
        // Before the card can be sent, and so before anybody can answer it.
        questions.add(&conversation, &approval.code);
        Card {
            // A card fits one message: the second part of a longer one would be sent without a question.
            text: channel
                .render(&question(approval))
                .into_iter()
                .next()
                .unwrap_or_default(),
            choices: card::choices(&approval.code, is_whole)
                .iter()
                .map(|choice| json!(choice))
                .collect(),
        }
    })
}

/// Takes the buttons off the card. A card that was not sent yet is sent with them; pressing one says that it is late.
async fn close_card(daemon: &Arc<Daemon>, approval: &Approval) {
    let place = match daemon.store.card_of(approval.id).await {
        Ok(place) => place,
        Err(error) => return tracing::debug!(%error, "a card keeps its buttons"),
    };
    let Some(place) = place else { return };
    let Some(channel) = daemon.channels.by_id(place.channel) else {
        return;
    };
    let Some(cards) = channel.adapter.cards() else {
        return;
    };
    let at = Place {
        conversation: place.conversation.as_str().into(),
        thread: place.thread.as_deref().map(Into::into),
    };
    let text = channel
        .render(&card::closed(approval))
        .into_iter()
        .next()
        .unwrap_or_default();
    cards
        .close(&at, &MessageId::from(place.platform_id.as_str()), &text)
        .await;
}

fn resolution(approval: &Approval) -> Option<Resolution> {
    match approval.state {
        ApprovalState::Open => None,
        ApprovalState::AllowedOnce | ApprovalState::AllowedHour => Some(Resolution::Allowed),
        ApprovalState::Denied => Some(Resolution::Denied {
            reason: approval.reply.as_ref().and_then(|reply| reply.reason.clone()),
        }),
        ApprovalState::Expired => Some(Resolution::Expired {
            after: Timestamp::from_millis(approval.expires_at.0)
                .since(Timestamp::from_millis(approval.asked_at.0)),
        }),
        ApprovalState::Withdrawn => Some(Resolution::Denied {
            reason: Some("the question was taken back".to_owned()),
        }),
    }
}

fn requested(docket: &Docket, turn: &Standing, approval: &Approval) -> ApprovalRequested {
    ApprovalRequested {
        approval_id: approval.id,
        session_key: turn.session_key.clone(),
        tool: approval.tool.clone(),
        input: approval.input.clone(),
        expires_at: Some(iso(approval.expires_at)),
        workspace_id: Some(docket.workspace.clone()),
        channel_id: Some(turn.channel.key.slug.to_string()),
        message_id: Some(turn.id),
        code: Some(approval.code.clone()),
        reason: Some(approval.reason.clone()),
        rule: Some(approval.rule.clone()),
        requester: Some(turn.requester.clone()),
        options: vec![Decision::AllowOnce, Decision::AllowHour, Decision::Deny],
    }
}

fn resolved(approval: &Approval) -> Option<ApprovalResolved> {
    let outcome = wire::approval_outcome(approval)?;
    let reply = approval.reply.as_ref();
    Some(ApprovalResolved {
        approval_id: approval.id,
        session_key: approval.session_key.clone(),
        tool: approval.tool.clone(),
        input: approval.input.clone(),
        decision: outcome.decision(),
        outcome,
        reason: reply.and_then(|reply| reply.reason.clone()),
        by: reply.map(|reply| reply.by.clone()),
        workspace_id: Some(approval.workspace.clone()),
    })
}

fn iso(at: UnixMs) -> String {
    Timestamp::from_millis(at.0).to_iso()
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}
