//! What the plugins of this build bring, and how their services stand.

use kata_ipc::event::{
    ConnectionStatus,
    view::{Page, PluginView, ServiceState, ServiceView},
};
use kata_plugin::{Health, Plugin, Plugins, ServiceStatus};

use super::permissions::whole;
use crate::daemon::Daemon;

/// `query` `plugins`.
pub(super) fn plugins(daemon: &Daemon) -> Page<PluginView> {
    whole(running(daemon))
}

/// What the plugins bring, and how it stands at this moment.
pub(crate) fn running(daemon: &Daemon) -> Vec<PluginView> {
    let statuses = daemon.services.statuses();
    let services = |plugin: &str| {
        let mut services: Vec<ServiceView> = statuses
            .iter()
            .filter(|(name, _)| name.plugin == plugin)
            .map(|(name, status)| service(name.service, &name.workspace, status))
            .collect();
        services
            .sort_by(|one, other| (&one.name, &one.workspace_id).cmp(&(&other.name, &other.workspace_id)));
        services
    };
    let channels = daemon.channels.all();
    let needs_help = |plugin: &str| {
        let states = channels
            .iter()
            .filter(|channel| channel.spec.kind.plugin == plugin)
            .map(|channel| channel.status().0);
        states
            .into_iter()
            .any(|state| matches!(state, ConnectionStatus::AuthExpired | ConnectionStatus::Degraded))
    };
    let all = of_build(&daemon.plugins).into_iter();
    all.map(|view| {
        let services = services(&view.plugin_id);
        let is_healthy = services.iter().all(|service| service.is_healthy) && !needs_help(&view.plugin_id);
        PluginView {
            services,
            is_healthy: Some(is_healthy),
            ..view
        }
    })
    .collect()
}

/// What a build brings, whether or not a daemon runs.
pub(crate) fn of_build(plugins: &Plugins) -> Vec<PluginView> {
    plugins.iter().map(|plugin| view(plugins, &**plugin)).collect()
}

fn view(plugins: &Plugins, plugin: &dyn Plugin) -> PluginView {
    let brought = plugins.registrar();
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let channels = brought.channels().filter(|kind| kind.plugin == plugin.id());
    let tools = brought.tools().filter(|tool| tool.plugin == plugin.id());
    PluginView {
        plugin_id: plugin.id().to_owned(),
        name: plugin.name().to_owned(),
        version: plugin.version().to_owned(),
        channels: owned(channels.map(|kind| kind.adapter).collect()),
        tools: owned(tools.map(|tool| tool.spec.name).collect()),
        actions: owned(plugin.actions().to_vec()),
        services: Vec::new(),
        is_healthy: None,
    }
}

fn service(name: &str, workspace: &str, status: &ServiceStatus) -> ServiceView {
    let unhealthy = match status.health() {
        Health::Healthy => None,
        Health::Unhealthy { reason } => Some(reason),
    };
    ServiceView {
        name: name.to_owned(),
        workspace_id: workspace.to_owned(),
        state: match status.state {
            kata_plugin::ServiceState::Starting => ServiceState::Starting,
            kata_plugin::ServiceState::Running => ServiceState::Running,
            kata_plugin::ServiceState::BackingOff => ServiceState::BackingOff,
            kata_plugin::ServiceState::Parked => ServiceState::Parked,
            kata_plugin::ServiceState::Stopped => ServiceState::Stopped,
        },
        is_healthy: unhealthy.is_none(),
        error: unhealthy,
        failures: status.failures,
        panics: status.panics,
    }
}
