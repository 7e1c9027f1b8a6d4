//! The keyring of the system: macOS' keychain, Windows' credential manager, the secret service of a Linux desktop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use keyring::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};

/// Under this name the system shows our tokens.
const SERVICE: &str = "katad";
/// A keyring that is locked asks its owner, who may not be there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which keyring is used. Errors are one sentence, without a secret.
#[derive(Clone, Debug)]
pub struct Keyring {
    ring: Ring,
    patience: Duration,
    /// A question was not answered. Others would not be either, and each would cost as long.
    is_silent: Arc<AtomicBool>,
}

#[derive(Clone, Debug)]
enum Ring {
    System,
    Off,
    /// A store of a test's own, behind the library's API.
    #[cfg(test)]
    Of(Arc<keyring_core::CredentialStore>),
}

// === impl Keyring ===

impl Keyring {
    /// The system's. Nothing is opened yet.
    #[must_use]
    pub fn system() -> Self {
        Self::of(Ring::System, PATIENCE)
    }

    /// None: tokens are kept in a file.
    #[must_use]
    pub fn off() -> Self {
        Self::of(Ring::Off, PATIENCE)
    }

    fn of(ring: Ring, patience: Duration) -> Self {
        Self {
            ring,
            patience,
            is_silent: Arc::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn of_store(store: Arc<keyring_core::CredentialStore>, patience: Duration) -> Self {
        Self::of(Ring::Of(store), patience)
    }

    pub(super) fn get(&self, account: &str) -> Result<Option<SecretString>, String> {
        match self.ask(account, |entry| entry.get_password()) {
            Ok(token) => Ok(Some(token.into())),
            Err(Refused::NoEntry) => Ok(None),
            Err(Refused::Said(why)) => Err(why),
        }
    }

    pub(super) fn set(&self, account: &str, token: &SecretString) -> Result<(), String> {
        let token = token.clone();
        self.ask(account, move |entry| entry.set_password(token.expose_secret()))
            .map_err(Refused::said)
    }

    pub(super) fn remove(&self, account: &str) -> Result<(), String> {
        match self.ask(account, |entry| entry.delete_credential()) {
            Ok(()) | Err(Refused::NoEntry) => Ok(()),
            Err(Refused::Said(why)) => Err(why),
        }
    }

    /// Asks in a thread of its own: a question that nobody answers ends with the process.
    fn ask<T: Send + 'static>(
        &self,
        account: &str,
        ask: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<T, Refused> {
        if matches!(self.ring, Ring::Off) {
            return Err(Refused::Said("it is switched off".to_owned()));
        }
        if self.is_silent.load(Ordering::Relaxed) {
            return Err(self.silent());
        }
        let (ring, account) = (self.ring.clone(), account.to_owned());
        let (answer, answered) = mpsc::channel();
        let asking = thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            // Nobody waits any more: then nobody is told.
            let _ = answer.send(ring.entry(&account).and_then(|entry| ask(&entry)));
        });
        asking.map_err(|why| Refused::Said(why.to_string()))?;
        match answered.recv_timeout(self.patience) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Error::NoEntry)) => Err(Refused::NoEntry),
            Ok(Err(why)) => Err(Refused::Said(plainly(&why))),
            Err(RecvTimeoutError::Timeout) => {
                self.is_silent.store(true, Ordering::Relaxed);
                Err(self.silent())
            }
            // The library panicked.
            Err(RecvTimeoutError::Disconnected) => {
                Err(Refused::Said("the system's keyring service failed".to_owned()))
            }
        }
    }

    fn silent(&self) -> Refused {
        Refused::Said(format!(
            "it did not answer within {} seconds",
            self.patience.as_secs()
        ))
    }
}

impl Ring {
    fn entry(&self, account: &str) -> keyring::Result<Entry> {
        match self {
            Self::System => Entry::new(SERVICE, account),
            Self::Off => Err(Error::NoDefaultStore),
            #[cfg(test)]
            Self::Of(store) => Ok(Entry {
                inner: keyring_core::Entry::new_in_store(store, SERVICE, account)?,
            }),
        }
    }
}

/// Why the keyring gave nothing.
enum Refused {
    NoEntry,
    Said(String),
}

impl Refused {
    fn said(self) -> String {
        match self {
            Self::NoEntry => "it has no such entry".to_owned(),
            Self::Said(why) => why,
        }
    }
}

/// Some of these errors hold what was read.
fn plainly(why: &Error) -> String {
    match why {
        Error::NoDefaultStore => "this system has none".to_owned(),
        Error::NoStorageAccess(_) => "it is locked".to_owned(),
        Error::PlatformFailure(_) => "the system's keyring service failed".to_owned(),
        _ => "it does not hold a token of ours".to_owned(),
    }
}

#[cfg(test)]
mod tests;
