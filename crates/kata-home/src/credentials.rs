//! The credentials that people gave to the app.

mod error;
mod sealed;
mod store;

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    time::{Duration, SystemTime},
};

use secrecy::SecretString;
use serde::Deserialize;

pub use self::{error::CredentialsError, store::CredentialStore};

/// The kinds of a source's credentials, in the order in which they are asked for.
const KINDS: [&str; 4] = ["oauth", "bearer", "apikey", "basic"];

/// Credentials by account. `Debug` shows how many.
#[derive(Clone, Default)]
pub struct Credentials {
    accounts: BTreeMap<String, Credential>,
}

/// What the app keeps of an account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Credential {
    /// The token, the key or the password.
    pub value: SecretString,
    /// What a new token is asked for with.
    pub refresh_token: Option<SecretString>,
    /// When the token ends.
    pub expires_at: Option<SystemTime>,
    /// The client that the token was given to.
    pub client_id: Option<String>,
    /// What kind of token it is.
    pub token_type: Option<String>,
    /// Where it came from.
    pub source: Option<String>,
}

/// The decrypted store.
#[derive(Deserialize)]
pub(crate) struct Plain {
    pub(crate) version: u64,
    #[serde(default)]
    credentials: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    value: Option<String>,
    refresh_token: Option<String>,
    /// Unix time in milliseconds; JavaScript may write it with a fraction.
    expires_at: Option<f64>,
    client_id: Option<String>,
    token_type: Option<String>,
    source: Option<String>,
}

// === impl Credential ===

impl Credential {
    /// A token, and nothing known of it.
    #[must_use]
    pub fn new(value: SecretString) -> Self {
        Self {
            value,
            refresh_token: None,
            expires_at: None,
            client_id: None,
            token_type: None,
            source: None,
        }
    }
}

// === impl Credentials ===

impl Credentials {
    /// The credential of a channel. `workspace` is the id in `config.json`; `key` is what the channel's config names as its
    /// `channelSlug` or its `appTokenSlug`.
    #[must_use]
    pub fn of_channel(&self, workspace: &str, key: &str) -> Option<&Credential> {
        self.accounts
            .get(&format!("channel_credential::{workspace}::{key}"))
    }

    /// The credential of a source, which a channel's config may name as its `sourceSlug`. `root` is the workspace's folder.
    #[must_use]
    pub fn of_source(&self, workspace: &str, root: &Path, source: &str) -> Option<&Credential> {
        // The app files a channel's key under the workspace's id, and everything else under the name of its folder.
        let own = [format!("source_apikey::{workspace}::{source}")];
        let folder = root.file_name().and_then(|name| name.to_str());
        let others = KINDS
            .iter()
            .filter_map(|kind| Some(format!("source_{kind}::{}::{source}", folder?)));
        own.into_iter()
            .chain(others)
            .find_map(|account| self.accounts.get(&account))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
}

impl From<Plain> for Credentials {
    fn from(plain: Plain) -> Self {
        let accounts = plain.credentials.into_iter();
        Self {
            accounts: accounts
                .filter_map(|(account, entry)| Some((account, entry.credential()?)))
                .collect(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

// === impl Entry ===

impl Entry {
    /// None where there is no value: nothing to use.
    fn credential(self) -> Option<Credential> {
        Some(Credential {
            value: self.value?.into(),
            refresh_token: self.refresh_token.map(Into::into),
            expires_at: self.expires_at.and_then(time),
            client_id: self.client_id,
            token_type: self.token_type,
            source: self.source,
        })
    }
}

fn time(milliseconds: f64) -> Option<SystemTime> {
    // A fraction of a millisecond is cut off, and what is before 1970 is 1970.
    let since = Duration::from_millis(milliseconds as u64);
    SystemTime::UNIX_EPOCH.checked_add(since)
}
