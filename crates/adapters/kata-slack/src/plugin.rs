//! What the daemon registers.

use std::sync::Arc;

use kata_channel::Adapter;
use kata_plugin::{ChannelContext, ChannelKind, Plugin, Registrar, RegistrationError, SetupError};

use crate::{adapter::SlackAdapter, endpoint::Endpoint, registry::Registry, socket::Desk, tools};

const ID: &str = "kata-slack";

/// The Slack plugin: channels whose `adapter` is `slack`, and the tools that work in their conversations.
#[derive(Debug, Default)]
pub struct SlackPlugin {
    registry: Arc<Registry>,
}

// === impl SlackPlugin ===

impl SlackPlugin {
    /// A plugin with no channels yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Plugin for SlackPlugin {
    fn id(&self) -> &'static str {
        ID
    }

    fn name(&self) -> &'static str {
        "Slack"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn register(&self, to: &mut Registrar) -> Result<(), RegistrationError> {
        let registry = self.registry.clone();
        to.register_channel(ChannelKind {
            adapter: "slack",
            plugin: ID,
            endpoint_variable: Some("KATA_SLACK_API_URL"),
            make: Arc::new(move |context| Ok(Arc::new(make(&registry, context)?) as Arc<dyn Adapter>)),
        })?;
        tools::all(&self.registry)
            .into_iter()
            .try_for_each(|tool| to.register_tool(ID, tool))
    }
}

fn make(registry: &Registry, context: ChannelContext) -> Result<SlackAdapter, SetupError> {
    let token = context.token.as_ref().ok_or_else(|| {
        SetupError::MissingToken(
            "the channel has no Slack bot token: copy the Bot User OAuth Token from the app's OAuth & Permissions page \
             into its credential"
                .into(),
        )
    })?;
    let endpoint =
        Endpoint::new(context.endpoint.as_ref()).map_err(|e| SetupError::Invalid(e.to_string()))?;
    let tls = registry.tls().map_err(|_| {
        SetupError::Invalid("the system's certificates cannot be read: Slack cannot be reached".into())
    })?;
    let account = registry.account(&endpoint, &tls, token);
    let named = context.filter.named().to_vec();
    let registration = account.claims.register(&context.key, &named).map_err(|taken| {
        SetupError::Invalid(format!(
            "the conversation {} is already served by the channel {} with the same Slack token: name it in one of them only",
            taken.conversation, taken.by.slug
        ))
    })?;
    let hub = context
        .app_token
        .as_ref()
        .map(|token| registry.hub(&endpoint, &tls, token));
    let desk = Arc::new(Desk {
        key: context.key,
        named,
        reply_in: context.settings.reply_in,
        account,
        clock: context.clock,
    });
    registry.add(&desk);
    Ok(SlackAdapter::new(
        desk,
        registration,
        hub,
        context.settings.signs,
        context.tasks,
    ))
}

#[cfg(test)]
mod tests {
    use kata_channel::{
        ChannelKey, Clock,
        settings::{Filter, Settings},
    };
    use tokio_util::task::TaskTracker;

    use super::*;

    fn context(slug: &str, named: &[&str]) -> ChannelContext {
        let ids = named.iter().map(|&id| id.to_owned()).collect();
        ChannelContext {
            key: ChannelKey::new("w", slug),
            filter: Filter {
                channel_ids: Some(ids),
                ..Filter::default()
            },
            settings: Settings::default(),
            owners: Vec::new(),
            poll_interval: None,
            token: Some("xoxb-test".into()),
            app_token: None,
            endpoint: None,
            clock: Clock::system(),
            tasks: TaskTracker::new(),
        }
    }

    #[test]
    fn a_second_channel_for_a_conversation_is_refused_with_the_first_named() {
        let registry = Registry::default();
        let first = make(&registry, context("support", &["C1"])).unwrap();
        let refused = make(&registry, context("ops", &["C1"])).unwrap_err();
        assert!(
            matches!(&refused, SetupError::Invalid(s) if s.contains("C1") && s.contains("support")),
            "{refused}"
        );
        drop(first);
        assert!(make(&registry, context("ops", &["C1"])).is_ok());
    }

    #[test]
    fn a_channel_without_a_token_says_where_to_get_one() {
        let without = ChannelContext {
            token: None,
            ..context("a", &[])
        };
        assert!(
            matches!(make(&Registry::default(), without), Err(SetupError::MissingToken(s)) if s.contains("OAuth"))
        );
    }

    #[test]
    fn plain_http_to_another_machine_is_refused() {
        let moved = ChannelContext {
            endpoint: Some("http://10.0.0.1/api".parse().unwrap()),
            ..context("a", &[])
        };
        assert!(matches!(
            make(&Registry::default(), moved),
            Err(SetupError::Invalid(_))
        ));
    }

    #[test]
    fn without_an_app_token_nothing_is_pushed() {
        let registry = Registry::default();
        assert!(make(&registry, context("a", &[])).unwrap().push().is_none());
        let pushed = ChannelContext {
            app_token: Some("xapp-test".into()),
            ..context("b", &[])
        };
        assert!(make(&registry, pushed).unwrap().push().is_some());
    }
}
