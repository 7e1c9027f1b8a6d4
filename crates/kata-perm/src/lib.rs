//! The daemon permission mode: an allowlist that decides each tool call of an agent that runs while nobody looks.
//!
//! Pure and synchronous. This crate refuses to know: where rules are read from, who is asked, where verdicts are
//! kept, that SQLite exists.
//!
//! ```
//! use kata_perm::{Context, Decision, Policy, Role, ToolCall};
//!
//! let policy = Policy::base();
//! let input = serde_json::json!({ "command": "ls" });
//! let verdict = policy.decide(&ToolCall::new("Bash", &input), &Context::new(Role::Owner));
//! assert_eq!(verdict.decision, Decision::Deny);
//! assert_eq!(verdict.rule, "base:never");
//! ```

mod call;
mod policy;
mod verdict;

pub use call::{Context, Role, ToolCall};
pub use policy::{Policy, ToolDefault};
pub use verdict::{Decision, Verdict};
