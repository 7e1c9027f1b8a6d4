//! The workspaces of the app, and the folder of each.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use serde::Deserialize;
use serde_json::json;

use crate::{HomeError, json, write};

/// What the app knows about a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its id in `config.json`. The workspace's own `config.json` has another one, which nobody asks for.
    pub id: String,
    /// What people call it; empty where the app says nothing.
    pub name: String,
    /// Its folder, absolute if the config directory is. Whether it is there was not looked at.
    pub root: PathBuf,
}

/// The workspaces that `<config dir>/config.json` lists.
#[derive(Clone, Debug)]
pub struct Workspaces {
    listed: Vec<Workspace>,
    config_dir: PathBuf,
}

/// The parts of `config.json` that are looked at.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    workspaces: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    #[serde(default)]
    name: Option<String>,
    root_path: String,
}

// === impl Workspaces ===

impl Workspaces {
    /// Reads the list. A file that is not there lists none.
    ///
    /// Paths may begin with `~` or hold `$HOME`; `home` is what stands there.
    ///
    /// # Errors
    /// The file is there and cannot be used: nothing of it counts then.
    pub fn read(config_dir: &Path, home: Option<&Path>) -> Result<Self, HomeError> {
        let file = config_dir.join("config.json");
        let entries = json::read::<Config>(&file)?.and_then(|config| config.workspaces);
        let mut listed: Vec<Workspace> = Vec::new();
        for Entry { id, name, root_path } in entries.unwrap_or_default() {
            // The app takes the first of two with one id.
            if listed.iter().any(|known| known.id == id) {
                continue;
            }
            let Some(path) = expanded(&root_path, home) else {
                let workspace = id;
                return Err(HomeError::NoHome { file, workspace });
            };
            listed.push(Workspace {
                id,
                name: name.unwrap_or_default(),
                // A path that is not absolute began wherever the app was started, which nobody knows any more.
                root: config_dir.join(path),
            });
        }
        Ok(Self {
            listed,
            config_dir: config_dir.to_owned(),
        })
    }

    /// The folder of a workspace: where the list says, else `<config dir>/workspaces/<id>`. Never a folder beside that.
    #[must_use]
    pub fn root(&self, id: &str) -> PathBuf {
        match self.listed.iter().find(|workspace| workspace.id == id) {
            Some(workspace) => workspace.root.clone(),
            None => self.config_dir.join("workspaces").join(folder_name(id)),
        }
    }

    /// All that are listed, in the order of the list.
    #[must_use]
    pub fn all(&self) -> &[Workspace] {
        &self.listed
    }
}

/// The list of workspaces cannot be begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspacesError {
    /// There is one.
    #[error("{} is there already", file.display())]
    Exists {
        /// Which.
        file: PathBuf,
    },
    /// It cannot be written.
    #[error("{} cannot be written", file.display())]
    Unwritable {
        /// Which.
        file: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Begins `<config dir>/config.json` with one workspace, where there is none: for machines without the app. One that is there is
/// never written over. The workspace's folder is made as well.
///
/// # Errors
/// As [`WorkspacesError`].
pub fn begin_list(config_dir: &Path, id: &str, created_ms: i64) -> Result<PathBuf, WorkspacesError> {
    let file = config_dir.join("config.json");
    if file.exists() {
        return Err(WorkspacesError::Exists { file });
    }
    let root = config_dir.join("workspaces").join(folder_name(id));
    let list = json!({ "workspaces": [{ "id": id, "name": id, "rootPath": root, "createdAt": created_ms }] });
    let text = format!("{list:#}\n");
    let written = write::create_folder(&root).and_then(|()| write::create(&file, text.as_bytes()));
    match written {
        Ok(()) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(WorkspacesError::Exists { file }),
        Err(source) => Err(WorkspacesError::Unwritable { file, source }),
    }
}

/// The path with the home directory in it, as the app expands it: `~` at the start, `${HOME}` anywhere, `$HOME` before a
/// separator or at the end. None where that is needed and not known.
fn expanded(path: &str, home: Option<&Path>) -> Option<PathBuf> {
    let begins = path == "~" || path.starts_with("~/");
    if !begins && !path.contains("${HOME}") && !path.contains("$HOME") {
        return Some(PathBuf::from(path));
    }
    let home = home?.to_str()?;
    let path = match path.strip_prefix('~').filter(|_| begins) {
        Some(rest) => format!("{home}{rest}"),
        None => path.to_owned(),
    };
    let path = path.replace("${HOME}", home);
    let mut pieces = path.split("$HOME");
    let mut expanded = pieces.next().unwrap_or_default().to_owned();
    for rest in pieces {
        // `$HOMER` is another variable.
        let is_whole = rest.is_empty() || rest.starts_with(['/', '\\']);
        expanded.push_str(if is_whole { home } else { "$HOME" });
        expanded.push_str(rest);
    }
    Some(PathBuf::from(expanded))
}

/// An id as the name of one folder: an id that is a path leads nowhere else.
fn folder_name(id: &str) -> String {
    let mut parts = Path::new(id).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) if name == id => id.to_owned(),
        _ => id
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .chain(id.is_empty().then_some('_'))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(json: &str) -> Result<Workspaces, HomeError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), json).unwrap();
        let mut read = Workspaces::read(folder.path(), Some(Path::new("/people/ada")))?;
        // So that what is expected can be written down.
        read.config_dir = PathBuf::from("/config");
        Ok(read)
    }

    #[test]
    fn a_list_is_begun_once_and_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = begin_list(folder.path(), "main", 1).unwrap();
        let list = Workspaces::read(folder.path(), None).unwrap();
        let [main] = list.all() else { panic!("{list:?}") };
        assert_eq!((&*main.id, &*main.name), ("main", "main"));
        assert!(main.root.is_dir() && main.root.starts_with(folder.path()));
        fs::write(&file, "{}").unwrap();
        let again = begin_list(folder.path(), "main", 1);
        assert!(matches!(again, Err(WorkspacesError::Exists { .. })));
        assert_eq!(fs::read_to_string(&file).unwrap(), "{}");
    }

    #[test]
    fn a_listed_workspace_lies_where_the_list_says() {
        for (path, root) in [
            ("/srv/notes", "/srv/notes"),
            ("~", "/people/ada"),
            ("~/notes", "/people/ada/notes"),
            ("${HOME}/notes", "/people/ada/notes"),
            ("$HOME/notes", "/people/ada/notes"),
            ("$HOME", "/people/ada"),
            ("/srv/${HOME}", "/srv//people/ada"),
            ("/srv/$HOMER/$HOME", "/srv/$HOMER//people/ada"),
            ("/srv/~/x", "/srv/~/x"),
            ("/srv/~ada", "/srv/~ada"),
        ] {
            let json = serde_json::json!({ "workspaces": [{ "id": "a", "rootPath": path }] });
            let read = read(&json.to_string()).unwrap();
            assert_eq!(read.root("a"), Path::new(root), "{path}");
        }
    }

    #[test]
    fn a_workspace_that_is_not_listed_lies_in_the_config_directory() {
        let read = read(r#"{ "theme": "dark" }"#).unwrap();
        assert_eq!(read.root("8f2c-1"), Path::new("/config/workspaces/8f2c-1"));
        assert_eq!(read.root("my notes"), Path::new("/config/workspaces/my notes"));
    }

    #[test]
    fn an_id_that_is_a_path_leads_nowhere_else() {
        let read = read("{}").unwrap();
        for id in ["", ".", "..", "../x", "/etc", "a/b", "a/../..", "a/", "./a"] {
            let root = read.root(id);
            assert_eq!(root.parent(), Some(Path::new("/config/workspaces")), "{id:?}");
            assert!(matches!(
                root.components().next_back(),
                Some(Component::Normal(_))
            ));
        }
    }

    #[test]
    fn the_first_of_two_with_one_id_counts() {
        let read = read(
            r#"{ "workspaces": [
                { "id": "a", "name": "One", "rootPath": "/one", "createdAt": 1 },
                { "id": "a", "name": "Two", "rootPath": "/two" },
                { "id": "b", "name": null, "rootPath": "/b" }
            ] }"#,
        )
        .unwrap();
        let all: Vec<_> = read.all().iter().map(|w| (&*w.id, &*w.name, &*w.root)).collect();
        assert_eq!(all, [("a", "One", Path::new("/one")), ("b", "", Path::new("/b"))]);
    }

    #[test]
    fn without_a_list_there_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let read = Workspaces::read(folder.path(), None).unwrap();
        assert!(read.all().is_empty());
        assert_eq!(read.root("a"), folder.path().join("workspaces/a"));
        for json in ["{}", r#"{ "workspaces": null }"#, r#"{ "workspaces": [] }"#] {
            fs::write(folder.path().join("config.json"), json).unwrap();
            assert!(Workspaces::read(folder.path(), None).unwrap().all().is_empty());
        }
    }

    #[test]
    fn a_list_that_is_broken_says_where_and_nothing_of_what_it_holds() {
        for (json, line, column, reason) in [
            ("", 1, 0, "EOF while parsing a value"),
            ("{\n  \"workspaces\": [,]\n}", 2, 18, "expected value"),
            (
                "{\n  \"workspaces\": [{ \"id\": \"a\" }]\n}",
                2,
                30,
                "missing field `rootPath`",
            ),
            ("{ \"workspaces\": \"xoxb-1\" }", 1, 24, "expected a sequence"),
            ("7", 1, 1, "expected struct Config"),
        ] {
            let error = read(json).expect_err(json);
            let HomeError::Malformed {
                line: l,
                column: c,
                reason: r,
                ..
            } = &error
            else {
                panic!("{error}");
            };
            assert_eq!((*l, *c, &**r), (line, column, reason), "{json}");
            let said = error.to_string();
            assert!(
                said.contains("config.json, line ") && !said.contains("xoxb"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_home_that_is_not_known_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let json = r#"{ "workspaces": [{ "id": "a", "rootPath": "~/notes" }] }"#;
        fs::write(folder.path().join("config.json"), json).unwrap();
        let error = Workspaces::read(folder.path(), None).unwrap_err();
        assert!(matches!(error, HomeError::NoHome { ref workspace, .. } if workspace == "a"));
    }

    #[test]
    fn a_list_that_cannot_be_read_is_no_empty_list() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("config.json")).unwrap();
        let error = Workspaces::read(folder.path(), None).unwrap_err();
        assert!(matches!(error, HomeError::Unreadable { .. }), "{error}");
        fs::remove_dir(folder.path().join("config.json")).unwrap();
        fs::write(folder.path().join("config.json"), " ".repeat(5 << 20)).unwrap();
        let error = Workspaces::read(folder.path(), None).unwrap_err();
        assert!(matches!(error, HomeError::TooLarge { .. }), "{error}");
    }
}
