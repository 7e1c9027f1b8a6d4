//! The local socket: how `katad tools` and the command line reach the daemon that runs.
//!
//! A Unix socket, 0600 in a directory that is 0700, so that only the daemon's own user comes near it; JSON, one object a line. A
//! client says hello first. With the secret of a session it may list and call tools on that session's behalf; without one it is
//! the command line, which may look at grants and revoke them: both take power away and give none.
//!
//! ```text
//! → {"type":"hello","secret":"…"}
//! ← {"type":"hello"}                                     or {"type":"error","message":"…"}, and the end
//! → {"id":1,"type":"list"}
//! ← {"id":1,"ok":true,"data":[…]}
//! → {"id":2,"type":"call","tool":"slack_react","input":{…}}
//! ← {"id":2,"ok":false,"error":"one sentence"}           answers come in any order
//! → {"id":3,"type":"grants"}
//! → {"id":4,"type":"revoke_grant","grantId":4}
//! ```
//!
//! Nothing here spawns: the daemon runs each connection in a task of its own, and a client drives its [`Link`].

mod client;
mod frame;
mod listen;
mod secret;
mod serve;

pub use client::{AskError, Client, ConnectError, Link, connect};
pub use frame::{Ask, Data, Request};
pub use listen::{ListenError, Listener, PathTooLong, listen};
pub use secret::Secret;
pub use serve::{Answers, Arrival, Guest, Rejected, RequestError, Requests};

use std::time::Duration;

/// How long one line may be, either way. Bytes.
pub const LINE_BYTES: usize = 4 * 1024 * 1024;

/// How long a client may take to say hello, and the daemon to answer it.
pub const HELLO: Duration = Duration::from_secs(5);

/// How long a peer may take to read what was written.
const WRITE: Duration = Duration::from_secs(10);
