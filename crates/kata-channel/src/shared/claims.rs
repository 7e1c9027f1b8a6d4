//! Which channel has which conversation, where several use one token (D5).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::id::ChannelKey;

/// The conversations that the channels of one token name.
#[derive(Clone, Debug, Default)]
pub struct Claims(Arc<Mutex<BTreeMap<ChannelKey, Claim>>>);

#[derive(Debug)]
struct Claim {
    conversations: Vec<String>,
    /// Tells a channel's registration from the one that replaced it.
    serial: u64,
}

/// A channel's registration of its conversations; dropping it takes them back.
#[derive(Debug)]
pub struct Registration {
    claims: Claims,
    key: ChannelKey,
    serial: u64,
}

/// Another channel of the same token names the same conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The conversation.
    pub conversation: String,
    /// The channel that has it.
    pub by: ChannelKey,
}

// === impl Claims ===

impl Claims {
    /// Registers the conversations that a channel names.
    ///
    /// # Errors
    /// D5: another channel of this token has one of them. The same channel, configured anew, replaces itself.
    pub fn register(&self, key: &ChannelKey, named: &[String]) -> Result<Registration, Taken> {
        let mut claims = self.lock();
        for (by, claim) in claims.iter().filter(|(by, _)| *by != key) {
            if let Some(conversation) = named.iter().find(|c| claim.conversations.contains(c)) {
                return Err(Taken {
                    conversation: conversation.clone(),
                    by: by.clone(),
                });
            }
        }
        let serial = claims.get(key).map_or(0, |old| old.serial + 1);
        let claim = Claim {
            conversations: named.to_vec(),
            serial,
        };
        claims.insert(key.clone(), claim);
        Ok(Registration {
            claims: self.clone(),
            key: key.clone(),
            serial,
        })
    }

    /// Another channel of this token names this conversation. Who names it has it to himself: a channel that takes
    /// whatever comes would answer a second time.
    #[must_use]
    pub fn belongs_to_another(&self, conversation: &str, key: &ChannelKey) -> bool {
        self.lock()
            .iter()
            .any(|(by, claim)| by != key && claim.conversations.iter().any(|c| c == conversation))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ChannelKey, Claim>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Registration ===

impl Drop for Registration {
    fn drop(&mut self) {
        let mut claims = self.claims.lock();
        if claims
            .get(&self.key)
            .is_some_and(|claim| claim.serial == self.serial)
        {
            claims.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(slug: &str) -> ChannelKey {
        ChannelKey::new("w", slug)
    }

    #[test]
    fn a_conversation_has_one_channel_of_a_token() {
        let claims = Claims::default();
        let first = claims.register(&key("a"), &["C1".into(), "C2".into()]).unwrap();
        let taken = claims
            .register(&key("b"), &["C3".into(), "C2".into()])
            .unwrap_err();
        let expected = Taken {
            conversation: "C2".into(),
            by: key("a"),
        };
        assert_eq!(taken, expected);
        assert!(claims.belongs_to_another("C1", &key("b")));
        assert!(!claims.belongs_to_another("C1", &key("a")));
        drop(first);
        assert!(claims.register(&key("b"), &["C2".into()]).is_ok());
    }

    #[test]
    fn a_channel_that_is_configured_anew_replaces_itself() {
        let claims = Claims::default();
        let old = claims.register(&key("a"), &["C1".into()]).unwrap();
        let new = claims.register(&key("a"), &["C1".into()]).unwrap();
        drop(old);
        assert!(claims.belongs_to_another("C1", &key("b")));
        drop(new);
        assert!(!claims.belongs_to_another("C1", &key("b")));
    }
}
