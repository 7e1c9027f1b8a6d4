//! A channel that is not configured, for the turns of tasks: they need none (D10). Nothing is read from it and nothing is
//! sent to it; an answer stays in its row until the channel is back.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use kata_channel::{
    Adapter, ChannelError, ChannelKey, Descriptor, Identity, Length, Outbound, Receipt, SendError, Unit,
    markdown::Dialect,
    settings::{Filter, SessionSettings, Settings},
};
use kata_plugin::{ChannelKind, SetupError};
use kata_store::ClaimedTurn;

use super::{Channel, Daemon, Spec};

/// What such a turn is said to come from.
const PLATFORM: &str = "task";
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Reaches nobody.
struct Absent(Descriptor);

#[async_trait]
impl Adapter for Absent {
    fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    async fn connect(&self) -> Result<Identity, ChannelError> {
        Err(not_configured())
    }

    async fn disconnect(&self) {}

    async fn send(&self, _: &Outbound) -> Result<Receipt, SendError> {
        Err(SendError::none(not_configured()))
    }
}

fn not_configured() -> ChannelError {
    ChannelError::Rejected("the channel is not configured".to_owned())
}

/// The channel of a task's turn that is not configured, with what its workspace has for all channels.
pub(super) fn channel(daemon: &Arc<Daemon>, turn: &ClaimedTurn) -> Arc<Channel> {
    let settings = Settings {
        agent: daemon
            .config
            .agent_of(&turn.workspace)
            .cloned()
            .unwrap_or_default(),
        ..Settings::default()
    };
    let spec = Spec {
        key: ChannelKey::new(turn.workspace.as_str(), turn.slug.as_str()),
        kind: ChannelKind {
            adapter: PLATFORM,
            plugin: crate::tasks::PLUGIN,
            endpoint_variable: None,
            make: Arc::new(|_| Err(SetupError::Invalid("tasks bring no channel".to_owned()))),
        },
        filter: Filter::default(),
        session: SessionSettings::default(),
        settings,
        poll_interval: None,
        token: None,
        app_token: None,
        owners: Vec::new(),
        advice: None,
    };
    let adapter = Absent(Descriptor {
        platform: PLATFORM,
        length: Length {
            unit: Unit::Chars,
            limit: usize::MAX,
        },
        dialect: Dialect::PLAIN,
        notices: false,
        approvals: false,
        silence: NEVER,
        reconcile_every: NEVER,
    });
    Arc::new(Channel::new(
        daemon,
        (turn.channel, false),
        Arc::new(spec),
        Arc::new(adapter),
    ))
}
