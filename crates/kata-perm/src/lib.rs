//! The daemon permission mode: an allowlist that decides each tool call of an agent that runs while nobody looks.
//!
//! Pure and synchronous. This crate refuses to know: where rules are read from, who is asked, where verdicts and counts
//! are kept, what time it is, that SQLite exists. It opens no file; where a rule looks at a path, it asks the file system
//! where that path leads.
//!
//! ```
//! use kata_perm::{Context, Decision, PermissionsFile, Policy, Role, Roots, ToolCall};
//!
//! let file = PermissionsFile::parse(r#"{ "allowedBashPatterns": ["^git (status|log)( -[0-9]+)*$"] }"#)?;
//! let policy = Policy::base().with_file(&file, &Roots::new("/srv/notes"));
//! let decide = |command: &str| {
//!     let input = serde_json::json!({ "command": command });
//!     policy.decide(&ToolCall::new("Bash", input.clone()), &Context::new(Role::Owner)).decision
//! };
//! assert_eq!(decide("git status && git log -3"), Decision::Allow);
//! assert_eq!(decide("git status; rm -rf ."), Decision::Deny);
//! assert_eq!(decide("git log > ~/.bashrc"), Decision::Deny);
//! assert_eq!(decide("git log --output=notes.txt"), Decision::Deny);
//! # Ok::<(), kata_perm::FileError>(())
//! ```
//!
//! # The file
//!
//! `daemon-permissions.json` has the lists of the app, and three things of ours: `allowedTools`, `askTools` and `rules`.
//! `schema/daemon-permissions.schema.json` beside this crate describes it for editors.
//!
//! ```
//! # let text = r#"
//! {
//!   "allowedBashPatterns": ["^ls( |$)", { "pattern": "^git (status|log)( -[0-9]+| --oneline)*$", "comment": "reads only" }],
//!   "allowedMcpPatterns": ["^mcp__github__(get|list|search)_"],
//!   "blockedTools": ["WebSearch"],
//!   "allowedWritePaths": ["drafts/**", "~/notes/*.md"],
//!   "allowedApiEndpoints": [{ "method": "GET", "path": "^/v1/(issues|pulls)(\\?|$)" }],
//!   "allowedTools": ["slack_react"],
//!   "askTools": ["slack_post_.*"],
//!   "rules": [
//!     {
//!       "id": "docs-only",
//!       "effect": "allow",
//!       "tools": ["Fetch"],
//!       "when": [{ "at": "/url", "url": { "hosts": ["docs.rs", "*.readthedocs.io"] } }],
//!       "channels": ["team"],
//!       "roles": ["owner"],
//!       "until": "2027-01-31T18:00:00Z",
//!       "uses": 20,
//!       "comment": "while the release is being written"
//!     },
//!     {
//!       "id": "no-secrets",
//!       "effect": "deny",
//!       "tools": ["Read"],
//!       "when": [{ "at": "/file_path", "path": ["/**/.env", "/**/.ssh/**"] }]
//!     }
//!   ]
//! }
//! # "#;
//! # kata_perm::PermissionsFile::parse(text)?;
//! # Ok::<(), kata_perm::FileError>(())
//! ```
//!
//! An entry is a string, or `{ "pattern", "comment"? }`. Patterns are JavaScript regular expressions without flags, searched
//! for anywhere: begin one with `^`, and end it with `$` or a space. Those that name tools match the whole name. Unknown
//! keys are refused.
//!
//! A rule has an `id`, an `effect` (`allow`, `ask`, `deny`) and the `tools` it is about. Everything else narrows it. Each
//! condition in `when` looks at one argument, `at` a JSON pointer, with one test:
//!
//! | test | holds if the argument is |
//! |---|---|
//! | `equals` | this value |
//! | `oneOf` | one of these values |
//! | `glob` | a text that this glob matches |
//! | `regex` | a text that this pattern is found in |
//! | `min`, `max` | a number within these bounds |
//! | `path` | a path that leads to a place in one of these globs; denying or asking, also to a folder that they begin in |
//! | `url` | a URL with one of these `schemes`, `hosts` and `paths` |
//! | `shell` | shell text; allowing: every simple command in it matches one of these patterns, else: one does |
//!
//! # What decides
//!
//! - Deny beats ask beats allow, and the order of entries counts for nothing. What nothing names is denied.
//! - `Bash` needs text of which every command matches `allowedBashPatterns`, or a rule with `shell` at `/command`. The tools
//!   that write files need a path in `allowedWritePaths`, or a rule with `path` at that argument. No name allows these.
//! - A doubt never allows. Where an argument is missing, of another kind, or can be read in two ways, a rule that allows is
//!   not about the call, and a rule that denies or asks denies it.
//! - A rule that allows matches exactly what is written; a rule that denies also what the file system or a server may take
//!   for the same: another case, another Unicode form, a full stop after a host. To `equals` and `oneOf` of such a rule
//!   `1.0` is 1, and `"1"`, `[1]` and every value of another kind are doubts.
//! - No path opens what governs the daemon to a tool that writes, not even by asking: the workspace's
//!   `daemon-permissions.json`, and what [`Roots::protecting`] and [`Roots::protecting_except`] name.
//!
//! # What it does not see
//!
//! A path is resolved when the verdict is made: who can change links in an allowed folder meanwhile can lead a write out of
//! it, and a second name of one file (a hard link) cannot be told from the first. What a program does with its arguments is
//! not looked at: allow none that runs others, and name the options of those that can write, as `git log --output` does. A
//! rule looks at the tools and the argument that it names: to keep a folder from being read, deny `Read` at `/file_path` and
//! `Grep` and `Glob` at `/path`. A URL may redirect.

mod additions;
mod call;
mod digest;
mod facts;
mod file;
pub mod gate;
mod grant;
mod path;
mod pattern;
mod pointer;
mod policy;
pub mod preview;
mod protected;
mod rule;
mod shell;
mod size;
mod stance;
mod text;
mod tools;
mod value;
mod verdict;
mod web;
mod written;

pub use call::{Context, Role, ToolCall};
pub use digest::Digest;
pub use file::{FileError, PermissionsFile};
pub use grant::FileGrant;
pub use path::Roots;
pub use policy::{Policy, ToolDefault};
pub use verdict::{Decision, Verdict};
