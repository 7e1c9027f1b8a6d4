//! Signing in to Google: the flow for installed apps with PKCE, and access tokens that are refreshed ahead of time.
//!
//! This is our own and not a library's: the usual one prints to stdout and waits for a person when a refresh is refused,
//! and stdout is the daemon's protocol.

mod credential;
mod endpoint;
mod flow;
mod source;

pub use credential::{BadCredential, Credential};
pub use flow::{Flow, SignIn, SignInError, sign_in};
pub(crate) use source::Tokens;

use std::time::Duration;

/// What an access token is asked for: reading, drafting, sending and labels; not deleting for good.
pub const SCOPE: &str = "https://www.googleapis.com/auth/gmail.modify";

/// Why there is no access token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// The sign-in has ended; only a person can begin another one.
    #[error("{0}")]
    Expired(String),
    /// Google asks for a pause.
    #[error("Google's token endpoint asks for a pause")]
    Limited { retry_after: Option<Duration> },
    /// Google was not reached.
    #[error("Google's token endpoint cannot be reached")]
    Unreached,
    /// The connection broke, or the answer makes no sense.
    #[error("Google's token endpoint gives no answer that can be read")]
    Lost,
}
