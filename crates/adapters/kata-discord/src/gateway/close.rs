//! Why Discord closes a socket: <https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes>.

use kata_channel::ChannelError;

use crate::errors::no_longer_taken;

/// What a bot without the intent cannot do.
pub(crate) const NO_CONTENT: &str = "the Discord app may not read messages: switch on the Message Content Intent on its Bot page in the \
                                     Discord developer portal, then switch the channel off and on";

/// What a close code means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Farewell {
    /// The session is gone: the next socket begins a new one.
    pub(super) ends_session: bool,
    /// What the channel says of it.
    pub(super) error: ChannelError,
}

/// Reads a close code; none = Discord gave none.
pub(super) fn read(code: Option<u16>) -> Farewell {
    let ends_session = matches!(code, Some(1000 | 1001 | 4003 | 4004 | 4007 | 4009..=4014));
    let lost = |why: &str| ChannelError::ConnectionLost(why.to_owned());
    let refused = |why: &str| ChannelError::Rejected(why.to_owned());
    let error = match code {
        Some(4004) => ChannelError::AuthExpired(format!("{} (4004)", no_longer_taken())),
        Some(4014) => refused(&format!("{NO_CONTENT} (4014)")),
        Some(4013) => refused(
            "Discord knows none of the intents that we ask for (4013): this version is too old for it, update the daemon",
        ),
        Some(4012) => {
            refused("Discord no longer speaks our version of its gateway (4012): update the daemon")
        }
        Some(4011) => refused(
            "the bot is in more Discord servers than one connection may serve (4011): use a bot of its own for this channel",
        ),
        Some(4010) => refused(
            "Discord does not take the bot's connection (4010): use a bot of its own for this channel",
        ),
        Some(4009) => lost("the session with Discord timed out"),
        Some(4008) => lost("Discord closed the socket for too many messages (4008)"),
        Some(code) => lost(&format!("Discord closed the socket ({code})")),
        None => lost("the socket to Discord broke"),
    };
    Farewell { ends_session, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_must_do_is_said_and_the_rest_passes() {
        for (code, kind, words) in [
            (4004, "auth_expired", "Reset Token"),
            (4014, "rejected", "Message Content Intent"),
            (4013, "rejected", "intents"),
            (4011, "rejected", "servers"),
            (4000, "connection_lost", "4000"),
            (1006, "connection_lost", "1006"),
        ] {
            let Farewell { error, .. } = read(Some(code));
            assert_eq!(error.code(), kind, "{code}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn a_session_outlives_what_is_no_fault_of_its_own() {
        for (code, ends) in [
            (None, false),
            (Some(4000), false),
            (Some(4008), false),
            (Some(1000), true),
            (Some(4007), true),
            (Some(4009), true),
        ] {
            assert_eq!(read(code).ends_session, ends, "{code:?}");
        }
    }
}
