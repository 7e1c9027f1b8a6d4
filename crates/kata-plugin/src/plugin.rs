//! What a plugin is, and all of them together.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    action::{ActionContext, ActionError},
    registrar::{Registrar, RegistrationError},
};

/// A first-party plugin, compiled in.
#[async_trait]
pub trait Plugin: Send + Sync + 'static {
    /// Its id: `kata-` and the platform's name. This is what `enabledPlugins` holds.
    fn id(&self) -> &'static str;

    /// Its name for people.
    fn name(&self) -> &'static str;

    /// Its version.
    fn version(&self) -> &'static str;

    /// Brings what it has. Called once, at start.
    ///
    /// # Errors
    /// What it brings cannot be registered.
    fn register(&self, to: &mut Registrar) -> Result<(), RegistrationError>;

    /// The names of what it can be asked to do. None, unless it says otherwise.
    fn actions(&self) -> &'static [&'static str] {
        &[]
    }

    /// Does one of its [`actions`](Self::actions), in one workspace.
    ///
    /// # Cancel safety
    /// Past its deadline it is dropped: then it may or may not have been done.
    ///
    /// # Errors
    /// As [`ActionError`].
    async fn action(
        &self,
        _context: &ActionContext,
        action: &str,
        _payload: Value,
    ) -> Result<Value, ActionError> {
        Err(ActionError::unknown(self.id(), action, self.actions()))
    }
}

/// The plugins of a build, and what they brought. Clones share the plugins.
#[derive(Clone, Default)]
pub struct Plugins {
    all: Vec<Arc<dyn Plugin>>,
    registrar: Registrar,
}

// === impl Plugins ===

impl Plugins {
    /// Has each of them register what it brings, in their order.
    ///
    /// # Errors
    /// Two have the same id, or what one brings cannot be registered.
    pub fn new(plugins: impl IntoIterator<Item = Arc<dyn Plugin>>) -> Result<Self, RegistrationError> {
        let mut these = Self::default();
        for plugin in plugins {
            if let Some(first) = these.plugin(plugin.id()) {
                return Err(RegistrationError::Taken {
                    what: "plugin",
                    name: plugin.id(),
                    first: first.name(),
                    second: plugin.name(),
                });
            }
            plugin.register(&mut these.registrar)?;
            these.all.push(plugin);
        }
        Ok(these)
    }

    /// The plugin with this id; case counts.
    #[must_use]
    pub fn plugin(&self, id: &str) -> Option<&Arc<dyn Plugin>> {
        self.all.iter().find(|plugin| plugin.id() == id)
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Plugin>> {
        self.all.iter()
    }

    /// What they brought.
    #[must_use]
    pub fn registrar(&self) -> &Registrar {
        &self.registrar
    }
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.iter().map(|plugin| plugin.id()).collect();
        f.debug_struct("Plugins")
            .field("all", &ids)
            .field("registrar", &self.registrar)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// Brings one tool.
    struct Brings(&'static str, &'static str, &'static str);

    impl Plugin for Brings {
        fn id(&self) -> &'static str {
            self.0
        }

        fn name(&self) -> &'static str {
            self.1
        }

        fn version(&self) -> &'static str {
            "1.0.0"
        }

        fn register(&self, to: &mut Registrar) -> Result<(), RegistrationError> {
            let mut spec = sample::spec(sample::Echo);
            spec.name = self.2;
            to.register_tool(self.0, spec)
        }
    }

    fn plugins<const N: usize>(these: [Brings; N]) -> Result<Plugins, RegistrationError> {
        Plugins::new(these.map(|plugin| Arc::new(plugin) as Arc<dyn Plugin>))
    }

    #[test]
    fn each_plugin_registers_once_and_is_found_by_its_id() {
        let both = [
            Brings("kata-irc", "IRC", "irc_say"),
            Brings("kata-mail", "Mail", "mail_say"),
        ];
        let plugins = plugins(both).unwrap();
        let ids: Vec<_> = plugins.iter().map(|plugin| plugin.id()).collect();
        assert_eq!(ids, ["kata-irc", "kata-mail"]);
        assert_eq!(plugins.plugin("kata-mail").map(|p| p.name()), Some("Mail"));
        assert!(plugins.plugin("Kata-Mail").is_none());
        assert_eq!(plugins.registrar().tools().count(), 2);
    }

    #[test]
    fn two_plugins_with_one_id_are_refused_with_both_named() {
        let both = [
            Brings("kata-irc", "IRC", "irc_say"),
            Brings("kata-irc", "Other IRC", "irc_shout"),
        ];
        assert_eq!(
            plugins(both).unwrap_err().to_string(),
            "plugin \"kata-irc\" is registered by both IRC and Other IRC"
        );
    }

    #[test]
    fn a_plugin_that_cannot_register_stops_the_start() {
        let both = [
            Brings("kata-irc", "IRC", "say"),
            Brings("kata-mail", "Mail", "say"),
        ];
        assert_eq!(
            plugins(both).unwrap_err().to_string(),
            "tool \"say\" is registered by both kata-irc and kata-mail"
        );
    }
}
