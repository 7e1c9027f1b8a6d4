//! The tokens that people gave to katad itself: in the keyring of the system where there is one, else in a file.

mod keyring;

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

pub use self::keyring::Keyring;
use crate::{HomeError, json, write};

const VERSION: u64 = 1;

/// katad's own store of tokens. Its file says of each token where it is, so that the keyring is asked for nothing that it does not
/// have.
#[derive(Clone, Debug)]
pub struct TokenStore {
    folder: PathBuf,
    keyring: Keyring,
}

/// Where a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the keyring of the system.
    Keyring,
    /// In a file that only its owner may read.
    File {
        /// Why not in the keyring: the end of a sentence about it.
        because: String,
    },
}

/// The store cannot be used. Says nothing of what is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenStoreError {
    /// Its file cannot be read.
    #[error(transparent)]
    File(#[from] HomeError),
    /// Its file cannot be written.
    #[error("{} cannot be written", file.display())]
    Unwritable {
        /// Which.
        file: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A later version wrote the file.
    #[error("{} has the version {version}, and only version {VERSION} is known", file.display())]
    UnknownVersion {
        /// Which.
        file: PathBuf,
        /// What it says.
        version: u64,
    },
    /// The token is in the keyring, and that does not open.
    #[error("the system's keyring, where the token is, does not open: {0}")]
    Keyring(String),
}

#[derive(Default, Serialize, Deserialize)]
struct Index {
    version: u64,
    /// By workspace, then by key.
    #[serde(default)]
    tokens: BTreeMap<String, BTreeMap<String, Place>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Keyring,
    Value(String),
}

// === impl TokenStore ===

impl TokenStore {
    /// The store of a config directory. Nothing is opened yet.
    #[must_use]
    pub fn new(config_dir: &Path, keyring: Keyring) -> Self {
        Self {
            folder: config_dir.join("state"),
            keyring,
        }
    }

    /// Its file. It changes with every token.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.join("tokens.json")
    }

    /// A channel's token. `key` is what the channel's config names, or the channel's own name. Asks the keyring: not for an async
    /// thread.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn get(&self, workspace: &str, key: &str) -> Result<Option<SecretString>, TokenStoreError> {
        let index = self.index()?;
        match index.tokens.get(workspace).and_then(|of| of.get(key)) {
            None => Ok(None),
            Some(Place::Value(value)) => Ok(Some(value.as_str().into())),
            Some(Place::Keyring) => {
                let asked = self.keyring.get(&self.account(workspace, key));
                asked.map_err(TokenStoreError::Keyring)
            }
        }
    }

    /// Keeps a token, in the place of an earlier one.
    ///
    /// # Errors
    /// The file cannot be used. It is left as it was.
    pub fn set(&self, workspace: &str, key: &str, token: &SecretString) -> Result<Kept, TokenStoreError> {
        let _lock = self.lock()?;
        let mut index = self.index()?;
        let (place, kept) = match self.keyring.set(&self.account(workspace, key), token) {
            Ok(()) => (Place::Keyring, Kept::Keyring),
            // None is there, or it is locked and nobody opens it.
            Err(because) => (
                Place::Value(token.expose_secret().to_owned()),
                Kept::File { because },
            ),
        };
        let of = index.tokens.entry(workspace.to_owned()).or_default();
        of.insert(key.to_owned(), place);
        self.write(&index)?;
        Ok(kept)
    }

    /// Forgets a token. `false` = there was none.
    ///
    /// # Errors
    /// The file cannot be used, or the token is in a keyring that does not open.
    pub fn remove(&self, workspace: &str, key: &str) -> Result<bool, TokenStoreError> {
        let _lock = self.lock()?;
        let mut index = self.index()?;
        let place = index.tokens.get_mut(workspace).and_then(|of| of.remove(key));
        if let Some(Place::Keyring) = place {
            let removed = self.keyring.remove(&self.account(workspace, key));
            removed.map_err(TokenStoreError::Keyring)?;
        }
        if place.is_some() {
            self.write(&index)?;
        }
        Ok(place.is_some())
    }

    /// One keyring may serve several config directories.
    fn account(&self, workspace: &str, key: &str) -> String {
        format!("{key} of {workspace} in {}", self.folder.display())
    }

    fn index(&self) -> Result<Index, TokenStoreError> {
        match json::read::<Index>(&self.file())? {
            None => Ok(Index {
                version: VERSION,
                ..Index::default()
            }),
            Some(index) if index.version == VERSION => Ok(index),
            Some(Index { version, .. }) => Err(TokenStoreError::UnknownVersion {
                file: self.file(),
                version,
            }),
        }
    }

    fn write(&self, index: &Index) -> Result<(), TokenStoreError> {
        let bytes = serde_json::to_vec_pretty(index).map_err(io::Error::other);
        bytes
            .and_then(|bytes| write::replace(&self.file(), &bytes))
            .map_err(|source| self.unwritable(source))
    }

    /// Two commands at once must not lose each other's token.
    fn lock(&self) -> Result<File, TokenStoreError> {
        let locked = write::create_folder(&self.folder).and_then(|()| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(self.folder.join("tokens.lock"))?;
            file.lock()?;
            Ok(file)
        });
        locked.map_err(|source| self.unwritable(source))
    }

    fn unwritable(&self, source: io::Error) -> TokenStoreError {
        let file = self.file();
        TokenStoreError::Unwritable { file, source }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The library's own, which keeps nothing beyond the test.
    fn mock() -> Keyring {
        Keyring::of_store(
            keyring_core::mock::Store::new().unwrap(),
            std::time::Duration::from_secs(30),
        )
    }

    fn value(found: Option<SecretString>) -> Option<String> {
        found.map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn a_token_is_given_back_and_forgotten() {
        let because = "it is switched off".to_owned();
        for (keyring, kept) in [(mock(), Kept::Keyring), (Keyring::off(), Kept::File { because })] {
            let folder = tempfile::tempdir().unwrap();
            let store = TokenStore::new(folder.path(), keyring);
            assert_eq!(value(store.get("w1", "team").unwrap()), None);
            for token in ["made-up-1", "made-up-2"] {
                assert_eq!(store.set("w1", "team", &token.into()).unwrap(), kept);
                assert_eq!(value(store.get("w1", "team").unwrap()).as_deref(), Some(token));
            }
            store.set("w1", "team-app", &"made-up-3".into()).unwrap();
            assert_eq!(value(store.get("w2", "team").unwrap()), None);
            let written = fs::read_to_string(store.file()).unwrap();
            assert_eq!(written.contains("made-up"), kept != Kept::Keyring, "{written}");
            assert!(store.remove("w1", "team").unwrap());
            assert!(!store.remove("w1", "team").unwrap());
            assert_eq!(value(store.get("w1", "team").unwrap()), None);
            assert_eq!(
                value(store.get("w1", "team-app").unwrap()).as_deref(),
                Some("made-up-3")
            );
            assert!(!format!("{store:?}").contains("made-up"));
        }
    }

    #[test]
    fn a_keyring_that_went_away_is_said_and_nothing_of_the_file_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::new(folder.path(), mock());
        store.set("w1", "team", &"made-up".into()).unwrap();
        let without = TokenStore::new(folder.path(), Keyring::off());
        assert!(matches!(
            without.get("w1", "team"),
            Err(TokenStoreError::Keyring(_))
        ));
        let kept = without.set("w1", "other", &"made-up".into()).unwrap();
        assert!(matches!(kept, Kept::File { .. }), "{kept:?}");
        assert!(store.get("w1", "team").unwrap().is_some());
    }

    #[test]
    fn a_file_that_is_not_understood_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::new(folder.path(), Keyring::off());
        store.set("w1", "team", &"made-up".into()).unwrap();
        for text in [
            "{",
            r#"{"version": 2, "tokens": {}}"#,
            r#"{"version": 1, "tokens": 7}"#,
        ] {
            fs::write(store.file(), text).unwrap();
            assert!(store.set("w1", "team", &"made-up".into()).is_err(), "{text}");
            assert!(store.get("w1", "team").is_err(), "{text}");
            assert_eq!(fs::read_to_string(store.file()).unwrap(), text);
        }
    }
}
