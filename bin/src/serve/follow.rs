//! Keeps what runs equal to what the folder says.

use std::{path::PathBuf, sync::Arc};

use crate::{
    daemon::{Channels, Daemon, Desired},
    folder::{self, Environment, Folder, Vault},
    watch::{Wanted, Watch},
};

/// The folder, read once.
struct Look {
    /// What shall run; else why the list of workspaces cannot be used.
    desired: Result<Desired, String>,
    wanted: Wanted,
}

/// Configures the daemon by the folder, now and after each edit, until it stops.
pub(crate) async fn run(daemon: Arc<Daemon>, environment: Environment, user: Option<PathBuf>) {
    let stop = daemon.stopping.clone();
    let watch = Watch::default();
    let mut last = None;
    loop {
        let Some(Look { desired, wanted }) = look(&daemon, &environment, &user).await else {
            return;
        };
        match watch.follow(wanted) {
            // Something may have come into being between the look and the watch.
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "edits of the configuration are not noticed: start katad again after one");
            }
        }
        if last.as_ref() != Some(&desired) {
            apply(&daemon, desired.clone()).await;
            last = Some(desired);
        }
        if !watch.edited(&stop).await {
            return;
        }
    }
}

/// Reads the folder. None only if that panicked, or the program ends.
async fn look(daemon: &Arc<Daemon>, environment: &Environment, user: &Option<PathBuf>) -> Option<Look> {
    let (daemon, environment, user) = (Arc::clone(daemon), environment.clone(), user.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let folder = Folder::read(&daemon.home, user.as_deref(), daemon.registrar());
        let mut wanted = match &folder {
            Ok(folder) => folder.wanted.clone(),
            Err(_) => folder::wanted(&daemon.home),
        };
        wanted.files.extend(user.as_deref().map(Vault::app_file));
        let vault = Vault::new(environment, folder::own_tokens(&daemon.home), user);
        let desired = folder.map(|folder| folder.desired(&vault, daemon.reader()));
        Look { desired, wanted }
    });
    reading.await.ok()
}

async fn apply(daemon: &Arc<Daemon>, desired: Result<Desired, String>) {
    match desired {
        Ok(desired) => {
            if desired.specs.is_empty() && desired.refusals.is_empty() {
                let file = daemon.home.dir().join("config.json");
                tracing::warn!(
                    "no channel is configured in any workspace that {} lists; `katad channels add` writes one",
                    file.display()
                );
            }
            let number = daemon.channels.next_configuration();
            Channels::configure(daemon, number, desired).await;
        }
        // What runs goes on by what was last read.
        Err(why) => daemon.events.plugin_error("katad", &why).await,
    }
}
