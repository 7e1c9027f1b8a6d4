//! The policy of each workspace: the base, the tools of its enabled plugins, and its `daemon-permissions.json`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{self, Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kata_perm::{PermissionsFile, Policy, Roots};
use kata_plugin::Registrar;

/// The file's name, in the workspace's folder.
pub(crate) const FILE: &str = "daemon-permissions.json";
/// A file larger than this is not read: nobody wrote it by hand.
const LARGEST: u64 = 4 << 20;

/// The policies in force. A turn asks for its workspace's at each tool call, so that a change holds at once.
/// Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    /// The person's home, for globs that begin with `~/`.
    user: Option<PathBuf>,
    /// The config directory.
    config: PathBuf,
    base: Arc<Policy>,
    workspaces: Arc<Mutex<BTreeMap<String, Workspace>>>,
}

/// A workspace as it was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: String,
    /// Its folder.
    pub(crate) root: PathBuf,
    /// Ids of the plugins that are enabled in it.
    pub(crate) plugins: BTreeSet<String>,
}

#[derive(Debug)]
struct Workspace {
    place: Place,
    file: File,
    /// The file as it last could be used: of a broken one what it restricted goes on.
    last_good: Option<PermissionsFile>,
    policy: Arc<Policy>,
}

/// What the file was like when it was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum File {
    Absent,
    Text(String),
    Unreadable(String),
}

/// What became of a workspace's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Loaded {
    /// It is as it was.
    Unchanged,
    /// Another one is in force, or none.
    InForce,
    /// It cannot be used: its additions are denied. A sentence with the file's name, and the line and column.
    Broken(String),
}

// === impl Policies ===

impl Policies {
    pub(crate) fn new(user: Option<PathBuf>, config: &Path) -> Self {
        Self {
            user,
            config: absolute(config),
            base: Arc::new(Policy::base()),
            workspaces: Arc::default(),
        }
    }

    /// The policy of a workspace. One that was never configured has the base alone.
    pub(crate) fn of(&self, workspace: &str) -> Arc<Policy> {
        match self.lock().get(workspace) {
            Some(workspace) => Arc::clone(&workspace.policy),
            None => Arc::clone(&self.base),
        }
    }

    /// The plugins enabled in a workspace.
    pub(crate) fn is_enabled(&self, workspace: &str, plugin: &str) -> bool {
        self.lock()
            .get(workspace)
            .is_some_and(|w| w.place.plugins.contains(plugin))
    }

    /// The folder of a workspace, once it was configured.
    pub(crate) fn root(&self, workspace: &str) -> Option<PathBuf> {
        Some(self.lock().get(workspace)?.place.root.clone())
    }

    /// Where the files are, or would be.
    pub(crate) fn roots(&self) -> BTreeSet<PathBuf> {
        self.lock().values().map(|w| w.place.root.clone()).collect()
    }

    /// The workspaces as they are configured.
    pub(crate) fn places(&self) -> Vec<Place> {
        self.lock().values().map(|w| w.place.clone()).collect()
    }

    /// Reads the file of a workspace, and puts into force what it says. Blocks for one small file.
    pub(crate) fn load(&self, place: Place, plugins: &Registrar) -> Loaded {
        let path = place.root.join(FILE);
        let file = File::read(&path);
        if let Some(known) = self.lock().get(&place.id)
            && known.place == place
            && known.file == file
        {
            return Loaded::Unchanged;
        }
        let mut policy = Policy::base();
        for tool in plugins.tools().filter(|t| place.plugins.contains(t.plugin)) {
            policy = policy.with_plugin_tool(tool.spec.name, tool.spec.default);
        }
        let roots = self.roots_of(&place.root);
        let (policy, last_good, loaded) = match file.parse(&path) {
            Ok(None) => (policy, None, Loaded::InForce),
            Ok(Some(good)) => (policy.with_file(&good, &roots), Some(good), Loaded::InForce),
            // A file that cannot be used adds nothing, and takes nothing away that was in force.
            Err(why) => {
                let before = self.lock().get(&place.id).and_then(|w| w.last_good.clone());
                let policy = match &before {
                    Some(good) => policy.with_file(&good.restrictions(), &roots),
                    None => policy,
                };
                (policy, before, Loaded::Broken(why))
            }
        };
        let id = place.id.clone();
        let workspace = Workspace {
            place,
            file,
            last_good,
            policy: Arc::new(policy),
        };
        self.lock().insert(id, workspace);
        loaded
    }

    fn roots_of(&self, root: &Path) -> Roots {
        let root = absolute(root);
        // What the app reads of a workspace decides too: who may speak, which program is the agent.
        let configured = ["config.json", "channels", "sources"].map(|name| root.join(name));
        let roots = Roots::new(&root)
            .protecting(configured)
            .protecting_except(&self.config, [self.config.join("sessions"), root]);
        match &self.user {
            Some(home) => roots.with_home(home),
            None => roots,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Workspace>> {
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A config directory may be given from where the daemon was started.
fn absolute(path: &Path) -> PathBuf {
    path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

// === impl File ===

impl File {
    fn read(path: &Path) -> Self {
        let read = || {
            let found = fs::metadata(path)?;
            // A pipe of that name would be waited for, and nobody writes to it.
            if !found.is_file() {
                return Err(io::Error::other("it is no file"));
            }
            if found.len() > LARGEST {
                return Err(io::Error::other(format!(
                    "it is larger than {} MiB",
                    LARGEST >> 20
                )));
            }
            fs::read_to_string(path)
        };
        match read() {
            Ok(text) => Self::Text(text),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Self::Absent,
            Err(e) => Self::Unreadable(e.to_string()),
        }
    }

    fn parse(&self, path: &Path) -> Result<Option<PermissionsFile>, String> {
        let text = match self {
            Self::Absent => return Ok(None),
            Self::Text(text) => text,
            Self::Unreadable(why) => {
                return Err(format!(
                    "{} cannot be read: {why}; nothing that it allows holds until it can be",
                    path.display()
                ));
            }
        };
        // Editors on other systems begin a file with a byte order mark.
        let parsed = PermissionsFile::parse(text.trim_start_matches('\u{feff}'));
        parsed.map(Some).map_err(|e| {
            format!(
                "{}: line {}, column {}: {}; nothing that it allows holds until it is mended",
                path.display(),
                e.line,
                e.column,
                e.reason
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use kata_perm::{Context, Decision, Role, ToolCall, Verdict};
    use serde_json::{Value, json};

    use super::*;

    struct Rig {
        folder: tempfile::TempDir,
        policies: Policies,
    }

    impl Rig {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir_all(folder.path().join("workspaces/w1")).unwrap();
            Self {
                policies: Policies::new(None, folder.path()),
                folder,
            }
        }

        fn root(&self) -> PathBuf {
            self.folder.path().join("workspaces/w1")
        }

        fn place(&self) -> Place {
            Place {
                id: "w1".into(),
                root: self.root(),
                plugins: BTreeSet::new(),
            }
        }

        fn write(&self, text: &str) -> Loaded {
            fs::write(self.root().join(FILE), text).unwrap();
            self.load()
        }

        fn load(&self) -> Loaded {
            self.policies.load(self.place(), &Registrar::new())
        }

        fn decide(&self, command: &str) -> Decision {
            self.verdict("Bash", &json!({"command": command})).decision
        }

        fn verdict(&self, tool: &str, input: &Value) -> Verdict {
            let call = ToolCall::new(tool, input.clone());
            self.policies.of("w1").decide(&call, &Context::new(Role::Owner))
        }
    }

    #[test]
    fn what_the_file_adds_holds_once_it_is_read() {
        let rig = Rig::new();
        assert_eq!(rig.load(), Loaded::InForce);
        assert_eq!(rig.decide("ls"), Decision::Deny);
        assert_eq!(rig.write(r#"{"allowedBashPatterns": ["^ls$"]}"#), Loaded::InForce);
        assert_eq!(rig.decide("ls"), Decision::Allow);
        assert_eq!(rig.load(), Loaded::Unchanged);
    }

    #[test]
    fn a_broken_file_adds_nothing_and_says_where_it_is_broken() {
        let rig = Rig::new();
        rig.write(r#"{"allowedBashPatterns": ["^ls$"]}"#);
        let Loaded::Broken(why) = rig.write("{\n  \"allowedBashPatterns\": [oops]\n}") else {
            panic!("it is broken")
        };
        assert!(why.contains("line 2, column 2"), "{why}");
        assert!(why.contains(FILE), "{why}");
        assert_eq!(rig.decide("ls"), Decision::Deny);
        assert_eq!(rig.load(), Loaded::Unchanged, "said once");
    }

    #[test]
    fn what_was_blocked_stays_blocked_when_the_file_is_broken_by_an_edit() {
        let rig = Rig::new();
        let search = || rig.verdict("WebSearch", &json!({"query": "a"})).decision;
        rig.write(r#"{"blockedTools": ["WebSearch"]}"#);
        rig.write(r#"{"blockedTools": ["WebSearch"],}"#);
        assert_eq!(search(), Decision::Deny);
        rig.write("{}");
        assert_eq!(search(), Decision::Allow);
    }

    #[test]
    fn a_pipe_of_that_name_is_reported_and_not_waited_for() {
        let rig = Rig::new();
        let path = rig.root().join(FILE);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert!(matches!(rig.load(), Loaded::Broken(why) if why.contains("no file")));
    }

    #[test]
    fn a_file_that_goes_away_takes_its_additions_along() {
        let rig = Rig::new();
        rig.write(r#"{"allowedBashPatterns": ["^ls$"]}"#);
        fs::remove_file(rig.root().join(FILE)).unwrap();
        assert_eq!(rig.load(), Loaded::InForce);
        assert_eq!(rig.decide("ls"), Decision::Deny);
    }

    #[test]
    fn an_agent_that_may_write_everywhere_may_not_write_what_governs_it() {
        let rig = Rig::new();
        rig.write(r#"{"allowedWritePaths": ["/**"]}"#);
        let rule = |path: &str| {
            let path = rig.folder.path().join(path);
            let verdict = rig.verdict("Write", &json!({"file_path": path, "content": ""}));
            verdict.rule.into_owned()
        };
        for path in [
            "workspaces/w1/daemon-permissions.json",
            "workspaces/w1/config.json",
            "workspaces/w1/channels/team/config.json",
            "workspaces/w1/sources/github/config.json",
            "workspaces/w2/daemon-permissions.json",
            "config.json",
            "daemon.json",
            "daemon.db",
            "daemon.audit",
        ] {
            assert_eq!(rule(path), "protected", "{path}");
        }
        for path in ["workspaces/w1/drafts/a.md", "sessions/daemon-team-1/a.md"] {
            assert_eq!(rule(path), "allowedWritePaths:/**", "{path}");
        }
    }
}
