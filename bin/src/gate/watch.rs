//! Notices that a workspace's permissions were edited, and reads them anew.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::policies::{FILE, Loaded, Place};
use crate::daemon::Daemon;

/// Editors write a file in several steps; it is read when they are through.
const SETTLING: Duration = Duration::from_millis(150);

/// Follows the folders of the workspaces.
#[derive(Default)]
pub(crate) struct Watch {
    watcher: Mutex<Option<Following>>,
    /// One word is enough: whoever hears it looks at everything.
    edited: Arc<Notify>,
}

struct Following {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    wanted: Arc<Mutex<Wanted>>,
}

/// What an event has to be about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    /// The folders of the workspaces.
    roots: BTreeSet<PathBuf>,
    /// Where files lie that are links in these folders.
    targets: BTreeSet<PathBuf>,
}

// === impl Watch ===

impl Watch {
    /// Follows the files of workspaces in these folders, and no others.
    ///
    /// # Errors
    /// The system does not let us: changes are then noticed at the next configuration.
    pub(crate) fn follow(&self, roots: BTreeSet<PathBuf>) -> notify::Result<()> {
        let mut slot = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(Following::new(Arc::clone(&self.edited))?);
        }
        match &mut *slot {
            Some(following) => following.follow(roots),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

// === impl Following ===

impl Following {
    fn new(edited: Arc<Notify>) -> notify::Result<Self> {
        let wanted = Arc::new(Mutex::new(Wanted::default()));
        let ours = Arc::clone(&wanted);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let is_ours = match &event {
                Ok(event) => {
                    let wanted = ours.lock().unwrap_or_else(PoisonError::into_inner);
                    event.paths.iter().any(|path| wanted.is_about(path))
                }
                // Events were lost: whatever they were about is looked at.
                Err(_) => true,
            };
            if is_ours {
                edited.notify_one();
            }
        })?;
        Ok(Self {
            watcher,
            folders: BTreeSet::new(),
            wanted,
        })
    }

    fn follow(&mut self, roots: BTreeSet<PathBuf>) -> notify::Result<()> {
        let wanted = Wanted::of(roots);
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = wanted.clone();
        let mut folders = wanted.folders();
        // Until nothing came into being between the look and the watch.
        while folders != self.folders {
            for gone in self.folders.difference(&folders) {
                let _ = self.watcher.unwatch(gone);
            }
            for new in folders.difference(&self.folders) {
                self.watcher.watch(new, RecursiveMode::NonRecursive)?;
            }
            self.folders = folders;
            folders = wanted.folders();
        }
        Ok(())
    }
}

// === impl Wanted ===

impl Wanted {
    fn of(roots: BTreeSet<PathBuf>) -> Self {
        let targets = roots.iter().filter_map(|root| {
            let file = root.join(FILE);
            file.is_symlink().then(|| file.canonicalize().ok()).flatten()
        });
        Self {
            targets: targets.collect(),
            roots,
        }
    }

    /// What is followed. A folder that is not there yet is noticed in the nearest one that is. The folder is followed and not
    /// the file: editors put a new file in its place.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let targets = self.targets.iter().filter_map(|target| target.parent());
        let followed = self.roots.iter().map(PathBuf::as_path).chain(targets);
        followed.filter_map(nearest_folder).collect()
    }

    /// Whether a change of `path` may change what a workspace's file says.
    fn is_about(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| name == FILE)
            || self.targets.contains(path)
            || self.roots.iter().any(|root| root.starts_with(path))
    }
}

fn nearest_folder(root: &Path) -> Option<PathBuf> {
    root.ancestors()
        .find(|folder| folder.is_dir())
        .map(Path::to_owned)
}

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
    if let Err(error) = daemon.gate.watch.follow(daemon.gate.policies.roots()) {
        tracing::warn!(%error, "edits of {FILE} are noticed at the next configuration only");
    }
}

/// Reads changed files until `stop`.
pub(crate) async fn run(daemon: Arc<Daemon>, stop: CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = daemon.gate.watch.edited.notified() => {}
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SETTLING) => {}
        }
        load(&daemon, daemon.gate.policies.places()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_edited_file_is_noticed_also_in_a_folder_that_comes_later() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("workspaces").join("w1");
        let watch = Watch::default();
        watch.follow(BTreeSet::from([root.clone()])).unwrap();
        std::fs::create_dir_all(&root).unwrap();
        watch.edited.notified().await;
        watch.follow(BTreeSet::from([root.clone()])).unwrap();
        std::fs::write(root.join(FILE), "{}").unwrap();
        watch.edited.notified().await;
    }

    #[test]
    fn other_files_of_the_folder_are_nothing_to_us() {
        let wanted = Wanted::of(BTreeSet::from([PathBuf::from("/c/workspaces/w1")]));
        let is_about = |path: &str| wanted.is_about(Path::new(path));
        assert!(is_about("/c/workspaces/w1/daemon-permissions.json"));
        assert!(is_about("/c/workspaces"));
        assert!(!is_about("/c/daemon.db-wal"));
        assert!(!is_about("/c/workspaces/w1/notes.md"));
    }

    #[tokio::test]
    async fn an_edit_behind_a_link_is_noticed() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let target = elsewhere.path().join("shared.json");
        std::fs::write(&target, "{}").unwrap();
        std::os::unix::fs::symlink(&target, root.path().join(FILE)).unwrap();
        let watch = Watch::default();
        watch.follow(BTreeSet::from([root.path().to_owned()])).unwrap();
        std::fs::write(&target, "{ }").unwrap();
        watch.edited.notified().await;
    }
}
