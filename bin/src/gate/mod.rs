//! What decides the tool calls of a turn: the policy of its workspace, the grants, and the person who is asked.

mod approvals;
mod card;
mod docket;
mod grants;
mod policies;
mod watch;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use kata_home::Workspaces;
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    approvals::Approvals,
    card::reply,
    docket::{Docket, Standing, least_trusted},
    policies::{Place, Policies},
};
use crate::{daemon::Daemon, home::Home, plugins, tools::ToolSessions, watch::Watch};

/// Everything about permission that outlives a turn.
#[derive(Debug)]
pub(crate) struct Gatehouse {
    pub(crate) policies: Policies,
    pub(crate) approvals: Approvals,
    /// Who may reach tools through the socket.
    pub(crate) tools: ToolSessions,
    watch: Watch,
}

// === impl Gatehouse ===

impl Gatehouse {
    /// Nothing is configured yet.
    pub(crate) fn new(home: &Home) -> Self {
        Self {
            policies: Policies::new(user_home(), home.dir()),
            approvals: Approvals::default(),
            tools: ToolSessions::default(),
            watch: Watch::default(),
        }
    }

    /// Puts the permissions of these workspaces into force. `plugins` are those enabled in each.
    pub(crate) async fn configure(daemon: &Arc<Daemon>, workspaces: Vec<(String, Vec<String>)>) {
        daemon.gate.approvals.recall(daemon).await;
        let places = match Workspaces::read(daemon.home.dir(), user_home().as_deref()) {
            Ok(known) => workspaces
                .into_iter()
                .map(|(id, plugins)| Place {
                    root: known.root(&id),
                    plugins: with_built_in(plugins),
                    id,
                })
                .collect(),
            Err(error) => {
                let said = crate::open::sentence(&error);
                daemon.events.plugin_error("katad", &said).await;
                default_places(&daemon.home, workspaces)
            }
        };
        watch::load(daemon, places).await;
        daemon.services.configure(daemon);
    }

    /// Puts edited permissions into force until `stop`.
    pub(crate) async fn watch(daemon: Arc<Daemon>, stop: CancellationToken) {
        watch::run(daemon, stop).await;
    }
}

/// Where workspaces lie that the app does not list.
fn default_places(home: &Home, workspaces: Vec<(String, Vec<String>)>) -> Vec<Place> {
    let place = |(id, plugins): (String, Vec<String>)| Place {
        root: home.dir().join("workspaces").join(&id),
        plugins: with_built_in(plugins),
        id,
    };
    workspaces.into_iter().map(place).collect()
}

fn with_built_in(plugins: Vec<String>) -> BTreeSet<String> {
    let built_in = plugins::BUILT_IN.iter().map(|id| (*id).to_owned());
    plugins.into_iter().chain(built_in).collect()
}

fn user_home() -> Option<PathBuf> {
    std::env::var_os("HOME")
        .filter(|v| !v.is_empty())
        .map(PathBuf::from)
}
