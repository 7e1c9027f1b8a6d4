//! One Google sign-in: its API, whose mailbox it is, and which parts of it belong to which channel.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use kata_channel::{ChannelError, ChannelKey, Identity, SenderId};

use crate::{api::Api, oauth::SCOPE};

/// Grants everything that [`SCOPE`] does, and more than we ask for.
const ALL_OF_MAIL: &str = "https://mail.google.com/";

/// A mailbox and all that channels with the same sign-in share (D5).
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) api: Api,
    address: RwLock<Option<String>>,
    claims: Mutex<BTreeMap<ChannelKey, Claim>>,
}

#[derive(Debug)]
struct Claim {
    part: String,
    /// Tells a channel's registration from the one that replaced it.
    serial: u64,
}

/// A channel's registration of its part; dropping it takes it back.
#[derive(Debug)]
pub(crate) struct Registration {
    mailbox: Arc<Mailbox>,
    key: ChannelKey,
    serial: u64,
}

// === impl Mailbox ===

impl Mailbox {
    pub(crate) fn new(api: Api) -> Self {
        Self {
            api,
            address: RwLock::default(),
            claims: Mutex::default(),
        }
    }

    /// Asks whose mailbox it is, and names a permission that is missing.
    pub(crate) async fn introduce(&self) -> Result<Identity, ChannelError> {
        let profile = self.api.profile().await?;
        if let Some(scopes) = self.api.tokens().scopes()
            && !scopes
                .split(' ')
                .any(|scope| scope == SCOPE || scope == ALL_OF_MAIL)
        {
            return Err(ChannelError::Rejected(
                "this Google sign-in may not write drafts (it lacks gmail.modify): run katad auth gmail and agree to it".into(),
            ));
        }
        let address = profile
            .email_address
            .map(|address| address.to_lowercase())
            .ok_or_else(|| ChannelError::ConnectionLost("Gmail does not say whose mailbox it is".into()))?;
        *self.address.write().unwrap_or_else(PoisonError::into_inner) = Some(address.clone());
        Ok(Identity {
            id: SenderId::new(&*address),
            name: address,
        })
    }

    /// The mailbox's own address.
    ///
    /// # Errors
    /// `connect` has not succeeded yet: without it we could not tell our mail from others'.
    pub(crate) fn address(&self) -> Result<String, ChannelError> {
        let address = self
            .address
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        address
            .ok_or_else(|| ChannelError::ConnectionLost("Gmail has not yet said whose mailbox it is".into()))
    }

    /// A channel takes a part of the mailbox.
    ///
    /// # Errors
    /// Another channel has it.
    pub(crate) fn register(
        self: &Arc<Self>,
        key: &ChannelKey,
        part: &str,
    ) -> Result<Registration, ChannelKey> {
        let mut claims = self.claims();
        if let Some((by, _)) = claims.iter().find(|(by, claim)| *by != key && claim.part == part) {
            return Err(by.clone());
        }
        let serial = claims.values().map(|claim| claim.serial).max().unwrap_or(0) + 1;
        claims.insert(
            key.clone(),
            Claim {
                part: part.to_owned(),
                serial,
            },
        );
        Ok(Registration {
            mailbox: Arc::clone(self),
            key: key.clone(),
            serial,
        })
    }

    fn claims(&self) -> std::sync::MutexGuard<'_, BTreeMap<ChannelKey, Claim>> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Registration ===

impl Drop for Registration {
    fn drop(&mut self) {
        let mut claims = self.mailbox.claims();
        if claims
            .get(&self.key)
            .is_some_and(|claim| claim.serial == self.serial)
        {
            claims.remove(&self.key);
        }
    }
}
