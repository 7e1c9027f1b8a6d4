//! What a host asks for: the commands, host → daemon.

mod additions;
mod core;

pub use additions::*;
pub use core::*;

use crate::field::{self, Mismatch};
use schemars::JsonSchema;
use serde_json::{Map, Value};

/// One line of a host: a command, and the id under which its answer is expected.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Request {
    /// Every event that this command directly causes carries it.
    pub request_id: Option<String>,
    /// What is asked for.
    #[schemars(flatten)]
    pub command: Command,
}

/// Keeps a command's name on the wire, its variant and its fields on one line.
///
/// A derived `Deserialize` with `tag = "type"` would buffer the fields and forget where in them an error was; a
/// host's author should read which field of which workspace is wrong.
macro_rules! commands {
    ($($(#[$doc:meta])* $name:literal => $variant:ident $(($fields:ident))?,)+) => {
        /// What a host asks for.
        ///
        /// Exhaustive on purpose: who serves commands should not compile until a new one has its place.
        #[derive(Clone, Debug, JsonSchema)]
        #[schemars(tag = "type")]
        pub enum Command {
            $($(#[$doc])* #[schemars(rename = $name)] $variant $(($fields))?,)+
        }

        impl Command {
            /// Every name on the wire.
            pub const NAMES: &[&str] = &[$($name),+];

            /// The name on the wire, its `type`.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name,)+ }
            }

            /// The command called `name`; none if there is no such.
            pub(crate) fn read(name: &str, fields: Map<String, Value>) -> Option<Result<Self, Mismatch>> {
                match name {
                    $($name => Some(commands!(@read fields $variant $($fields)?)),)+
                    _ => None,
                }
            }
        }
    };
    (@read $from:ident $variant:ident) => { Ok(Self::$variant) };
    (@read $from:ident $variant:ident $fields:ident) => {
        field::read::<$fields>(Value::Object($from)).map(Self::$variant)
    };
}

commands! {
    /// Begin; nothing happens while running.
    "start" => Start(Start),
    /// Shut down gracefully, within 5 s, exit code 0.
    "stop" => Stop,
    /// Answered by `status_changed` alone.
    "health_check" => HealthCheck,
    /// The whole desired state: what runs and is not named is stopped.
    "configure_channels" => ConfigureChannels(ConfigureChannels),
    /// Routed to the plugin.
    "plugin_action" => PluginAction(PluginAction),
    /// Stored and armed.
    "schedule_task" => ScheduleTask(ScheduleTask),
    /// Ends the turn that `process_message` opened.
    "message_processed" => MessageProcessed(MessageProcessed),
    /// A read-only view of the daemon's state.
    "query" => Query(Query),
    /// Brings a parked message back.
    "retry_message" => RetryMessage(MessageRef),
    /// Gives a message up.
    "discard_message" => DiscardMessage(MessageRef),
    /// As the chat command does.
    "reset_session" => ResetSession(SessionRef),
    /// Names a session for people; its key stays.
    "set_session_title" => SetSessionTitle(SessionTitle),
    /// Ends a running turn; a late answer to it is dropped.
    "cancel_turn" => CancelTurn(MessageRef),
    /// A channel takes and sends nothing for now.
    "pause_channel" => PauseChannel(ChannelRef),
    /// It does again.
    "resume_channel" => ResumeChannel(ChannelRef),
    /// Removes a task.
    "cancel_task" => CancelTask(TaskRef),
    /// A task does not fire for now.
    "pause_task" => PauseTask(TaskRef),
    /// It does again.
    "resume_task" => ResumeTask(TaskRef),
    /// Fires a task now.
    "run_task" => RunTask(TaskRef),
    /// Asks the permission gate for a verdict, for a host that runs the agent itself.
    "check_tool" => CheckTool(CheckTool),
    /// Calls a plugin's tool, through the gate.
    "call_tool" => CallTool(CallTool),
    /// A person's decision.
    "resolve_approval" => ResolveApproval(ResolveApproval),
    /// Ends a grant before its time.
    "revoke_grant" => RevokeGrant(GrantRef),
    /// Lets an unknown sender in.
    "pair_sender" => PairSender(PairSender),
    /// Makes a paired sender a stranger again, or takes a code back.
    "unpair_sender" => UnpairSender(PairingRef),
}
