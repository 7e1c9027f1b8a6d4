//! The words every channel shares, the adapter contract, and everything that is written once for all
//! platforms: drivers, ingress layers, egress layers, Markdown rendering and splitting.
//!
//! This crate refuses to know: which platform it serves, where rows are stored, what an agent is. A platform is an
//! [`Adapter`], the store a tower service at the bottom of the ingress stack (see [`ingress`] for a whole one) and a
//! [`drive::Cursors`] to read from.
//!
//! Adapters say what an error is; whoever decides what to do about it finds it below any layer:
//!
//! ```
//! use kata_channel::{ChannelError, Effect, Error, SendError, cause_ref};
//!
//! let refused = ChannelError::Rejected("invite the bot: /invite @kata".into());
//! let error: Error = SendError::none(refused).into();
//! assert!(cause_ref::<SendError>(&*error).is_some_and(|e| e.effect == Effect::None));
//! assert!(matches!(cause_ref::<ChannelError>(&*error), Some(ChannelError::Rejected(_))));
//! ```

pub mod adapter;
pub mod control;
pub mod drive;
pub mod egress;
pub mod error;
pub mod id;
pub mod inbound;
pub mod ingress;
pub mod markdown;
pub mod outbound;
pub mod settings;
pub mod shared;
pub mod span;
pub mod time;

pub use adapter::{
    Adapter, Cards, Descriptor, Files, History, Identity, Length, PollPage, PollRequest, Push, ReadBack,
    Sign, Signs, ThreadPage, Unit,
};
pub use control::{Control, Emoji, reaction_id};
pub use error::{ChannelError, Effect, Error, SendError, cause_ref};
pub use id::{ChannelKey, ConversationId, MessageId, Place, SenderId, Slug, ThreadId, WorkspaceId};
pub use inbound::{
    Admitted, Advance, ApprovalAnswer, ApprovalDecision, Attachment, Consumed, Cursor, Disposition, Inbound,
    Kind, OrderKey, Page, Role, Sender, Text,
};
pub use outbound::{Choice, ChoiceStyle, Finding, IdempotencyKey, Lookup, Outbound, Receipt};
pub use time::{Clock, ManualClock, Timestamp};
