//! Which sign-ins and channels are in use: channels with the same sign-in share what belongs to it (D5).

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use kata_channel::{ChannelKey, Clock, WorkspaceId};
use rustls::ClientConfig;

use crate::{
    api::Api,
    desk::Desk,
    endpoint::tls,
    mailbox::Mailbox,
    oauth::{Credential, Tokens},
};

/// What is in use. Each lives as long as a channel holds it.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    tls: OnceLock<Arc<ClientConfig>>,
    mailboxes: Mutex<Vec<(String, Weak<Mailbox>)>>,
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

    /// The mailbox of a sign-in, at the API's address.
    pub(crate) fn mailbox(
        &self,
        root: &str,
        token_url: String,
        credential: Credential,
        tls: &ClientConfig,
        clock: Clock,
    ) -> Arc<Mailbox> {
        let mut mailboxes = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
        mailboxes.retain(|(_, mailbox)| mailbox.strong_count() > 0);
        let same = mailboxes
            .iter()
            .filter(|(at, _)| at == root)
            .filter_map(|(_, mailbox)| mailbox.upgrade())
            // One whose sign-in is over is not shared: the same words may be good again.
            .find(|mailbox| mailbox.api.tokens().is_for(&credential) && !mailbox.api.tokens().is_over());
        same.unwrap_or_else(|| {
            let tokens = Tokens::new(credential, token_url, tls, clock);
            let mailbox = Arc::new(Mailbox::new(Api::new(root, tls, tokens)));
            mailboxes.push((root.to_owned(), Arc::downgrade(&mailbox)));
            mailbox
        })
    }

    /// Makes a channel known to the tools.
    pub(crate) fn add(&self, desk: &Arc<Desk>) {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.retain(|desk| desk.strong_count() > 0);
        desks.push(Arc::downgrade(desk));
    }

    /// The channel with this name: the newest, where a new configuration has just replaced one.
    pub(crate) fn desk(&self, key: &ChannelKey) -> Option<Arc<Desk>> {
        self.all().into_iter().rev().find(|desk| desk.key == *key)
    }

    /// The channels of a workspace.
    pub(crate) fn of_workspace(&self, workspace: &WorkspaceId) -> Vec<Arc<Desk>> {
        let all = self.all().into_iter();
        all.filter(|desk| desk.key.workspace == *workspace).collect()
    }

    fn all(&self) -> Vec<Arc<Desk>> {
        let desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.iter().filter_map(Weak::upgrade).collect()
    }
}
