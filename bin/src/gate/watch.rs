//! Notices that a workspace's permissions were edited, and reads them anew.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use tokio_util::sync::CancellationToken;

use super::policies::{FILE, Loaded, Place};
use crate::{daemon::Daemon, watch::Wanted};

/// Puts the permissions of the configured workspaces into force, and says which cannot be used.
pub(crate) async fn load(daemon: &Arc<Daemon>, places: Vec<Place>) {
    for place in places {
        let id = place.id.clone();
        let reading = {
            let daemon = Arc::clone(daemon);
            tokio::task::spawn_blocking(move || daemon.gate.policies.load(place, daemon.registrar())).await
        };
        match reading {
            Ok(Loaded::Unchanged) => {}
            Ok(Loaded::InForce) => {
                tracing::debug!(workspace = id, "permissions are in force");
                super::grants::sync(daemon, &id).await;
            }
            Ok(Loaded::Broken(why)) => {
                daemon.events.plugin_error("katad", &why).await;
                super::grants::sync(daemon, &id).await;
            }
            Err(error) => tracing::error!(workspace = id, %error, "permissions could not be read"),
        }
    }
    if let Err(error) = daemon.gate.watch.follow(wanted(daemon.gate.policies.roots())) {
        tracing::warn!(%error, "edits of {FILE} are noticed at the next configuration only");
    }
}

fn wanted(roots: BTreeSet<PathBuf>) -> Wanted {
    Wanted {
        files: roots.into_iter().map(|root| root.join(FILE)).collect(),
        ..Wanted::default()
    }
}

/// Reads changed files until `stop`.
pub(crate) async fn run(daemon: Arc<Daemon>, stop: CancellationToken) {
    while daemon.gate.watch.edited(&stop).await {
        load(&daemon, daemon.gate.policies.places()).await;
    }
}
