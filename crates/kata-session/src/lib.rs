//! From a conversation to a session: keys, scopes, resets, and the channel prompt; what a session remembers, and how it
//! is made shorter.
//!
//! Everything here is a pure function of its arguments. This crate refuses to know: where keys, reset counters and
//! transcripts are stored, who runs the agent, what time it is.
//!
//! ```
//! use kata_session::session_key;
//!
//! let key = session_key("work", "ws_1", "C0123456789", 0);
//! let after_a_reset = session_key("work", "ws_1", "C0123456789", 1);
//! assert!(key.starts_with("daemon-work-"));
//! assert_ne!(key, after_a_reset);
//! ```

pub mod compaction;
pub mod life;
pub mod transcript;

mod away;
mod digest;
mod fence;
mod history;
mod key;
mod line;
mod prompt;
mod redact;
mod said;
mod scope;
mod tokens;

pub use away::digest_text;
pub use key::{folder_name, session_key};
pub use prompt::Prompt;
pub use redact::redact;
pub use said::{Enclosed, Said};
pub use scope::{conversation_lane, lane_key, thread_key};
pub use tokens::estimate;
pub use transcript::{Entry, Speaker, Transcript};
