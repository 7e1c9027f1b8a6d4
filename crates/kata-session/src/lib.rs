//! From a conversation to a session: keys, scopes, resets, and the channel prompt.
//!
//! Everything here is a pure function of its arguments. This crate refuses to know: where keys and reset counters
//! are stored, who runs the agent, what time it is.
//!
//! ```
//! use kata_session::session_key;
//!
//! let key = session_key("work", "ws_1", "C0123456789", 0);
//! let after_a_reset = session_key("work", "ws_1", "C0123456789", 1);
//! assert!(key.starts_with("daemon-work-"));
//! assert_ne!(key, after_a_reset);
//! ```

mod digest;
mod fence;
mod key;
mod prompt;
mod said;
mod scope;

pub use key::{folder_name, session_key};
pub use prompt::Prompt;
pub use said::{Enclosed, Said};
pub use scope::{conversation_lane, lane_key, thread_key};
