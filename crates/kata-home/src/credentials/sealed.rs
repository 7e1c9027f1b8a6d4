//! The file format of the credential store, and its keys.

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Machine;

const MAGIC: &[u8; 8] = b"CRAFT01\0";
/// Where the parts begin, bytes. Between the magic and the salt stand flags, behind the salt nothing yet.
const SALT: usize = 12;
const NONCE: usize = 64;
const TAG: usize = 76;
const TEXT: usize = 92;

/// Rounds of PBKDF2.
const ROUNDS: u32 = 100_000;

/// An encrypted store.
pub(super) struct Sealed<'b> {
    pub(super) salt: [u8; 32],
    nonce: [u8; 12],
    tag: [u8; 16],
    text: &'b [u8],
}

/// The keys that the app may have used, for one salt. Working one out takes a good part of a second: none before it is needed,
/// and none twice.
pub(super) struct Keys {
    salt: [u8; 32],
    /// What the keys are made from: the present way first, then that of older versions.
    passwords: [Zeroizing<[u8; 32]>; 2],
    known: Vec<Zeroizing<[u8; 32]>>,
}

// === impl Sealed ===

impl<'b> Sealed<'b> {
    pub(super) fn read(bytes: &'b [u8]) -> Result<Self, &'static str> {
        if bytes.len() < TEXT {
            return Err("it is too short");
        }
        if !bytes.starts_with(MAGIC) {
            return Err("it does not begin as a credential store does");
        }
        Ok(Self {
            salt: part(bytes, SALT),
            nonce: part(bytes, NONCE),
            tag: part(bytes, TAG),
            text: &bytes[TEXT..],
        })
    }

    /// The text inside; none if this is not its key.
    fn open_with(&self, key: &[u8; 32]) -> Option<Zeroizing<Vec<u8>>> {
        let cipher = Aes256Gcm::new(key.into());
        // The library wants the tag at the end.
        let mut text = Zeroizing::new([self.text, &self.tag].concat());
        cipher
            .decrypt_in_place(&self.nonce.into(), b"", &mut *text)
            .ok()?;
        Some(text)
    }
}

/// A part of a file that was found to be long enough.
fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

// === impl Keys ===

impl Keys {
    pub(super) fn new(machine: &Machine, salt: [u8; 32]) -> Self {
        let home = machine.home().to_string_lossy();
        let user = &machine.user;
        let id = machine.id.clone().unwrap_or_else(|| format!("{user}:{home}"));
        let passwords = [
            format!("{id}craft-agent-v2"),
            format!("{}{user}{home}craft-agent-v1", machine.hostname),
        ];
        Self {
            salt,
            // The digest's raw bytes are the password, not its hexadecimal form.
            passwords: passwords.map(|password| Zeroizing::new(Sha256::digest(password.as_bytes()).into())),
            known: Vec::new(),
        }
    }

    pub(super) fn are_for(&self, sealed: &Sealed<'_>) -> bool {
        self.salt == sealed.salt
    }

    /// The text inside; none if no key opens it.
    pub(super) fn open(&mut self, sealed: &Sealed<'_>) -> Option<Zeroizing<Vec<u8>>> {
        (0..self.passwords.len()).find_map(|at| sealed.open_with(self.key(at)))
    }

    fn key(&mut self, at: usize) -> &[u8; 32] {
        // They are asked for in order.
        if self.known.len() == at {
            let key = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(&*self.passwords[at], &self.salt, ROUNDS);
            self.known.push(Zeroizing::new(key));
        }
        &self.known[at]
    }
}
