//! The plugins that this build has, and what they are given: their state, their services' lives, their actions.

#[cfg(all(test, feature = "slack", feature = "discord", feature = "gmail"))]
mod platforms_doc;
mod services;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kata_channel::WorkspaceId;
use kata_plugin::{ActionContext, Plugin, PluginState, Plugins, RegistrationError};
use serde_json::Value;

pub(crate) use self::{services::Services, state::StoreState};
#[cfg(feature = "gmail")]
use crate::daemon::moved;
use crate::{
    commands::Refused,
    daemon::Daemon,
    tasks::{self, Desk, TasksPlugin},
};

/// Plugins that are part of the daemon: every workspace has them, whatever its `enabledPlugins` names.
pub(crate) const BUILT_IN: &[&str] = &[tasks::PLUGIN];

/// Everything that is compiled in. One line a plugin; the platforms are features.
pub(crate) fn all(desk: &Desk) -> Result<Plugins, RegistrationError> {
    let plugins: Vec<Arc<dyn Plugin>> = vec![
        Arc::new(TasksPlugin::new(desk)),
        #[cfg(feature = "slack")]
        Arc::new(kata_slack::SlackPlugin::new()),
        #[cfg(feature = "gmail")]
        Arc::new(kata_gmail::GmailPlugin::new(moved("KATA_GOOGLE_TOKEN_URL"))),
        #[cfg(feature = "discord")]
        Arc::new(kata_discord::DiscordPlugin::new()),
    ];
    #[cfg(feature = "failpoints")]
    fail::fail_point!("plugins.twice", |_| Plugins::new(
        plugins.iter().chain(&plugins).cloned()
    ));
    Plugins::new(plugins)
}

/// What a plugin keeps in a workspace.
pub(crate) fn state(daemon: &Daemon, plugin: &'static str, workspace: &str) -> PluginState {
    let store = Arc::new(StoreState::new(daemon.store.clone()));
    PluginState::new(store, plugin, WorkspaceId::from(workspace))
}

/// Asks a plugin to do something in a workspace; without one, in the only workspace that has the plugin.
pub(crate) async fn act(
    daemon: &Daemon,
    plugin: &str,
    workspace: Option<&str>,
    action: &str,
    payload: Option<Value>,
) -> Result<Value, Refused> {
    let Some(plugin) = daemon.plugins.plugin(plugin) else {
        let known: Vec<_> = daemon.plugins.iter().map(|p| p.id()).collect();
        return Err(Refused::not_found(format!(
            "this katad has no plugin {plugin:?} (it has: {})",
            known.join(", ")
        )));
    };
    let workspace = workspace_of(daemon, &**plugin, workspace)?;
    let context = ActionContext::new(state(daemon, plugin.id(), &workspace));
    let done = kata_plugin::act(&**plugin, &context, action, payload.unwrap_or_default()).await;
    done.map_err(|error| Refused::new("plugin", error.to_string()))
}

fn workspace_of(daemon: &Daemon, plugin: &dyn Plugin, named: Option<&str>) -> Result<String, Refused> {
    let has_it = |workspace: &str| daemon.gate.policies.is_enabled(workspace, plugin.id());
    let places = daemon.gate.policies.places();
    let having: Vec<String> = places.into_iter().map(|p| p.id).filter(|id| has_it(id)).collect();
    match (named, &*having) {
        (Some(workspace), _) if has_it(workspace) => Ok(workspace.to_owned()),
        (Some(workspace), _) => Err(Refused::not_found(format!(
            "the plugin {} is not enabled in workspace {workspace:?}",
            plugin.id()
        ))),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Refused::not_found(format!(
            "the plugin {} is enabled in no workspace",
            plugin.id()
        ))),
        (None, _) => Err(Refused::new(
            "bad_filter",
            format!(
                "the plugin {} is enabled in several workspaces; name one in payload.workspaceId",
                plugin.id()
            ),
        )),
    }
}
