//! What the daemon tells its host. One method an event, so that the rest of the binary never builds a frame.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kata_channel::{ChannelError, ChannelKey};
use kata_ipc::{
    Event, Outgoing, PROTOCOL,
    event::{
        Answer, ChannelFault, ChannelStatus, ConnectionStatus, DaemonStatus, MessageFailed, MessageReceived,
        MessageSent, PluginError, PluginLoaded, ProtocolError, SessionEnded, SessionStarted, StatusChanged,
        ToolCall,
    },
    stdio::EventSender,
};
use kata_perm::Verdict;
use tokio::sync::mpsc;

use super::channel::Channel;
use crate::{gate::Docket, wire};

/// What a host may ask of us beyond the core.
pub(crate) const CAPABILITIES: [&str; 7] = [
    "coalesce",
    "prompt",
    "query",
    "check_tool",
    "call_tool",
    "approvals",
    "pairing",
];

/// While we end, one event may take this long.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Where events go. Sending waits while the host does not read: we slow down, and do not grow.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    /// None once [`close`](Self::close) was called.
    to: Arc<Mutex<Option<Target>>>,
    status: Arc<Mutex<DaemonStatus>>,
}

#[derive(Clone, Debug)]
enum Target {
    /// The protocol's writer.
    Wire(EventSender),
    /// This program itself, which shows some of them.
    Inside(mpsc::Sender<Event>),
}

// === impl Events ===

impl Events {
    pub(crate) fn wire(to: EventSender) -> Self {
        Self {
            to: open(Target::Wire(to)),
            status: Arc::new(Mutex::new(DaemonStatus::Starting)),
        }
    }

    /// For a daemon without a host.
    pub(crate) fn inside(to: mpsc::Sender<Event>) -> Self {
        Self {
            to: open(Target::Inside(to)),
            status: Arc::new(Mutex::new(DaemonStatus::Starting)),
        }
    }

    /// The daemon's status as it was last said.
    pub(crate) fn current(&self) -> DaemonStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says the daemon's status. Once `stopping` was said, `running` never is again: the app would forget that it is
    /// stopping, and hang its own quit.
    pub(crate) async fn status(
        &self,
        status: DaemonStatus,
        error: Option<String>,
        request_id: Option<String>,
    ) {
        let said = {
            let mut current = self.status.lock().unwrap_or_else(PoisonError::into_inner);
            let ending = is_end(*current);
            if status == DaemonStatus::Running && ending {
                *current
            } else {
                *current = status;
                status
            }
        };
        let event = StatusChanged {
            status: said,
            error,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL,
            pid: std::process::id(),
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
        };
        self.send(Outgoing::caused_by(request_id, event)).await;
    }

    pub(crate) async fn message_received(&self, channel: &ChannelKey, message: &str) {
        self.send(MessageReceived {
            channel_id: channel.slug.to_string(),
            message_id: message.to_owned(),
            workspace_id: channel.workspace.to_string(),
        })
        .await;
    }

    pub(crate) async fn message_sent(&self, channel: &ChannelKey, answer: i64) {
        self.send(MessageSent {
            channel_id: channel.slug.to_string(),
            message_id: answer,
            workspace_id: channel.workspace.to_string(),
        })
        .await;
    }

    pub(crate) async fn message_failed(
        &self,
        channel: &ChannelKey,
        row: i64,
        attempt: u32,
        error: &str,
        next: Option<kata_channel::Timestamp>,
    ) {
        self.send(MessageFailed {
            message_id: row,
            channel_id: channel.slug.to_string(),
            workspace_id: channel.workspace.to_string(),
            attempt,
            error: error.to_owned(),
            next_attempt_at: next.map(kata_channel::Timestamp::to_iso),
        })
        .await;
    }

    pub(crate) async fn session_started(&self, channel: &ChannelKey, session_key: &str) {
        self.send(SessionStarted {
            session_key: session_key.to_owned(),
            workspace_id: channel.workspace.to_string(),
            channel_id: channel.slug.to_string(),
            reason: None,
        })
        .await;
    }

    pub(crate) async fn session_ended(&self, channel: &ChannelKey, session_key: &str, reason: &str) {
        self.send(SessionEnded {
            session_key: session_key.to_owned(),
            workspace_id: channel.workspace.to_string(),
            channel_id: channel.slug.to_string(),
            reason: Some(reason.to_owned()),
        })
        .await;
    }

    pub(crate) async fn plugin_loaded(&self, plugin: &str) {
        self.send(PluginLoaded {
            plugin_id: plugin.to_owned(),
        })
        .await;
    }

    /// What a person must act on: all that the 0.7 app shows.
    pub(crate) async fn plugin_error(&self, plugin: &str, error: &str) {
        tracing::warn!(plugin, "{error}");
        self.send(PluginError {
            plugin_id: plugin.to_owned(),
            error: error.to_owned(),
        })
        .await;
    }

    pub(crate) async fn channel_status(
        &self,
        channel: &Channel,
        status: ConnectionStatus,
        error: Option<&ChannelError>,
    ) {
        self.send(ChannelStatus {
            channel_id: channel.key.slug.to_string(),
            workspace_id: channel.key.workspace.to_string(),
            status,
            error: error.map(fault),
        })
        .await;
    }

    pub(crate) async fn tool_call(
        &self,
        docket: &Docket,
        call: &kata_perm::ToolCall,
        verdict: &Verdict,
        grant: Option<i64>,
    ) {
        let turn = docket.turn.as_ref();
        let event = ToolCall {
            session_key: turn.map(|t| t.session_key.clone()).unwrap_or_default(),
            tool: call.tool.clone(),
            verdict: wire::verdict_word(verdict.decision),
            rule: verdict.rule.to_string(),
            reason: Some(verdict.reason.clone()),
            workspace_id: Some(docket.workspace.clone()),
            message_id: turn.map(|t| t.id),
            grant_id: grant,
            approval_id: None,
        };
        self.send(Outgoing::caused_by(docket.cause.clone(), event)).await;
    }

    pub(crate) async fn protocol_error(&self, reason: &str, command: &str, request_id: Option<String>) {
        let event = ProtocolError {
            reason: reason.to_owned(),
            command_type: Some(command.to_owned()),
        };
        self.send(Outgoing::caused_by(request_id, event)).await;
    }

    pub(crate) async fn result(&self, request_id: String, answer: Answer) {
        self.send(Outgoing::caused_by(Some(request_id), answer)).await;
    }

    /// Any other event. A host that went away is noticed by the reader; what it cannot hear any more is dropped.
    pub(crate) async fn send(&self, event: impl Into<Outgoing>) {
        let outgoing = event.into();
        let to = self.to.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sending = async {
            match to {
                Some(Target::Wire(to)) => drop(to.send(outgoing).await),
                Some(Target::Inside(to)) => drop(to.send(outgoing.event).await),
                None => {}
            }
        };
        if self.is_ending() {
            // A host that does not read must not hold up the end: what it cannot be told is dropped.
            let _ = tokio::time::timeout(LAST_WORDS, sending).await;
        } else {
            sending.await;
        }
    }

    fn is_ending(&self) -> bool {
        is_end(self.current())
    }

    /// Nothing is said any more: the writer may finish, although tasks that still hold us do not.
    pub(crate) fn close(&self) {
        self.to.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn is_end(status: DaemonStatus) -> bool {
    matches!(
        status,
        DaemonStatus::Stopping | DaemonStatus::Stopped | DaemonStatus::Error
    )
}

fn open(target: Target) -> Arc<Mutex<Option<Target>>> {
    Arc::new(Mutex::new(Some(target)))
}

/// A channel's error as the wire has it.
pub(crate) fn fault(error: &ChannelError) -> ChannelFault {
    ChannelFault {
        code: error.code().to_owned(),
        message: error.to_string(),
        retry_after_ms: error
            .retry_after()
            .map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
    }
}
