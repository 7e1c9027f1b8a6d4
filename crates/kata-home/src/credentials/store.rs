//! The file of the credential store, read while the app may write it.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{
    Credentials, CredentialsError, Plain,
    sealed::{Keys, Sealed},
};
use crate::Machine;

/// The largest file that is read, bytes.
const MOST: u64 = 16 << 20;
/// The app writes the file in place: what is not whole now is in a moment.
const AGAIN: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

/// The credential store of the app. Only read, never written.
#[derive(Clone, Debug)]
pub struct CredentialStore {
    file: PathBuf,
    machine: Machine,
}

// === impl CredentialStore ===

impl CredentialStore {
    /// The store of this user of this machine. It is in the home directory, whatever the config directory is.
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        Self {
            file: machine.home().join(".kata-agents").join("credentials.enc"),
            machine,
        }
    }

    /// Where the store is.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What is in the store; nothing if it is not there. Takes a good part of a second: not for an async thread.
    ///
    /// # Errors
    /// The store cannot be used. It was read four times, 200 ms apart, before that is said.
    pub fn read(&self) -> Result<Credentials, CredentialsError> {
        self.read_with(thread::sleep)
    }

    fn read_with(&self, mut pause: impl FnMut(Duration)) -> Result<Credentials, CredentialsError> {
        let mut keys = None;
        for _ in 0..AGAIN {
            match self.read_once(&mut keys) {
                Ok(credentials) => return Ok(credentials),
                Err(_) => pause(PAUSE),
            }
        }
        self.read_once(&mut keys)
    }

    fn read_once(&self, keys: &mut Option<Keys>) -> Result<Credentials, CredentialsError> {
        let file = || self.file.clone();
        let Some(bytes) = self.bytes()? else {
            return Ok(Credentials::default());
        };
        let damaged = |reason| CredentialsError::Damaged { file: file(), reason };
        let sealed = Sealed::read(&bytes).map_err(damaged)?;
        let keys = match keys.take().filter(|keys| keys.are_for(&sealed)) {
            Some(known) => keys.insert(known),
            None => keys.insert(Keys::new(&self.machine, sealed.salt)),
        };
        let text = keys
            .open(&sealed)
            .ok_or_else(|| CredentialsError::Locked { file: file() })?;
        // What the parser says may quote a secret.
        let plain: Plain = serde_json::from_slice(&text)
            .map_err(|_| damaged("what was encrypted in it is no list of credentials"))?;
        match plain.version {
            1 => Ok(plain.into()),
            version => Err(CredentialsError::UnknownVersion {
                file: file(),
                version,
            }),
        }
    }

    fn bytes(&self) -> Result<Option<Vec<u8>>, CredentialsError> {
        let file = || self.file.clone();
        let mut bytes = Vec::new();
        let read = File::open(&self.file).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CredentialsError::Unreadable { file: file(), source }),
            Ok(_) if bytes.len() as u64 > MOST => Err(CredentialsError::TooLarge {
                file: file(),
                most: MOST,
            }),
            Ok(_) => Ok(Some(bytes)),
        }
    }
}

#[cfg(test)]
mod tests;
