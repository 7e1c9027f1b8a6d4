//! What the daemon registers.

use std::sync::Arc;

use kata_channel::{Adapter, SenderId};
use kata_plugin::{ChannelContext, ChannelKind, Plugin, Registrar, RegistrationError, SetupError};

use crate::{
    adapter::DiscordAdapter, endpoint::Endpoint, gateway::Desk, registry::Registry, snowflake, tools,
};

const ID: &str = "kata-discord";

/// The Discord plugin: channels whose `adapter` is `discord`, and the tools that work in their conversations.
#[derive(Debug, Default)]
pub struct DiscordPlugin {
    registry: Arc<Registry>,
}

// === impl DiscordPlugin ===

impl DiscordPlugin {
    /// A plugin with no channels yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Plugin for DiscordPlugin {
    fn id(&self) -> &'static str {
        ID
    }

    fn name(&self) -> &'static str {
        "Discord"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn register(&self, to: &mut Registrar) -> Result<(), RegistrationError> {
        let registry = self.registry.clone();
        to.register_channel(ChannelKind {
            adapter: "discord",
            plugin: ID,
            endpoint_variable: Some("KATA_DISCORD_API_URL"),
            make: Arc::new(move |context| Ok(Arc::new(make(&registry, context)?) as Arc<dyn Adapter>)),
        })?;
        tools::all(&self.registry)
            .into_iter()
            .try_for_each(|tool| to.register_tool(ID, tool))
    }
}

fn make(registry: &Registry, context: ChannelContext) -> Result<DiscordAdapter, SetupError> {
    let token = context.token.as_ref().ok_or_else(|| {
        SetupError::MissingToken(
            "the channel has no Discord bot token: take one from the app's Bot page in the Discord developer portal (Reset \
             Token) and store it in its credential"
                .into(),
        )
    })?;
    let named = context.filter.named().to_vec();
    if let Some(odd) = named.iter().find(|id| snowflake::number(id).is_none()) {
        return Err(SetupError::Invalid(format!(
            "channelIds: {odd:?} is no id of a Discord channel: switch on Developer Mode in Discord's settings (Advanced), \
             right-click the channel, and copy its id"
        )));
    }
    let guild = context.settings.guild.clone();
    if let Some(odd) = guild.as_deref().filter(|id| snowflake::number(id).is_none()) {
        return Err(SetupError::Invalid(format!(
            "guild: {odd:?} is no id of a Discord server: switch on Developer Mode in Discord's settings (Advanced), right-click the \
             server, and copy its id"
        )));
    }
    let endpoint =
        Endpoint::new(context.endpoint.as_ref()).map_err(|e| SetupError::Invalid(e.to_string()))?;
    let tls = registry.tls().map_err(|_| {
        SetupError::Invalid("the system's certificates cannot be read: Discord cannot be reached".into())
    })?;
    let account = registry.account(&endpoint, &tls, token);
    let registration = account.claims.register(&context.key, &named).map_err(|taken| {
        SetupError::Invalid(format!(
            "the channel {} is already served by the channel {} with the same Discord token: name it in one of them only",
            taken.conversation, taken.by.slug
        ))
    })?;
    let desk = Arc::new(Desk {
        people: people(&context),
        key: context.key,
        named,
        guild,
        reply_in: context.settings.reply_in,
        account,
        clock: context.clock,
    });
    registry.add(&desk);
    Ok(DiscordAdapter::new(
        desk,
        registration,
        context.settings.signs,
        context.tasks,
    ))
}

/// Whom the configuration names by an id.
fn people(context: &ChannelContext) -> Vec<String> {
    let senders = context.settings.senders.iter().flatten().map(String::as_str);
    let owners = context.owners.iter().map(SenderId::as_str);
    let mut people = Vec::<String>::new();
    for id in owners.chain(senders) {
        if snowflake::number(id).is_some() && !people.iter().any(|known| known == id) {
            people.push(id.to_owned());
        }
    }
    people
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
            token: Some("token".into()),
            app_token: None,
            endpoint: None,
            clock: Clock::system(),
            tasks: TaskTracker::new(),
        }
    }

    #[test]
    fn a_second_channel_for_a_conversation_is_refused_with_the_first_named() {
        let registry = Registry::default();
        let first = make(&registry, context("support", &["1"])).unwrap();
        let refused = make(&registry, context("ops", &["1"])).unwrap_err();
        assert!(
            matches!(&refused, SetupError::Invalid(s) if s.contains("channel 1 ") && s.contains("support")),
            "{refused}"
        );
        drop(first);
        assert!(make(&registry, context("ops", &["1"])).is_ok());
    }

    #[test]
    fn a_config_that_cannot_work_says_what_to_do() {
        let without = ChannelContext {
            token: None,
            ..context("a", &[])
        };
        let moved = ChannelContext {
            endpoint: Some("http://10.0.0.1/api".parse().unwrap()),
            ..context("a", &[])
        };
        let mut server = context("a", &[]);
        server.settings.guild = Some("Ada's server".into());
        for (context, advice) in [
            (server, "right-click the server"),
            (without, "Reset Token"),
            (moved, "https"),
            (context("a", &["#general"]), "Developer Mode"),
        ] {
            let refused = make(&Registry::default(), context).unwrap_err();
            assert!(refused.to_string().contains(advice), "{refused}");
        }
    }
}
