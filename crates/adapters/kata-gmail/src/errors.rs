//! What went wrong with a call, said once: what it was, what the person at the desk can do, and whether a send may have
//! happened all the same (D19).

use std::time::Duration;

use google_apis_common as common;
use kata_channel::{ChannelError, SendError};
use kata_plugin::ToolError;
use serde_json::Value;

use crate::oauth::TokenError;

/// What Google says about one thing is repeated up to this length.
const DETAIL: usize = 200;

/// A call that did not end in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// Nothing left this machine.
    Unreached,
    /// The connection broke or the answer cannot be read, after the request was on its way.
    Lost(&'static str),
    /// The answer came whole, and is none that this build understands.
    Unreadable,
    /// Google is ill: a status from 500 on.
    Status(u16),
    /// Google asks for a pause.
    Limited {
        what: &'static str,
        retry_after: Option<Duration>,
    },
    /// The token is no good, and nothing is called until there is another one. A sentence.
    Expired(String),
    /// Google understood and said no.
    Refused(Refusal),
}

/// Google's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) what: &'static str,
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) message: String,
}

// === impl CallError ===

impl CallError {
    /// Reads the library's error. Its texts hold whole bodies: none of them goes any further.
    pub(crate) fn read(what: &'static str, error: common::Error, retry_after: Option<Duration>) -> Self {
        match error {
            common::Error::HttpError(error) if error.is_connect() => Self::Unreached,
            common::Error::HttpError(_) => Self::Lost("the connection to Gmail broke before its answer came"),
            common::Error::BadRequest(body) => Self::of_body(what, &body, retry_after),
            common::Error::Failure(response) => {
                Self::of_status(what, response.status().as_u16(), retry_after)
            }
            common::Error::MissingToken(error) => match error.downcast::<TokenError>() {
                Ok(error) => (*error).into(),
                Err(_) => Self::Unreached,
            },
            common::Error::UploadSizeLimitExceeded(..) => Self::Refused(Refusal {
                what,
                status: 413,
                reason: "uploadTooLarge".into(),
                message: "the mail is larger than Gmail takes".into(),
            }),
            // Half an answer, or a page of a hotel, is no JSON; this is.
            common::Error::JsonDecodeError(_, error) if error.is_data() || is_too_deep(&error) => {
                Self::Unreadable
            }
            _ => Self::Lost("Gmail's answer cannot be read"),
        }
    }

    fn of_body(what: &'static str, body: &Value, retry_after: Option<Duration>) -> Self {
        let error = &body["error"];
        let status = error["code"].as_u64().and_then(|code| u16::try_from(code).ok());
        let first = &error["errors"][0];
        let reason = first["reason"].as_str().or(error["status"].as_str());
        let reason = reason.unwrap_or_default();
        let is_a_pause = matches!(
            reason,
            "rateLimitExceeded"
                | "userRateLimitExceeded"
                | "dailyLimitExceeded"
                | "quotaExceeded"
                | "RESOURCE_EXHAUSTED"
        );
        match status {
            Some(429) => Self::Limited { what, retry_after },
            Some(403) if is_a_pause => Self::Limited { what, retry_after },
            Some(status @ 400..=499) => Self::Refused(Refusal {
                what,
                status,
                reason: short(reason),
                message: short(error["message"].as_str().unwrap_or_default()),
            }),
            Some(status) => Self::Status(status),
            None => Self::Lost("Gmail's answer cannot be read"),
        }
    }

    fn of_status(what: &'static str, status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            429 => Self::Limited { what, retry_after },
            400..=499 => Self::Refused(Refusal {
                what,
                status,
                reason: String::new(),
                message: String::new(),
            }),
            _ => Self::Status(status),
        }
    }

    /// Whether a call that writes may have written all the same.
    pub(crate) fn may_have_happened(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Status(_) | Self::Unreadable)
    }

    /// Whether it is about the one mail that was asked for, and about no other: it is gone, or of a kind that cannot be had.
    pub(crate) fn is_about_one_mail(&self) -> bool {
        match self {
            Self::Unreadable => true,
            Self::Refused(refusal) => !matches!(refusal.status, 401 | 403),
            _ => false,
        }
    }

    /// The status of a refusal.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            _ => None,
        }
    }
}

impl From<TokenError> for CallError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Expired(said) => Self::Expired(said),
            TokenError::Limited { retry_after } => Self::Limited {
                what: "Google's token endpoint",
                retry_after,
            },
            // No call was made: whatever became of the refresh, nothing was sent.
            TokenError::Unreached | TokenError::Lost => Self::Unreached,
        }
    }
}

impl From<CallError> for ChannelError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unreached => Self::ConnectionLost("Gmail cannot be reached".into()),
            CallError::Lost(why) => Self::ConnectionLost(why.into()),
            CallError::Unreadable => {
                Self::ConnectionLost("Gmail's answer makes no sense to this build".into())
            }
            CallError::Status(status) => Self::ConnectionLost(format!("Gmail answers with status {status}")),
            CallError::Limited { what, retry_after } => Self::RateLimited {
                what: what.to_owned(),
                retry_after,
            },
            CallError::Expired(said) => Self::AuthExpired(said),
            CallError::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<Refusal> for ChannelError {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            what,
            status,
            reason,
            message,
        } = refusal;
        match (status, &*reason) {
            (401, _) => Self::AuthExpired("Google takes this sign-in no more: run katad auth gmail".into()),
            (403, "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT" | "PERMISSION_DENIED") => {
                Self::Rejected(format!(
                    "{what} needs the permission gmail.modify, which this sign-in has not: run katad auth gmail and agree to it"
                ))
            }
            (403, "accessNotConfigured" | "SERVICE_DISABLED") => Self::Rejected(
                "the Gmail API is not enabled in the Google project of this client id: enable it in the Google Cloud console"
                    .into(),
            ),
            (403, "domainPolicy") => Self::Rejected(
                "the administrators of this Google account do not let apps read its mail: ask them".into(),
            ),
            _ => Self::Rejected(format!("Gmail refuses {what} ({status} {reason}): {message}")),
        }
    }
}

impl From<CallError> for SendError {
    fn from(error: CallError) -> Self {
        let may_have_happened = error.may_have_happened();
        let error = ChannelError::from(error);
        match may_have_happened {
            true => Self::maybe(error),
            false => Self::none(error),
        }
    }
}

/// A tool's call that only reads has failed.
pub(crate) fn unread(error: CallError) -> ToolError {
    match error {
        CallError::Refused(refusal) if refusal.status == 404 => {
            ToolError::Input("there is no such mail (any more)".into())
        }
        error => match ChannelError::from(error) {
            ChannelError::RateLimited {
                what,
                retry_after: Some(pause),
            } => ToolError::Platform(format!(
                "{what} is rate limited: try again in {} s",
                pause.as_secs_f64().ceil()
            )),
            why => ToolError::Platform(why.to_string()),
        },
    }
}

/// A tool's call that writes has failed: without an effect, or nobody knows.
pub(crate) fn unwritten(error: CallError) -> ToolError {
    if !error.may_have_happened() {
        return unread(error);
    }
    let why = ChannelError::from(error);
    ToolError::Unknown(format!("it is not known whether Gmail did it: {why}"))
}

/// A mail whose parts nest a hundred deep is told in JSON that does so too.
fn is_too_deep(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("recursion limit exceeded")
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use kata_channel::Effect;
    use serde_json::json;

    use super::*;

    fn body(code: u16, reason: &str) -> CallError {
        let body = json!({"error": {"code": code, "message": "no", "errors": [{"reason": reason}]}});
        CallError::read("messages.list", common::Error::BadRequest(body), None)
    }

    #[test]
    fn each_refusal_is_what_it_means() {
        for (code, reason, expect) in [
            (401, "authError", "auth_expired"),
            (403, "rateLimitExceeded", "rate_limited"),
            (403, "userRateLimitExceeded", "rate_limited"),
            (403, "insufficientPermissions", "rejected"),
            (403, "accessNotConfigured", "rejected"),
            (404, "notFound", "rejected"),
            (429, "rateLimitExceeded", "rate_limited"),
            (500, "backendError", "connection_lost"),
            (503, "backendError", "connection_lost"),
        ] {
            assert_eq!(
                ChannelError::from(body(code, reason)).code(),
                expect,
                "{code} {reason}"
            );
        }
        let said = ChannelError::from(body(403, "insufficientPermissions")).to_string();
        assert!(
            said.contains("gmail.modify") && said.contains("katad auth gmail"),
            "{said}"
        );
    }

    #[test]
    fn only_what_may_have_happened_is_unknown() {
        for (error, effect) in [
            (CallError::Unreached, Effect::None),
            (CallError::Lost("x"), Effect::Maybe),
            (CallError::Status(503), Effect::Maybe),
            (body(429, ""), Effect::None),
            (body(400, "invalidArgument"), Effect::None),
            (CallError::Expired("x".into()), Effect::None),
        ] {
            assert_eq!(SendError::from(error.clone()).effect, effect, "{error:?}");
        }
    }
}
