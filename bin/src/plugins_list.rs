//! `katad plugins`: what this build has; while a daemon runs, also how it stands there.

use kata_ipc::event::view::{PluginView, ServiceState, ServiceView};

use crate::{
    exit::Exit,
    home::{Home, Lock, LockError},
    plugins, query,
    tasks::Desk,
    terminal, tools,
};

/// Prints the plugins, what they bring, and their health where a daemon runs.
pub(crate) fn run(as_json: bool) -> Exit {
    let plugins = match plugins::all(&Desk::default()) {
        Ok(plugins) => plugins,
        Err(why) => return terminal::fail(why, Exit::Bug),
    };
    let listed = match of_the_daemon() {
        Some(Ok(listed)) => listed,
        Some(Err(why)) => return terminal::fail(why, Exit::TryLater),
        None => query::plugins_of_build(&plugins),
    };
    if as_json {
        return terminal::json(&serde_json::json!(listed));
    }
    let rows: Vec<[String; 6]> = listed.iter().map(columns).collect();
    let table = terminal::table(
        ["PLUGIN", "VERSION", "CHANNELS", "TOOLS", "ACTIONS", "HEALTH"],
        &rows,
    );
    let services: Vec<[String; 5]> = listed.iter().flat_map(services).collect();
    if services.is_empty() {
        return terminal::say(table);
    }
    let services = terminal::table(["SERVICE", "WORKSPACE", "STATE", "FAILURES", "ERROR"], &services);
    terminal::say(format_args!("{table}\n\n{services}"))
}

/// What the daemon that runs says. None: none runs.
fn of_the_daemon() -> Option<Result<Vec<PluginView>, String>> {
    let home = Home::from_env().ok()?;
    let Err(LockError::Held { .. }) = Lock::look(&home.lock_file()) else {
        return None;
    };
    Some(
        crate::runtime()
            .map_err(|error| error.to_string())
            .and_then(|runtime| runtime.block_on(tools::ask(&home, async |daemon| daemon.plugins().await))),
    )
}

fn columns(plugin: &PluginView) -> [String; 6] {
    let health = match plugin.is_healthy {
        Some(true) => "healthy",
        Some(false) => "unhealthy",
        None => "not running",
    };
    [
        plugin.plugin_id.clone(),
        plugin.version.clone(),
        plugin.channels.join(", "),
        plugin.tools.join(", "),
        plugin.actions.join(", "),
        health.to_owned(),
    ]
}

fn services(plugin: &PluginView) -> impl Iterator<Item = [String; 5]> {
    plugin.services.iter().map(|service: &ServiceView| {
        let state = match service.state {
            ServiceState::Starting => "starting",
            ServiceState::Running if service.is_healthy => "running",
            ServiceState::Running => "unhealthy",
            ServiceState::BackingOff => "backing off",
            ServiceState::Parked => "parked",
            ServiceState::Stopped => "stopped",
        };
        [
            service.name.clone(),
            service.workspace_id.clone(),
            state.to_owned(),
            service.failures.to_string(),
            service.error.clone().unwrap_or_default(),
        ]
    })
}
