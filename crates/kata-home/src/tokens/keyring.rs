//! The keyring of the system: macOS' keychain, Windows' credential manager, the secret service of a Linux desktop.

use std::{sync::mpsc, thread, time::Duration};

use keyring::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};

/// Under this name the system shows our tokens.
const SERVICE: &str = "katad";
/// A keyring that is locked asks its owner, who may not be there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which keyring is used. Errors are one sentence, without a secret.
#[derive(Clone, Debug)]
pub enum Keyring {
    /// The system's.
    System,
    /// None: tokens are kept in a file.
    Off,
    /// One of a test's own.
    #[cfg(test)]
    Memory(std::sync::Arc<std::sync::Mutex<std::collections::HashMap<String, SecretString>>>),
}

// === impl Keyring ===

impl Keyring {
    #[cfg(test)]
    pub(super) fn memory() -> Self {
        Self::Memory(std::sync::Arc::default())
    }

    pub(super) fn get(&self, account: &str) -> Result<Option<SecretString>, String> {
        match self {
            Self::System => match asked(account, |entry| entry.get_password()) {
                Ok(token) => Ok(Some(token.into())),
                Err(Refused::NoEntry) => Ok(None),
                Err(Refused::Said(why)) => Err(why),
            },
            Self::Off => Err(off()),
            #[cfg(test)]
            Self::Memory(all) => Ok(all.lock().unwrap().get(account).cloned()),
        }
    }

    pub(super) fn set(&self, account: &str, token: &SecretString) -> Result<(), String> {
        match self {
            Self::System => {
                let token = token.clone();
                asked(account, move |entry| entry.set_password(token.expose_secret())).map_err(Refused::said)
            }
            Self::Off => Err(off()),
            #[cfg(test)]
            Self::Memory(all) => {
                all.lock().unwrap().insert(account.to_owned(), token.clone());
                Ok(())
            }
        }
    }

    pub(super) fn remove(&self, account: &str) -> Result<(), String> {
        match self {
            Self::System => match asked(account, |entry| entry.delete_credential()) {
                Ok(()) | Err(Refused::NoEntry) => Ok(()),
                Err(Refused::Said(why)) => Err(why),
            },
            Self::Off => Err(off()),
            #[cfg(test)]
            Self::Memory(all) => {
                all.lock().unwrap().remove(account);
                Ok(())
            }
        }
    }
}

fn off() -> String {
    "it is switched off".to_owned()
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

/// Asks in a thread of its own: a question that nobody answers ends with the process.
fn asked<T: Send + 'static>(
    account: &str,
    ask: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T, Refused> {
    let account = account.to_owned();
    let (answer, answered) = mpsc::channel();
    let asking = thread::Builder::new().name("keyring".to_owned()).spawn(move || {
        // Nobody waits any more: then nobody is told.
        let _ = answer.send(Entry::new(SERVICE, &account).and_then(|entry| ask(&entry)));
    });
    asking.map_err(|why| Refused::Said(why.to_string()))?;
    match answered.recv_timeout(PATIENCE) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Error::NoEntry)) => Err(Refused::NoEntry),
        Ok(Err(why)) => Err(Refused::Said(plainly(&why))),
        Err(_) => Err(Refused::Said(format!(
            "it did not answer within {} seconds",
            PATIENCE.as_secs()
        ))),
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
