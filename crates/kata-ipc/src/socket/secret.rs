//! What a session's tools show to be let in.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;

/// The secret of one session. Debug shows nothing of it; it is wiped when it is dropped.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// A new one: 256 bits from the operating system's generator, in hexadecimal.
    #[must_use]
    pub fn generate() -> Self {
        let (high, low): (u128, u128) = (rand::random(), rand::random());
        Self(format!("{high:032x}{low:032x}").into())
    }

    /// Whether `offered` is this one. Takes as long for a near miss as for a far one.
    #[must_use]
    pub fn matches(&self, offered: &Self) -> bool {
        let (own, other) = (self.expose().as_bytes(), offered.expose().as_bytes());
        // An empty secret is one that somebody forgot to set: it opens nothing.
        !own.is_empty() && bool::from(own.ct_eq(other))
    }

    /// The secret itself, for the environment of the program that is to show it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret.into())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_itself_alone() {
        let (one, other) = (Secret::generate(), Secret::generate());
        assert!(one.matches(&one.clone()));
        assert!(!one.matches(&other));
        assert!(!one.matches(&Secret::from(one.expose()[..63].to_owned())));
        assert_eq!(one.expose().len(), 64);
    }

    #[test]
    fn an_empty_secret_opens_nothing() {
        let empty = Secret::from(String::new());
        assert!(!empty.matches(&empty.clone()));
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        let secret = Secret::generate();
        assert!(!format!("{secret:?}").contains(&secret.expose()[..8]));
    }
}
