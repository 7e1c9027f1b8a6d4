//! Which tokens are in use: channels with the same one share what belongs to it (D5).

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use kata_channel::ChannelKey;
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    account::Account,
    endpoint::{Endpoint, tls},
    gateway::Desk,
};

/// The accounts that are in use. Each lives as long as a channel holds it.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    tls: OnceLock<Arc<ClientConfig>>,
    accounts: Mutex<Vec<Weak<Account>>>,
    /// The channels, the newest last.
    desks: Mutex<Vec<Weak<Desk>>>,
}

// === impl Registry ===

impl Registry {
    /// TLS, with the system's certificates read once, when the first channel is made.
    ///
    /// # Errors
    /// The system's certificates cannot be read.
    pub(crate) fn tls(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let config = tls()?;
        Ok(self.tls.get_or_init(|| config).clone())
    }

    /// The account of a bot token.
    pub(crate) fn account(
        &self,
        endpoint: &Endpoint,
        tls: &Arc<ClientConfig>,
        token: &SecretString,
    ) -> Arc<Account> {
        let same = |a: &Account| a.endpoint == *endpoint && a.token.expose_secret() == token.expose_secret();
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.retain(|held| held.strong_count() > 0);
        if let Some(found) = accounts.iter().filter_map(Weak::upgrade).find(|held| same(held)) {
            return found;
        }
        let made = Arc::new(Account::new(endpoint.clone(), tls.clone(), token.clone()));
        accounts.push(Arc::downgrade(&made));
        made
    }

    /// A channel is in use, until nobody holds it.
    pub(crate) fn add(&self, desk: &Arc<Desk>) {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.retain(|held| held.strong_count() > 0);
        desks.push(Arc::downgrade(desk));
    }

    /// The channel with this name; of two, since one that is configured anew ends after its successor began, the newer.
    pub(crate) fn desk(&self, key: &ChannelKey) -> Option<Arc<Desk>> {
        let desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks
            .iter()
            .rev()
            .filter_map(Weak::upgrade)
            .find(|desk| desk.key == *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_at_one_address_is_one_account() {
        let registry = Registry::default();
        let tls = registry.tls().unwrap();
        let here = Endpoint::new(None).unwrap();
        let there = Endpoint::new(Some(&"http://localhost:1".parse().unwrap())).unwrap();
        let a = registry.account(&here, &tls, &"1".into());
        assert!(Arc::ptr_eq(&a, &registry.account(&here, &tls, &"1".into())));
        assert!(!Arc::ptr_eq(&a, &registry.account(&here, &tls, &"2".into())));
        assert!(!Arc::ptr_eq(&a, &registry.account(&there, &tls, &"1".into())));
    }

    #[test]
    fn a_channel_is_found_while_somebody_holds_it_and_the_newer_one_first() {
        let registry = Registry::default();
        let key = ChannelKey::new("w", "a");
        let (old, new) = (Desk::for_test("a", &["1"]), Desk::for_test("a", &["2"]));
        registry.add(&old);
        registry.add(&new);
        assert!(Arc::ptr_eq(&registry.desk(&key).unwrap(), &new));
        drop((old, new));
        assert!(registry.desk(&key).is_none());
    }
}
