//! The host as an agent: turns go out as `process_message`, `message_processed` brings them back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kata_agent::{AgentError, Host, HostTurn, Reply, Turn, classify_host_error};
use kata_ipc::{
    command::{MessageProcessed, TurnOutcome},
    event::{ProcessMessage, TurnMessage},
};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::{daemon::Daemon, turn, wire};

type Answer = oneshot::Sender<Result<Reply, AgentError>>;

/// What joins kata-agent's `host` back end to the wire.
#[derive(Debug)]
pub(crate) struct HostLink {
    turns: mpsc::Sender<HostTurn>,
    open: Mutex<HashMap<i64, Answer>>,
    can: Mutex<Capabilities>,
}

/// What the host said it can do, in `start`. They hold for turns opened after that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Takes several messages in one turn.
    pub(crate) coalesce: bool,
    /// Uses `prompt` instead of `content`.
    pub(crate) prompt: bool,
    /// Shows `approval_requested`.
    pub(crate) approvals: bool,
}

// === impl HostLink ===

impl HostLink {
    /// The link, and the end of it that [`deliver`](Self::deliver) reads.
    pub(crate) fn new() -> (Arc<Self>, mpsc::Receiver<HostTurn>) {
        let (turns, handed) = mpsc::channel(16);
        (
            Arc::new(Self {
                turns,
                open: Mutex::default(),
                can: Mutex::default(),
            }),
            handed,
        )
    }

    /// The back end that hands turns to this link.
    pub(crate) fn agent(&self) -> Host {
        Host::new(self.turns.clone())
    }

    pub(crate) fn can(&self) -> Capabilities {
        *self.can.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host introduced itself.
    pub(crate) fn introduced(&self, capabilities: &[String]) {
        let has = |name: &str| capabilities.iter().any(|c| c == name);
        *self.can.lock().unwrap_or_else(PoisonError::into_inner) = Capabilities {
            coalesce: has("coalesce"),
            prompt: has("prompt"),
            approvals: has("approvals"),
        };
    }

    /// Hands turns to the host, one event each, until nobody hands any over.
    pub(crate) async fn deliver(daemon: Arc<Daemon>, link: Arc<Self>, mut handed: mpsc::Receiver<HostTurn>) {
        while let Some(HostTurn { turn, answer }) = handed.recv().await {
            if answer.is_closed() {
                continue;
            }
            let event = process_message(&turn, link.can());
            {
                let mut open = link.lock();
                // Turns that ended otherwise (a deadline, a cancellation) left their entry behind.
                open.retain(|_, answer| !answer.is_closed());
                open.insert(turn.message_id, answer);
            }
            daemon.events.send(event).await;
        }
    }

    /// What the host says of a turn.
    pub(crate) async fn processed(&self, daemon: &Arc<Daemon>, processed: MessageProcessed) {
        let id = processed.message_id;
        let waiting = self.lock().remove(&id);
        match processed.outcome {
            TurnOutcome::Answered { response } => {
                let reply = Reply {
                    text: response,
                    usage: processed.usage,
                    sent: false,
                };
                let unheard = match waiting {
                    Some(answer) => answer.send(Ok(reply)).err().and_then(Result::ok),
                    None => Some(reply),
                };
                if let Some(reply) = unheard {
                    let late = turn::answered_late(daemon, id, &reply).await;
                    tracing::debug!(turn = id, outcome = ?late, "an answer that no open turn waited for");
                }
            }
            TurnOutcome::Failed { error } => match waiting {
                // D11: a failure without an open attempt is ignored.
                None => tracing::debug!(turn = id, "a failure that no open turn waited for"),
                Some(answer) => drop(answer.send(Err(classify_host_error(&error)))),
            },
        }
    }

    /// The host is gone without a `stop`: its open turns failed, and that counts (D11).
    pub(crate) fn gone(&self) {
        for (_, answer) in self.lock().drain() {
            let _ = answer.send(Err(AgentError::Dead("the host went away".into())));
        }
    }

    /// Nobody waits for the host any more: its open turns are given back uncounted.
    pub(crate) fn release(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Answer>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn process_message(turn: &Turn, can: Capabilities) -> ProcessMessage {
    ProcessMessage {
        message_id: turn.message_id,
        channel_id: turn.slug.clone(),
        workspace_id: turn.workspace.clone(),
        session_key: turn.session_key.clone(),
        content: turn.content.clone(),
        metadata: turn.metadata.clone(),
        attempt: turn.attempt,
        prompt: can.prompt.then(|| turn.prompt.clone()),
        // Who takes one message a turn has a digest in `content`.
        messages: if turn.messages.len() > 1 && can.coalesce {
            messages(turn)
        } else {
            Vec::new()
        },
        permissions: serde_json::to_value(&*turn.policy).ok(),
        deadline: turn.deadline.clone(),
        session_stats: turn.stats.map(wire::session_stats),
    }
}

fn messages(turn: &Turn) -> Vec<TurnMessage> {
    turn.messages
        .iter()
        .map(|said| {
            let metadata = match serde_json::to_value(said) {
                Ok(Value::Object(fields)) => fields,
                _ => serde_json::Map::new(),
            };
            TurnMessage {
                content: said.text.clone(),
                metadata,
            }
        })
        .collect()
}
