//! The words every channel shares, the adapter contract, and everything that is written once for all
//! platforms: drivers, ingress layers, egress layers, Markdown rendering and splitting.
//!
//! This crate refuses to know: which platform it serves, where rows are stored, what an agent is.

pub mod adapter;
pub mod drive;
pub mod egress;
pub mod error;
pub mod id;
pub mod inbound;
pub mod ingress;
pub mod markdown;
pub mod outbound;
pub mod settings;
pub mod span;
pub mod time;

pub use adapter::{
    Adapter, Descriptor, Files, History, Identity, Length, PollPage, PollRequest, Push, ReadBack, Sign,
    Signs, Unit,
};
pub use error::{ChannelError, Effect, Error, SendError, cause_ref};
pub use id::{ChannelKey, ConversationId, MessageId, Place, SenderId, Slug, ThreadId, WorkspaceId};
pub use inbound::{
    Admitted, Advance, Attachment, Consumed, Cursor, Disposition, Inbound, Kind, OrderKey, Page, Role,
    Sender, Text,
};
pub use outbound::{Finding, IdempotencyKey, Lookup, Outbound, Receipt};
pub use time::{Clock, ManualClock, Timestamp};
