//! What Slack's refusals mean, in one table: the class of each code and the sentence a person reads.
//!
//! The codes are those that Slack documents for the methods we call, e.g.
//! <https://docs.slack.dev/reference/methods/chat.postMessage#errors>.

use std::time::Duration;

use kata_channel::{ChannelError, Effect, SendError};

/// Which of the two tokens a call was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// The bot token (`xoxb-`).
    Bot,
    /// The app-level token (`xapp-`).
    App,
}

impl Token {
    fn renewal(self) -> &'static str {
        match self {
            Self::Bot => {
                "copy the Bot User OAuth Token from the app's OAuth & Permissions page into this channel's credential"
            }
            Self::App => {
                "make an app-level token with the scope connections:write on the app's Basic Information page and store it anew"
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bot => "bot token",
            Self::App => "app-level token",
        }
    }
}

/// Slack answered `ok: false`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The method that was called.
    pub(crate) method: &'static str,
    /// The token it was called with.
    pub(crate) token: Token,
    /// Slack's word for it.
    pub(crate) code: String,
    /// Scopes that Slack names as missing.
    pub(crate) needed: Option<String>,
    /// What Slack finds wrong with the arguments.
    pub(crate) detail: Option<String>,
}

/// A call that brought no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// Slack understood and said no.
    Refused(Refusal),
    /// HTTP 429, or our own memory of one.
    Limited {
        /// The method, and the conversation where the limit is one conversation's.
        what: String,
        /// The pause asked for.
        retry_after: Option<Duration>,
    },
    /// No connection: the request never left.
    Unreached,
    /// An HTTP status that is no answer of the Web API.
    Status(u16),
    /// The request left and no answer came; says why.
    Lost(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// The token is no good.
    Auth,
    /// Trying the same again is useless.
    Rejected,
    /// A pause is asked for.
    Limited,
    /// Slack's own trouble, documented as without effect.
    Later,
    /// Slack's own trouble; the effect may have taken place (D19).
    Unsure,
}

use Class::{Auth, Later, Limited, Rejected, Unsure};

/// Code, class, sentence. An empty sentence is filled in by the class. Codes without a sentence stand in [`PLAIN`].
const CODES: &[(&str, Class, &str)] = &[
    ("invalid_auth", Auth, ""),
    ("not_authed", Auth, ""),
    ("token_revoked", Auth, ""),
    ("token_expired", Auth, ""),
    (
        "account_inactive",
        Auth,
        "the Slack account behind this token was deactivated or the app was removed: reinstall the app in the workspace and store its new token",
    ),
    (
        "org_login_required",
        Auth,
        "the workspace is being moved to an organisation: sign in to Slack there and store a new token",
    ),
    (
        "two_factor_setup_required",
        Auth,
        "Slack asks for two-factor authentication of the account behind this token: set it up, then store the token again",
    ),
    (
        "not_allowed_token_type",
        Auth,
        "Slack does not take this kind of token here: a channel needs a bot token (xoxb-) and, for Socket Mode, an app-level token (xapp-)",
    ),
    (
        "missing_scope",
        Rejected,
        "the Slack app lacks a scope: add it on the app's OAuth & Permissions page and reinstall the app",
    ),
    (
        "no_permission",
        Rejected,
        "the workspace does not allow the Slack app to do this: ask a workspace admin",
    ),
    (
        "access_denied",
        Rejected,
        "the workspace does not allow the Slack app to do this: ask a workspace admin",
    ),
    (
        "enterprise_is_restricted",
        Rejected,
        "the organisation does not allow this from an app: ask an organisation admin",
    ),
    (
        "ekm_access_denied",
        Rejected,
        "an admin has suspended messages here (enterprise key management): ask an admin",
    ),
    (
        "team_access_not_granted",
        Rejected,
        "the Slack app was not granted access to this workspace: approve it in the organisation's settings",
    ),
    (
        "channel_not_found",
        Rejected,
        "Slack knows no such conversation, or the bot cannot see it: check channelIds and invite the bot with /invite",
    ),
    (
        "not_in_channel",
        Rejected,
        "the bot is not in this Slack conversation: invite it there with /invite and its name",
    ),
    (
        "is_archived",
        Rejected,
        "this Slack conversation is archived: unarchive it, or remove it from channelIds",
    ),
    ("thread_not_found", Rejected, "the Slack thread no longer exists"),
    (
        "message_not_found",
        Rejected,
        "the Slack message no longer exists",
    ),
    ("user_not_found", Rejected, "Slack knows no such user"),
    (
        "user_not_visible",
        Rejected,
        "the bot may not see this Slack user",
    ),
    (
        "method_not_supported_for_channel_type",
        Rejected,
        "Slack does not offer this in conversations of this kind",
    ),
    (
        "messages_tab_disabled",
        Rejected,
        "the app takes no direct messages: switch the Messages tab on under App Home in the app's settings",
    ),
    (
        "cannot_reply_to_message",
        Rejected,
        "Slack allows no reply to this message",
    ),
    ("msg_too_long", Rejected, "the text is longer than Slack takes"),
    (
        "msg_blocks_too_long",
        Rejected,
        "the text is longer than Slack takes",
    ),
    ("no_text", Rejected, "there was no text to send to Slack"),
    (
        "restricted_action",
        Rejected,
        "a workspace setting forbids the bot to post here: ask a workspace admin",
    ),
    (
        "restricted_action_read_only_channel",
        Rejected,
        "this Slack channel is read-only for the bot: let it post in the channel's settings",
    ),
    (
        "restricted_action_thread_only_channel",
        Rejected,
        "this Slack channel takes posts in threads only: set replyIn to thread",
    ),
    (
        "restricted_action_non_threadable_channel",
        Rejected,
        "this Slack channel takes no threads: set replyIn to conversation",
    ),
    (
        "restricted_action_thread_locked",
        Rejected,
        "this Slack thread is locked",
    ),
    (
        "socket_mode_disabled",
        Rejected,
        "Socket Mode is switched off for the Slack app: switch it on in the app's settings",
    ),
    ("ratelimited", Limited, ""),
    ("rate_limited", Limited, ""),
    ("message_limit_exceeded", Limited, ""),
    ("service_unavailable", Later, ""),
    ("team_added_to_org", Later, ""),
    ("accesslimited", Later, ""),
    ("fatal_error", Unsure, ""),
    ("internal_error", Unsure, ""),
    ("request_timeout", Unsure, ""),
];

/// Refusals of which no more can be said than their code: mistakes of ours, or limits we keep below.
const PLAIN: &str = "
    as_user_not_supported attachment_payload_limit_exceeded deprecated_endpoint
    duplicate_channel_not_found duplicate_message_not_found invalid_arg_name invalid_arguments
    invalid_array_arg invalid_blocks invalid_blocks_format invalid_charset invalid_cursor
    invalid_form_data invalid_json invalid_limit invalid_metadata_filter_keys invalid_metadata_format
    invalid_metadata_schema invalid_name invalid_post_type invalid_thread_ts invalid_ts_latest
    invalid_ts_oldest invalid_types json_not_object markdown_text_conflict
    metadata_must_be_sent_from_app metadata_too_large method_deprecated missing_charset
    missing_post_type slack_connect_blocked_file_type slack_connect_file_link_sharing_blocked
    too_many_attachments too_many_contact_cards unknown_method forbidden_team
";

// === impl CallError ===

impl CallError {
    /// Slack's own word, if it refused.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.code),
            _ => None,
        }
    }

    /// D19: whether what was asked for may have happened all the same.
    pub(crate) fn effect(&self) -> Effect {
        match self {
            Self::Refused(refusal) => refusal.effect(),
            Self::Limited { .. } | Self::Unreached => Effect::None,
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
            CallError::Unreached => Self::ConnectionLost("Slack cannot be reached".into()),
            CallError::Status(status) if status >= 500 => {
                Self::ConnectionLost(format!("Slack is in trouble (HTTP {status})"))
            }
            CallError::Status(status) => {
                Self::Other(format!("Slack gave an unexpected answer (HTTP {status})"))
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

// === impl Refusal ===

impl Refusal {
    fn verdict(&self) -> Option<(Class, &'static str)> {
        let told = CODES
            .iter()
            .find(|(code, ..)| *code == self.code)
            .map(|&(_, class, sentence)| (class, sentence));
        told.or_else(|| {
            PLAIN
                .split_whitespace()
                .any(|code| code == self.code)
                .then_some((Rejected, ""))
        })
    }

    fn effect(&self) -> Effect {
        match self.verdict() {
            Some((Auth | Rejected | Limited | Later, _)) => Effect::None,
            // A code that Slack has not told us of says nothing about what happened before it.
            Some((Unsure, _)) | None => Effect::Maybe,
        }
    }

    fn into_error(self) -> ChannelError {
        let Self {
            method,
            token,
            code,
            needed,
            detail: _,
        } = &self;
        match self.verdict() {
            Some((Auth, "")) => ChannelError::AuthExpired(format!(
                "Slack no longer takes this channel's {} ({code}): {}",
                token.name(),
                token.renewal()
            )),
            Some((Auth, sentence)) => ChannelError::AuthExpired(format!("{sentence} ({code})")),
            Some((Rejected, _)) if code == "missing_scope" && needed.is_some() => {
                ChannelError::Rejected(format!(
                    "the Slack app lacks the scope {} for {method}: add it on the app's OAuth & Permissions page and reinstall the app",
                    needed.as_deref().unwrap_or_default()
                ))
            }
            Some((Rejected, "")) => ChannelError::Rejected(format!("Slack refused {method} ({code})")),
            Some((Rejected, sentence)) => ChannelError::Rejected(format!("{sentence} ({code})")),
            Some((Limited, _)) => ChannelError::RateLimited {
                what: (*method).to_owned(),
                retry_after: None,
            },
            Some((Later | Unsure, _)) => ChannelError::Other(format!("Slack is in trouble ({code})")),
            None => ChannelError::Other(format!("Slack refused {method} ({code})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> CallError {
        let needed = None;
        CallError::Refused(Refusal {
            method: "chat.postMessage",
            token: Token::Bot,
            code: code.into(),
            needed,
            detail: None,
        })
    }

    fn check(code: &str, kind: &str, effect: Effect) -> String {
        let send: SendError = refused(code).into();
        assert_eq!(send.error.code(), kind, "{code}");
        assert_eq!(send.effect, effect, "{code}");
        send.error.to_string()
    }

    #[test]
    fn every_named_code_maps_to_its_error() {
        for code in [
            "invalid_auth",
            "not_authed",
            "token_revoked",
            "token_expired",
            "account_inactive",
        ] {
            let sentence = check(code, "auth_expired", Effect::None);
            assert!(
                sentence.contains("token") && sentence.contains(code),
                "{sentence}"
            );
        }
        for (code, advice) in [
            ("missing_scope", "OAuth & Permissions"),
            ("channel_not_found", "channelIds"),
            ("not_in_channel", "/invite"),
            ("is_archived", "unarchive"),
            ("msg_too_long", "longer"),
            ("restricted_action", "admin"),
            ("no_text", "no text"),
        ] {
            assert!(check(code, "rejected", Effect::None).contains(advice), "{code}");
        }
        check("ratelimited", "rate_limited", Effect::None);
    }

    #[test]
    fn slacks_own_trouble_may_have_had_an_effect() {
        for code in [
            "internal_error",
            "fatal_error",
            "request_timeout",
            "a_code_of_tomorrow",
        ] {
            check(code, "other", Effect::Maybe);
        }
        check("service_unavailable", "other", Effect::None);
    }

    #[test]
    fn a_missing_scope_is_named() {
        let error: ChannelError = CallError::Refused(Refusal {
            method: "conversations.history",
            token: Token::Bot,
            code: "missing_scope".into(),
            needed: Some("im:history".into()),
            detail: None,
        })
        .into();
        assert!(error.to_string().contains("im:history for conversations.history"));
    }

    #[test]
    fn only_what_never_left_or_was_refused_is_without_effect() {
        let maybe = [
            CallError::Lost("no answer"),
            CallError::Status(502),
            CallError::Status(302),
        ];
        let none = [
            CallError::Unreached,
            CallError::Status(404),
            CallError::Limited {
                what: "x".into(),
                retry_after: None,
            },
        ];
        assert!(maybe.iter().all(|e| e.effect() == Effect::Maybe));
        assert!(none.iter().all(|e| e.effect() == Effect::None));
    }

    #[test]
    fn no_code_stands_in_the_table_twice() {
        let told = CODES.iter().map(|(code, ..)| *code);
        let mut codes: Vec<_> = told.chain(PLAIN.split_whitespace()).collect();
        codes.sort_unstable();
        let all = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }
}
