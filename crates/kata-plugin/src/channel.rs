//! How a plugin makes a channel.

use std::{fmt, sync::Arc, time::Duration};

use kata_channel::{
    Adapter, ChannelKey, Clock, SenderId,
    settings::{Filter, Settings},
};
use secrecy::SecretString;
use tokio_util::task::TaskTracker;
use url::Url;

/// All that an adapter is made from. It reads no file and no environment variable of its own.
#[derive(Clone)]
pub struct ChannelContext {
    /// The channel's name.
    pub key: ChannelKey,
    /// Which messages are for it.
    pub filter: Filter,
    /// How it behaves.
    pub settings: Settings,
    /// The workspace's owners on this platform.
    pub owners: Vec<SenderId>,
    /// How often history is read where nothing pushes.
    pub poll_interval: Option<Duration>,
    /// The channel's credential.
    pub token: Option<SecretString>,
    /// A second credential, where the platform has one (Slack's app-level token).
    pub app_token: Option<SecretString>,
    /// The platform's address, when it was moved for tests or a proxy. Without a trailing slash.
    pub endpoint: Option<Url>,
    /// Where time comes from.
    pub clock: Clock,
    /// Where an adapter's own tasks are tracked.
    pub tasks: TaskTracker,
}

impl fmt::Debug for ChannelContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelContext")
            .field("key", &self.key)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

/// Why a channel cannot be made from its configuration. Each is one sentence for the person at the desk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// There is no credential.
    #[error("{0}")]
    MissingToken(String),
    /// The configuration cannot work.
    #[error("{0}")]
    Invalid(String),
}

/// Makes one channel's adapter. Opens no connection; two channels that cannot stand side by side are told apart
/// here, in the order of the configuration.
pub type ChannelFactory = Arc<dyn Fn(ChannelContext) -> Result<Arc<dyn Adapter>, SetupError> + Send + Sync>;

/// A kind of channel that a plugin brings.
#[derive(Clone)]
pub struct ChannelKind {
    /// The adapter's name in a channel config (`slack`).
    pub adapter: &'static str,
    /// The plugin it comes from.
    pub plugin: &'static str,
    /// The environment variable that moves its address, for tests and proxies.
    pub endpoint_variable: Option<&'static str>,
    /// Makes one.
    pub make: ChannelFactory,
}

impl fmt::Debug for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelKind")
            .field("adapter", &self.adapter)
            .field("plugin", &self.plugin)
            .finish_non_exhaustive()
    }
}
