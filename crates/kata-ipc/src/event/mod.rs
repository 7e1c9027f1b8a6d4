//! What the daemon tells: the events, daemon → host.

mod additions;
mod answer;
mod core;
pub mod view;

pub use additions::*;
pub use answer::{Answer, Data, Failure, TaskArmed, ToolVerdict};
pub use core::*;

use schemars::JsonSchema;
use serde::Serialize;

/// One line to a host: an event, and the `requestId` of the command that caused it, if one did.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outgoing {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// The command's `requestId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Outgoing {
    /// An event that the command with this `requestId` caused.
    #[must_use]
    pub fn caused_by(request_id: Option<String>, event: impl Into<Event>) -> Self {
        Self {
            event: event.into(),
            request_id,
        }
    }
}

impl<E: Into<Event>> From<E> for Outgoing {
    fn from(event: E) -> Self {
        Self {
            event: event.into(),
            request_id: None,
        }
    }
}

/// Keeps an event's variant beside its fields, and makes `Event` from the fields.
macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($fields:ident),)+) => {
        /// What happened.
        #[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "type", rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Event {
            $($(#[$doc])* $variant($fields),)+
        }

        $(impl From<$fields> for Event {
            fn from(fields: $fields) -> Self {
                Self::$variant(fields)
            }
        })+
    };
}

events! {
    /// The daemon's state: `starting` is the first line, `running` follows when commands are served, `stopping`
    /// then `stopped` end a graceful run. `running` is no heartbeat.
    StatusChanged(StatusChanged),
    /// A message came in, and is durable.
    MessageReceived(MessageReceived),
    /// A turn for the host's agent.
    ProcessMessage(ProcessMessage),
    /// An answer was accepted by the platform, with its last part.
    MessageSent(MessageSent),
    /// A plugin is there.
    PluginLoaded(PluginLoaded),
    /// Something that a person should read.
    PluginError(PluginError),
    /// A scheduled task fired.
    TaskFired(TaskFired),
    /// A channel's connection changed.
    ChannelStatus(ChannelStatus),
    /// A turn or a delivery failed.
    MessageFailed(MessageFailed),
    /// A session has its first turn.
    SessionStarted(SessionStarted),
    /// A session is over.
    SessionEnded(SessionEnded),
    /// A verdict of the permission gate.
    ToolCall(ToolCall),
    /// A person is asked.
    ApprovalRequested(ApprovalRequested),
    /// A person has decided, or nobody did in time.
    ApprovalResolved(ApprovalResolved),
    /// An unknown sender asks to be let in.
    PairingRequested(PairingRequested),
    /// A code to be scanned with the phone.
    QrCode(QrCode),
    /// A line could not be taken.
    ProtocolError(ProtocolError),
    /// The answer to a command with a `requestId`.
    Result(Answer),
}
