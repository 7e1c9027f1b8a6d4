//! The scopes an installed app has, as Slack says in a header of every answer (`x-oauth-scopes`):
//! <https://docs.slack.dev/authentication/installing-with-oauth#testing>.

use std::collections::BTreeSet;

use kata_channel::ChannelError;

/// Kinds of conversations, each with the scope to list it, the scope to read it, and its name for
/// `users.conversations`.
const KINDS: [(&str, &str, &str); 4] = [
    ("im:read", "im:history", "im"),
    ("mpim:read", "mpim:history", "mpim"),
    ("channels:read", "channels:history", "public_channel"),
    ("groups:read", "groups:history", "private_channel"),
];

/// Without these something pleasant is missing, and nothing more.
const OPTIONAL: [&str; 4] = ["users:read", "reactions:read", "reactions:write", "files:read"];

/// The scopes granted; unknown where Slack did not say (a proxy may drop the header).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(Option<BTreeSet<String>>);

// === impl Scopes ===

impl Scopes {
    /// Reads the header's value.
    pub(crate) fn from_header(value: Option<&str>) -> Self {
        Self(value.map(|list| {
            list.split(',')
                .map(|s| s.trim().to_owned())
                .filter(|s| !s.is_empty())
                .collect()
        }))
    }

    /// Granted, or not known to be missing.
    pub(crate) fn may(&self, scope: &str) -> bool {
        self.0.as_ref().is_none_or(|granted| granted.contains(scope))
    }

    /// Certainly granted.
    pub(crate) fn surely(&self, scope: &str) -> bool {
        self.0.as_ref().is_some_and(|granted| granted.contains(scope))
    }

    /// Names what a channel cannot do without, before anything depends on it.
    ///
    /// # Errors
    /// `Rejected`, with the scopes to add.
    pub(crate) fn check(&self) -> Result<(), ChannelError> {
        let mut missing = Vec::new();
        if !self.may("chat:write") {
            missing.push("chat:write".to_owned());
        }
        if !KINDS.iter().any(|(_, read, _)| self.may(read)) {
            missing.push(
                "channels:history (and groups:history, im:history, mpim:history for the other kinds)".into(),
            );
        }
        if !missing.is_empty() {
            return Err(ChannelError::Rejected(format!(
                "the Slack app lacks scopes: add {} on the app's OAuth & Permissions page and reinstall the app",
                missing.join(" and ")
            )));
        }
        for scope in OPTIONAL.iter().filter(|scope| !self.may(scope)) {
            tracing::debug!(scope, "the slack app does without an optional scope");
        }
        Ok(())
    }

    /// The kinds of conversations that can be listed and read, for `users.conversations`; empty if there are none.
    pub(crate) fn kinds(&self) -> String {
        let readable = KINDS
            .iter()
            .filter(|(list, read, _)| self.may(list) && self.may(read));
        readable.map(|(.., name)| *name).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let scopes = Scopes::from_header(Some("users:read, commands"));
        let sentence = scopes.check().unwrap_err().to_string();
        assert!(sentence.contains("chat:write and channels:history"), "{sentence}");
    }

    #[test]
    fn a_silent_slack_is_given_the_benefit_of_the_doubt() {
        let scopes = Scopes::from_header(None);
        assert_eq!(scopes.check(), Ok(()));
        assert_eq!(scopes.kinds(), "im,mpim,public_channel,private_channel");
        assert!(!scopes.surely("assistant:write"));
    }

    #[test]
    fn only_kinds_that_can_be_listed_and_read_are_asked_for() {
        let scopes = Scopes::from_header(Some("chat:write,im:read,im:history,channels:read,groups:history"));
        assert_eq!(scopes.check(), Ok(()));
        assert_eq!(scopes.kinds(), "im");
    }
}
