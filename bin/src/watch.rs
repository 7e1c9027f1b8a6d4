//! Notices that files were edited: those of the configuration, wherever they lie, and those that are not there yet.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Editors write a file in several steps; it is read when they are through.
const SETTLING: Duration = Duration::from_millis(150);

/// Follows files and folders.
#[derive(Default)]
pub(crate) struct Watch {
    watcher: Mutex<Option<Following>>,
    /// One word is enough: whoever hears it looks at everything.
    edited: Arc<Notify>,
}

struct Following {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    wanted: Arc<Mutex<Targets>>,
}

/// What is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Files, whether they are there or not.
    pub(crate) files: BTreeSet<PathBuf>,
    /// Folders in which things come and go.
    pub(crate) folders: BTreeSet<PathBuf>,
}

/// What an event has to be about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Targets {
    wanted: Wanted,
    /// Where files lie that are links.
    links: BTreeSet<PathBuf>,
}

// === impl Watch ===

impl Watch {
    /// Follows these, and no others. Says whether something is followed that was not before.
    ///
    /// # Errors
    /// The system does not let us: changes are not noticed then.
    pub(crate) fn follow(&self, wanted: Wanted) -> notify::Result<bool> {
        let mut slot = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(Following::new(Arc::clone(&self.edited))?);
        }
        match &mut *slot {
            Some(following) => following.follow(wanted),
            None => Ok(false),
        }
    }

    /// Waits for an edit, and until the editor is through with it. `false` = `stop` came first.
    ///
    /// # Cancel safety
    /// An edit may be forgotten.
    pub(crate) async fn edited(&self, stop: &CancellationToken) -> bool {
        let edit = async {
            self.edited.notified().await;
            tokio::time::sleep(SETTLING).await;
        };
        stop.run_until_cancelled(edit).await.is_some()
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
        let wanted = Arc::new(Mutex::new(Targets::default()));
        let ours = Arc::clone(&wanted);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let is_ours = match &event {
                Ok(event) => {
                    let wanted = ours.lock().unwrap_or_else(PoisonError::into_inner);
                    is_change(event.kind) && event.paths.iter().any(|path| wanted.is_about(path))
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

    fn follow(&mut self, wanted: Wanted) -> notify::Result<bool> {
        let targets = Targets::of(wanted);
        let mut is_new = false;
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = targets.clone();
        let mut folders = targets.folders();
        // Until nothing came into being between the look and the watch.
        while folders != self.folders {
            for gone in self.folders.difference(&folders) {
                let _ = self.watcher.unwatch(gone);
            }
            for new in folders.difference(&self.folders) {
                self.watcher.watch(new, RecursiveMode::NonRecursive)?;
                is_new = true;
            }
            self.folders = folders;
            folders = targets.folders();
        }
        Ok(is_new)
    }
}

/// Reading a file is told as well, and our own reading would go round in a circle.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

// === impl Targets ===

impl Targets {
    fn of(wanted: Wanted) -> Self {
        let linked = wanted.files.iter().filter(|file| file.is_symlink());
        Self {
            links: linked.filter_map(|file| file.canonicalize().ok()).collect(),
            wanted,
        }
    }

    /// What the system is asked to follow. A folder that is not there yet is noticed in the nearest one that is. The folder
    /// is followed and not the file: editors put a new file in its place.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let parents = self.wanted.files.iter().filter_map(|file| file.parent());
        let targets = self.links.iter().filter_map(|target| target.parent());
        let folders = self.wanted.folders.iter().map(PathBuf::as_path);
        let followed = parents.chain(targets).chain(folders);
        followed.filter_map(nearest_folder).collect()
    }

    /// Whether a change of `path` may change what is followed.
    fn is_about(&self, path: &Path) -> bool {
        let Wanted { files, folders } = &self.wanted;
        files.iter().chain(folders).any(|wanted| wanted.starts_with(path))
            || self.links.contains(path)
            || path.parent().is_some_and(|parent| folders.contains(parent))
    }
}

fn nearest_folder(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .find(|folder| folder.is_dir())
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[PathBuf]) -> Wanted {
        Wanted {
            files: files.iter().cloned().collect(),
            ..Wanted::default()
        }
    }

    #[tokio::test]
    async fn an_edited_file_is_noticed_also_in_a_folder_that_comes_later() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("workspaces").join("w1").join("config.json");
        let watch = Watch::default();
        watch.follow(files(std::slice::from_ref(&file))).unwrap();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        watch.edited.notified().await;
        watch.follow(files(std::slice::from_ref(&file))).unwrap();
        std::fs::write(&file, "{}").unwrap();
        watch.edited.notified().await;
    }

    #[test]
    fn other_files_of_a_folder_are_nothing_to_us() {
        let targets = Targets::of(Wanted {
            files: BTreeSet::from(["/c/workspaces/w1/permissions.json".into()]),
            folders: BTreeSet::from(["/c/workspaces/w1/channels".into()]),
        });
        let is_about = |path: &str| targets.is_about(Path::new(path));
        assert!(is_about("/c/workspaces/w1/permissions.json"));
        assert!(is_about("/c/workspaces"));
        assert!(is_about("/c/workspaces/w1/channels/new"));
        assert!(!is_about("/c/daemon.db-wal"));
        assert!(!is_about("/c/workspaces/w1/notes.md"));
    }

    #[tokio::test]
    async fn an_edit_behind_a_link_is_noticed() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let target = elsewhere.path().join("shared.json");
        std::fs::write(&target, "{}").unwrap();
        let link = root.path().join("config.json");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let watch = Watch::default();
        watch.follow(files(&[link])).unwrap();
        std::fs::write(&target, "{ }").unwrap();
        watch.edited.notified().await;
    }

    #[test]
    fn reading_is_no_change_and_writing_is() {
        let opened = AccessKind::Open(AccessMode::Any);
        let written = AccessKind::Close(AccessMode::Write);
        assert!(!is_change(EventKind::Access(opened)));
        assert!(!is_change(EventKind::Access(AccessKind::Close(AccessMode::Read))));
        assert!(is_change(EventKind::Access(written)));
        assert!(is_change(EventKind::Any));
    }
}
