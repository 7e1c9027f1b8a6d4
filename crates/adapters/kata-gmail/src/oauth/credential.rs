//! What a Gmail channel is given to sign in with.

use std::fmt;

use kata_channel::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

/// Google's access tokens begin so.
const ACCESS_TOKEN: &str = "ya29.";

/// A sign-in, as the host or katad's own store keeps it.
#[derive(Clone)]
pub enum Credential {
    /// From `katad auth gmail`, or from the host: `{"refreshToken", "clientId", "clientSecret"?, "refreshTokenExpiresAt"?}`.
    Refresh {
        /// Lives until it is revoked, or for seven days where the Google project is in testing.
        refresh_token: SecretString,
        /// The app's.
        client_id: String,
        /// The app's. Not secret for an installed app, and treated as if it were.
        client_secret: Option<SecretString>,
        /// When Google ends it, where it said so.
        expires_at: Option<Timestamp>,
    },
    /// From the desktop app's store, whose own client's secret nobody else has: `{"accessToken", "expiresAt"?}`.
    Access {
        /// Lives for an hour.
        access_token: SecretString,
        /// When it ends.
        expires_at: Option<Timestamp>,
    },
}

/// Text that is no sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the channel's credential is not a Google sign-in, which is JSON with refreshToken, clientId and clientSecret: run katad auth gmail"
)]
pub struct BadCredential;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    refresh_token: Option<SecretString>,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    refresh_token_expires_at: Option<i64>,
    access_token: Option<SecretString>,
    expires_at: Option<i64>,
}

// === impl Credential ===

impl Credential {
    /// Reads what [`to_secret`](Self::to_secret) wrote.
    ///
    /// # Errors
    /// It is something else. Nothing of it is repeated.
    pub fn parse(secret: &SecretString) -> Result<Self, BadCredential> {
        // The app's store may hold a token whose end it does not know.
        if secret.expose_secret().starts_with(ACCESS_TOKEN) {
            return Ok(Self::Access {
                access_token: secret.clone(),
                expires_at: None,
            });
        }
        let written: Written = serde_json::from_str(secret.expose_secret()).map_err(|_| BadCredential)?;
        let filled = |secret: Option<SecretString>| secret.filter(|s| !s.expose_secret().is_empty());
        match (
            filled(written.refresh_token),
            written.client_id,
            filled(written.access_token),
        ) {
            (Some(refresh_token), Some(client_id), _) if !client_id.is_empty() => Ok(Self::Refresh {
                refresh_token,
                client_id,
                client_secret: filled(written.client_secret),
                expires_at: written.refresh_token_expires_at.map(Timestamp::from_millis),
            }),
            (_, _, Some(access_token)) => Ok(Self::Access {
                access_token,
                expires_at: written.expires_at.map(Timestamp::from_millis),
            }),
            _ => Err(BadCredential),
        }
    }

    /// As it is stored.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        let text = match self {
            Self::Refresh {
                refresh_token,
                client_id,
                client_secret,
                expires_at,
            } => {
                let mut written =
                    json!({"refreshToken": refresh_token.expose_secret(), "clientId": client_id});
                if let Some(secret) = client_secret {
                    written["clientSecret"] = secret.expose_secret().into();
                }
                if let Some(at) = expires_at {
                    written["refreshTokenExpiresAt"] = at.as_millis().into();
                }
                written.to_string()
            }
            Self::Access {
                access_token,
                expires_at,
            } => json!({
                "accessToken": access_token.expose_secret(),
                "expiresAt": expires_at.map(Timestamp::as_millis),
            })
            .to_string(),
        };
        text.into()
    }

    /// What tells one sign-in from another, for sharing what belongs to it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.to_secret().expose_secret() == other.to_secret().expose_secret()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refresh { expires_at, .. } => f
                .debug_struct("Refresh")
                .field("expires_at", expires_at)
                .finish_non_exhaustive(),
            Self::Access { expires_at, .. } => f
                .debug_struct("Access")
                .field("expires_at", expires_at)
                .finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_credential_is_read_as_it_was_written() {
        for text in [
            r#"{"clientId":"c","refreshToken":"r"}"#,
            r#"{"clientId":"c","clientSecret":"s","refreshToken":"r","refreshTokenExpiresAt":1800000000000}"#,
            r#"{"accessToken":"a","expiresAt":1800000000000}"#,
        ] {
            let read = Credential::parse(&text.into()).unwrap();
            let written: Value = serde_json::from_str(read.to_secret().expose_secret()).unwrap();
            assert_eq!(written, serde_json::from_str::<Value>(text).unwrap());
            assert!(!format!("{read:?}").contains("\"r\""));
        }
        let bare = Credential::parse(&"ya29.token".into());
        assert!(matches!(bare, Ok(Credential::Access { expires_at: None, .. })));
        for bad in [
            "",
            "xoxb-1",
            "{}",
            r#"{"refreshToken":"r"}"#,
            r#"{"refreshToken":"","clientId":"c"}"#,
        ] {
            assert!(Credential::parse(&bad.into()).is_err(), "{bad}");
        }
    }
}
