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
    socket::{Desk, Hub},
};

/// The accounts and sockets that are in use. Each lives as long as a channel holds it.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    tls: OnceLock<Arc<ClientConfig>>,
    accounts: Mutex<Vec<Weak<Account>>>,
    hubs: Mutex<Vec<Weak<Hub>>>,
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
        tls: &ClientConfig,
        token: &SecretString,
    ) -> Arc<Account> {
        let known = |a: &Account| a.endpoint == *endpoint && same(&a.token, token);
        shared(&self.accounts, known, || {
            Account::new(endpoint.clone(), tls, token.clone())
        })
    }

    /// The hub of an app-level token.
    pub(crate) fn hub(&self, endpoint: &Endpoint, tls: &Arc<ClientConfig>, token: &SecretString) -> Arc<Hub> {
        let known = |hub: &Hub| hub.endpoint == *endpoint && same(&hub.token, token);
        shared(&self.hubs, known, || {
            Hub::new(endpoint.clone(), tls.clone(), token.clone())
        })
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

fn same(a: &SecretString, b: &SecretString) -> bool {
    a.expose_secret() == b.expose_secret()
}

/// Finds what is in use, or makes it. A handful of tokens at most: a list does.
fn shared<T>(list: &Mutex<Vec<Weak<T>>>, known: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> Arc<T> {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    list.retain(|held| held.strong_count() > 0);
    if let Some(found) = list.iter().filter_map(Weak::upgrade).find(|held| known(held)) {
        return found;
    }
    let made = Arc::new(make());
    list.push(Arc::downgrade(&made));
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_at_one_address_is_one_account() {
        let registry = Registry::default();
        let tls = registry.tls().unwrap();
        let (here, there) = (
            Endpoint::new(None).unwrap(),
            Endpoint::new(Some(&"http://localhost:1/api".parse().unwrap())).unwrap(),
        );
        let a = registry.account(&here, &tls, &"xoxb-1".into());
        assert!(Arc::ptr_eq(&a, &registry.account(&here, &tls, &"xoxb-1".into())));
        assert!(!Arc::ptr_eq(&a, &registry.account(&here, &tls, &"xoxb-2".into())));
        assert!(!Arc::ptr_eq(
            &a,
            &registry.account(&there, &tls, &"xoxb-1".into())
        ));
    }

    #[test]
    fn a_channel_is_found_while_somebody_holds_it_and_the_newer_one_first() {
        let registry = Registry::default();
        let key = ChannelKey::new("w", "a");
        let (old, new) = (Desk::for_test("a", &["C1"]), Desk::for_test("a", &["C2"]));
        registry.add(&old);
        registry.add(&new);
        assert!(Arc::ptr_eq(&registry.desk(&key).unwrap(), &new));
        assert!(registry.desk(&ChannelKey::new("w", "b")).is_none());
        drop((old, new));
        assert!(registry.desk(&key).is_none());
    }

    #[test]
    fn what_nobody_holds_is_gone() {
        let registry = Registry::default();
        let tls = registry.tls().unwrap();
        let endpoint = Endpoint::new(None).unwrap();
        drop(registry.account(&endpoint, &tls, &"xoxb-1".into()));
        registry.account(&endpoint, &tls, &"xoxb-2".into());
        assert_eq!(registry.accounts.lock().unwrap().len(), 1);
    }
}
