//! One bot token: who it is, its REST API, its socket, and which of its channels belong to which of ours.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hashlink::LruCache;
use kata_channel::{ChannelError, Identity, SenderId, shared::Claims};
use rustls::ClientConfig;
use secrecy::SecretString;

use crate::{
    atlas::Atlas,
    endpoint::Endpoint,
    gateway::Gateway,
    rest::{
        Rest,
        wire::{Application, Channel, User},
    },
};

/// The app may read what is said, in full or for a bot in fewer than a hundred servers:
/// <https://docs.discord.com/developers/resources/application#application-object-application-flags>.
const MAY_READ: u64 = 1 << 18 | 1 << 19;
/// Nonces of our own messages that came back. A send that lost its answer is looked up within minutes.
const NONCES: usize = 2_000;
/// Servers whose active threads are kept while their channels are looked through. A server has 1,000 of them at most.
const ACTIVE: usize = 16;

/// Who we are, as Discord says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Me {
    /// Our user id, which mentions name.
    pub(crate) user: String,
    /// Our name.
    pub(crate) name: String,
    /// The application behind the bot.
    pub(crate) application: String,
}

/// A bot token and all that channels with the same token share (D5).
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) endpoint: Endpoint,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) rest: Rest,
    pub(crate) token: SecretString,
    pub(crate) atlas: Atlas,
    pub(crate) claims: Claims,
    pub(crate) gateway: Gateway,
    me: RwLock<Option<Arc<Me>>>,
    /// Message ids by the nonce that we sent them with.
    nonces: Mutex<LruCache<String, String>>,
    /// The active threads of servers, as one look over all conversations found them.
    active: Mutex<LruCache<String, Arc<Vec<Channel>>>>,
    /// Servers whose slash commands were looked at.
    commanded: Mutex<LruCache<String, ()>>,
}

// === impl Account ===

impl Account {
    pub(crate) fn new(endpoint: Endpoint, tls: Arc<ClientConfig>, token: SecretString) -> Self {
        Self {
            rest: Rest::new(&endpoint, &tls, token.clone()),
            endpoint,
            tls,
            token,
            atlas: Atlas::default(),
            claims: Claims::default(),
            gateway: Gateway::default(),
            me: RwLock::default(),
            nonces: Mutex::new(LruCache::new(NONCES)),
            active: Mutex::new(LruCache::new(ACTIVE)),
            commanded: Mutex::new(LruCache::new(NONCES)),
        }
    }

    /// Asks Discord who we are and what we may do, and names what is missing.
    pub(crate) async fn introduce(&self) -> Result<Identity, ChannelError> {
        let user: User = self.rest.get("look at the bot", "/users/@me".into()).await?;
        let app: Application = self
            .rest
            .get("look at the application", "/applications/@me".into())
            .await?;
        check(&app)?;
        let me = Me {
            name: user.shown().to_owned(),
            user: user.id,
            application: app.id,
        };
        let identity = Identity {
            id: SenderId::new(me.user.as_str()),
            name: me.name.clone(),
        };
        *self.me.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(me));
        Ok(identity)
    }

    /// Who we are.
    ///
    /// # Errors
    /// `connect` has not succeeded yet: without our own id we could not tell our messages from others'.
    pub(crate) fn me(&self) -> Result<Arc<Me>, ChannelError> {
        let me = self.me.read().unwrap_or_else(PoisonError::into_inner).clone();
        me.ok_or_else(|| ChannelError::ConnectionLost("Discord has not yet said who the bot is".into()))
    }

    /// A message of ours came back with the nonce that it was sent with.
    pub(crate) fn note_nonce(&self, nonce: &str, message: &str) {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.insert(nonce.to_owned(), message.to_owned());
    }

    /// The message that was sent with this nonce, if we have heard of it.
    pub(crate) fn sent_with(&self, nonce: &str) -> Option<String> {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.get(nonce).cloned()
    }

    /// The active threads of a server, if this look over all conversations has asked for them already.
    pub(crate) fn active_threads(&self, guild: &str) -> Option<Arc<Vec<Channel>>> {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.get(guild).cloned()
    }

    pub(crate) fn note_active_threads(&self, guild: &str, threads: Arc<Vec<Channel>>) {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.insert(guild.to_owned(), threads);
    }

    /// A new look over all conversations begins: what an earlier one found is old.
    pub(crate) fn forget_active_threads(&self) {
        self.active.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether a server's slash commands are to be looked at now: once in our life.
    pub(crate) fn begin_commands(&self, guild: &str) -> bool {
        let mut commanded = self.commanded.lock().unwrap_or_else(PoisonError::into_inner);
        commanded.insert(guild.to_owned(), ()).is_none()
    }

    /// They could not be looked at: the next time the server is told of will do.
    pub(crate) fn forget_commands(&self, guild: &str) {
        let mut commanded = self.commanded.lock().unwrap_or_else(PoisonError::into_inner);
        commanded.remove(guild);
    }

    #[cfg(test)]
    pub(crate) fn pretend(&self, me: Me) {
        *self.me.write().unwrap() = Some(Arc::new(me));
    }
}

fn check(app: &Application) -> Result<(), ChannelError> {
    if app.flags & MAY_READ == 0 {
        return Err(ChannelError::Rejected(crate::gateway::NO_CONTENT.into()));
    }
    // An app with an address of its own gets its commands and buttons there, and not by the gateway.
    if app
        .interactions_endpoint_url
        .as_deref()
        .is_some_and(|url| !url.is_empty())
    {
        return Err(ChannelError::Rejected(
            "the Discord app sends commands and buttons elsewhere: remove the Interactions Endpoint URL on its General \
             Information page in the Discord developer portal"
                .into(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let app = |flags, url: Option<&str>| Application {
            flags,
            interactions_endpoint_url: url.map(str::to_owned),
            ..Application::default()
        };
        for (app, advice) in [
            (app(0, None), "Message Content Intent"),
            (
                app(1 << 18, Some("https://a.example")),
                "Interactions Endpoint URL",
            ),
        ] {
            let sentence = check(&app).unwrap_err().to_string();
            assert!(sentence.contains(advice), "{sentence}");
        }
        assert_eq!(check(&app(1 << 19, Some(""))), Ok(()));
    }
}
