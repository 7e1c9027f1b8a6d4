//! What Discord's refusals mean, in one table: the class of each code and the sentence a person reads.
//!
//! The codes are those that Discord documents:
//! <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>.

use std::time::Duration;

use kata_channel::{ChannelError, Effect, SendError};

/// Discord answered with a status of 4xx and a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What was asked for (`send a message`).
    pub(crate) what: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// Discord's number for it; 0 where it gives none.
    pub(crate) code: u64,
    /// What Discord finds wrong with the arguments, cut short.
    pub(crate) detail: Option<String>,
}

/// A call that brought no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// Discord understood and said no.
    Refused(Refusal),
    /// HTTP 429, or our own memory of one.
    Limited {
        /// What is limited.
        what: String,
        /// The pause asked for.
        retry_after: Option<Duration>,
    },
    /// No connection: the request never left.
    Unreached,
    /// An HTTP status that is no answer of Discord's API.
    Status(u16),
    /// The request left and no answer came; says why.
    Lost(&'static str),
}

/// The answers that somebody decides by.
pub(crate) mod code {
    pub(crate) const UNKNOWN_CHANNEL: u64 = 10003;
    pub(crate) const UNKNOWN_MESSAGE: u64 = 10008;
    pub(crate) const UNKNOWN_EMOJI: u64 = 10014;
    pub(crate) const UNKNOWN_WEBHOOK: u64 = 10015;
    pub(crate) const UNKNOWN_INTERACTION: u64 = 10062;
    pub(crate) const TOO_MANY_DIRECTS: u64 = 40003;
    pub(crate) const MISSING_ACCESS: u64 = 50001;
    pub(crate) const NO_TEXT_CHANNEL: u64 = 50008;
    pub(crate) const MISSING_PERMISSIONS: u64 = 50013;
    pub(crate) const BAD_WEBHOOK_TOKEN: u64 = 50027;
    pub(crate) const BAD_FORM: u64 = 50035;
    pub(crate) const THREAD_EXISTS: u64 = 160_004;
}

/// Code and sentence. All of them are refusals: trying the same again is useless.
const CODES: &[(u64, &str)] = &[
    (
        code::UNKNOWN_CHANNEL,
        "Discord knows no such channel, or the bot cannot see it: check channelIds, and give the bot's role the permission View Channel there",
    ),
    (
        10004,
        "Discord knows no such server, or the bot was removed from it: invite the bot again",
    ),
    (code::UNKNOWN_MESSAGE, "the Discord message no longer exists"),
    (code::UNKNOWN_EMOJI, "Discord knows no such emoji"),
    (
        code::MISSING_ACCESS,
        "the bot may not see this Discord channel: give its role the permissions View Channel and Read Message History there",
    ),
    (
        50007,
        "this person takes no direct messages from the bot: they must allow direct messages from members of the server",
    ),
    (
        code::NO_TEXT_CHANNEL,
        "this Discord channel takes no messages (a category, a forum itself): name a text channel in channelIds, or answer in a post",
    ),
    (
        code::MISSING_PERMISSIONS,
        "the bot's role lacks a permission in this Discord channel: Send Messages, Send Messages in Threads, Read Message History, Add Reactions or Create Public Threads",
    ),
    (50006, "there was no text to send to Discord"),
    (code::BAD_FORM, "Discord does not take what was sent"),
    (
        50083,
        "this Discord thread is archived and cannot be opened again by the bot: unarchive it",
    ),
    (
        30010,
        "the message has as many different reactions as Discord allows",
    ),
    (
        30033,
        "there are as many members in this thread as Discord allows",
    ),
    (40002, "the account behind the bot must be verified with Discord"),
    (40005, "the message is larger than Discord takes"),
    (40067, "this Discord forum asks for a tag on every post"),
    (90001, "the author of the message has blocked the bot"),
    (160_005, "this Discord thread is locked"),
    (code::THREAD_EXISTS, "this message has a thread already"),
    (
        160_006,
        "this Discord server has as many active threads as it may have",
    ),
    (
        200_000,
        "an AutoMod rule of the server does not let this message through",
    ),
    (
        200_001,
        "an AutoMod rule of the server does not let this title through",
    ),
    (20009, "Discord does not allow explicit content to this recipient"),
];

/// Refusals that are pauses: slow mode, and limits on writing in a channel or server.
const PAUSES: [u64; 4] = [20016, 20022, 20028, 20029];

pub(crate) const RENEW: &str = "make a new token on the app's Bot page in the Discord developer portal (Reset Token) and store it in this channel's credential";

// === impl CallError ===

impl CallError {
    /// Discord's own number, if it refused.
    pub(crate) fn code(&self) -> Option<u64> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            _ => None,
        }
    }

    /// D19: whether what was asked for may have happened all the same.
    pub(crate) fn effect(&self) -> Effect {
        match self {
            Self::Refused(_) | Self::Limited { .. } | Self::Unreached => Effect::None,
            Self::Status(status) if (400..500).contains(status) => Effect::None,
            Self::Status(_) | Self::Lost(_) => Effect::Maybe,
        }
    }
}

impl From<CallError> for ChannelError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refusal) => refusal.into_error(),
            CallError::Limited { what, retry_after } => Self::RateLimited { what, retry_after },
            CallError::Unreached => Self::ConnectionLost("Discord cannot be reached".into()),
            CallError::Status(status) if status >= 500 => {
                Self::ConnectionLost(format!("Discord is in trouble (HTTP {status})"))
            }
            CallError::Status(401) => Self::AuthExpired(no_longer_taken()),
            CallError::Status(status) => {
                Self::Other(format!("Discord gave an unexpected answer (HTTP {status})"))
            }
            CallError::Lost(why) => Self::ConnectionLost(why.into()),
        }
    }
}

impl From<CallError> for SendError {
    fn from(error: CallError) -> Self {
        let effect = error.effect();
        Self {
            error: error.into(),
            effect,
        }
    }
}

/// The token is no good.
pub(crate) fn no_longer_taken() -> String {
    format!("Discord does not take this channel's bot token: {RENEW}")
}

// === impl Refusal ===

impl Refusal {
    fn into_error(self) -> ChannelError {
        let Self {
            what,
            status,
            code,
            detail,
        } = self;
        if status == 401 && code != code::BAD_WEBHOOK_TOKEN {
            return ChannelError::AuthExpired(no_longer_taken());
        }
        if PAUSES.contains(&code) {
            return ChannelError::RateLimited {
                what: what.to_owned(),
                retry_after: None,
            };
        }
        let known = CODES.iter().find(|(known, _)| *known == code);
        let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
        ChannelError::Rejected(match known {
            Some((code::BAD_FORM, sentence)) => format!("{sentence}{detail} ({code})"),
            Some((_, sentence)) => format!("{sentence} ({code})"),
            None => format!("Discord refused to {what} (HTTP {status}, code {code})"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: u64) -> CallError {
        CallError::Refused(Refusal {
            what: "send a message",
            status,
            code,
            detail: None,
        })
    }

    fn check(status: u16, code: u64, kind: &str) -> String {
        let send: SendError = refused(status, code).into();
        assert_eq!((send.error.code(), send.effect), (kind, Effect::None), "{code}");
        send.error.to_string()
    }

    #[test]
    fn every_named_code_maps_to_its_error() {
        assert!(check(401, 0, "auth_expired").contains("Reset Token"));
        for (status, code, advice) in [
            (403, 50001, "View Channel"),
            (403, 50013, "permission"),
            (404, 10003, "channelIds"),
            (403, 50007, "direct messages"),
            (400, 50035, "does not take"),
            (404, 4_711, "code 4711"),
        ] {
            assert!(check(status, code, "rejected").contains(advice), "{code}");
        }
        check(403, 20016, "rate_limited");
    }

    #[test]
    fn a_dead_interaction_is_not_a_dead_bot() {
        check(401, 50027, "rejected");
    }

    #[test]
    fn only_what_never_left_or_was_refused_is_without_effect() {
        let limited = CallError::Limited {
            what: "x".into(),
            retry_after: None,
        };
        for none in [CallError::Unreached, CallError::Status(404), limited] {
            assert_eq!(none.effect(), Effect::None, "{none:?}");
        }
        for maybe in [
            CallError::Lost("no answer"),
            CallError::Status(502),
            CallError::Status(302),
        ] {
            assert_eq!(maybe.effect(), Effect::Maybe, "{maybe:?}");
        }
    }

    #[test]
    fn no_code_stands_in_the_table_twice() {
        let mut codes: Vec<u64> = CODES.iter().map(|(code, _)| *code).chain(PAUSES).collect();
        codes.sort_unstable();
        let all = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }
}
