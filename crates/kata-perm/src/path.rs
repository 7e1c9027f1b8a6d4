//! Where a path leads, and globs over such places.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Component, Path, PathBuf},
};

use globset::{GlobBuilder, GlobMatcher};

use crate::{
    protected::{FILE, Protected},
    stance::{Stance, Truth},
    text::{LONGEST, folded, hidden},
    written::FromText,
};

/// The folders that globs and relative paths begin at, and the places that no glob opens to a tool that writes: first of all
/// the workspace's `daemon-permissions.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    workspace: PathBuf,
    home: Option<PathBuf>,
    protected: Vec<Protected>,
}

/// A path leads nowhere that could be named with certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uncertain;

/// As many symbolic links as Linux follows.
const LINKS: usize = 40;

// === impl Roots ===

impl Roots {
    /// Globs and paths that are not absolute begin at `workspace`, which is absolute itself.
    #[must_use]
    pub fn new(workspace: impl Into<PathBuf>) -> Self {
        let workspace = workspace.into();
        Self {
            // Else a workspace that may be written to could write what binds it.
            protected: vec![Protected::new(workspace.join(FILE), Vec::new())],
            workspace,
            home: None,
        }
    }

    /// Globs may begin with `~/`. Without it such a glob allows nothing, and denies every path.
    #[must_use]
    pub fn with_home(self, home: impl Into<PathBuf>) -> Self {
        Self {
            home: Some(home.into()),
            ..self
        }
    }

    /// Protects more files, and folders with all in them; each absolute. No tool that writes is allowed there, or asked about.
    /// One that leads nowhere that could be named, as a loop of links, denies every path.
    #[must_use]
    pub fn protecting<P: Into<PathBuf>>(mut self, places: impl IntoIterator<Item = P>) -> Self {
        let places = places.into_iter();
        self.protected
            .extend(places.map(|place| Protected::new(place.into(), Vec::new())));
        self
    }

    /// Protects a folder but for what lies below some of the folders in it. Those that do not lie in it spare nothing, and what
    /// is protected by itself stays so.
    #[must_use]
    pub fn protecting_except<P: Into<PathBuf>>(
        mut self,
        folder: impl Into<PathBuf>,
        spared: impl IntoIterator<Item = P>,
    ) -> Self {
        let spared = spared.into_iter().map(Into::into).collect();
        self.protected.push(Protected::new(folder.into(), spared));
        self
    }

    pub(crate) fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// Whether a place that [`resolve`] named is protected.
    pub(crate) fn protects(&self, real: &str) -> Truth {
        Truth::any(self.protected.iter().map(|protected| protected.covers(real)))
    }
}

/// Where `path` leads once every symbolic link and `..` is followed, whether or not something is there yet.
///
/// A program may take `..` out of the text before it opens the file, or may leave it to the system; behind a symbolic link
/// these are two places. Where they differ the path is uncertain.
pub(crate) fn resolve(path: &str, directory: &Path) -> Result<String, Uncertain> {
    let refused = path.is_empty()
        || path.len() > LONGEST
        || path.starts_with('~')
        || path.contains('\\')
        || path.chars().any(hidden);
    if refused {
        return Err(Uncertain);
    }
    let path = directory.join(path);
    let real = follow(&path)?;
    if path.components().any(|part| part == Component::ParentDir) && follow(&without_dots(&path))? != real {
        return Err(Uncertain);
    }
    named(real)
}

/// Where a path of our own leads.
pub(crate) fn leads(path: &Path) -> Result<String, Uncertain> {
    follow(path).and_then(named)
}

fn named(real: PathBuf) -> Result<String, Uncertain> {
    real.into_os_string().into_string().map_err(|_| Uncertain)
}

/// Goes along the path as the system does.
fn follow(path: &Path) -> Result<PathBuf, Uncertain> {
    if !path.is_absolute() {
        return Err(Uncertain);
    }
    let mut ahead: VecDeque<PathBuf> = parts(path).collect();
    let mut real = PathBuf::new();
    let mut links = 0;
    // From here on nothing is there.
    let mut is_new = false;
    while let Some(part) = ahead.pop_front() {
        match part.components().next() {
            Some(Component::Prefix(_) | Component::RootDir) => real.push(&part),
            Some(Component::ParentDir) if is_new => return Err(Uncertain),
            Some(Component::ParentDir) => drop(real.pop()),
            Some(Component::Normal(_)) if is_new => real.push(&part),
            Some(Component::Normal(_)) => {
                real.push(&part);
                let Some(target) = link(&real, &mut is_new)? else {
                    continue;
                };
                // These lead elsewhere for each process: the tool that opens the path is not this one.
                if real.starts_with("/proc") {
                    return Err(Uncertain);
                }
                links += 1;
                if links > LINKS {
                    return Err(Uncertain);
                }
                real.pop();
                if target.is_absolute() {
                    real.clear();
                }
                parts(&target).rev().for_each(|part| ahead.push_front(part));
            }
            Some(Component::CurDir) | None => {}
        }
    }
    Ok(real)
}

fn parts(path: &Path) -> impl DoubleEndedIterator<Item = PathBuf> {
    path.components().map(|part| PathBuf::from(part.as_os_str()))
}

/// Where the symbolic link at `path` leads; none if it is something else.
fn link(path: &Path, is_new: &mut bool) -> Result<Option<PathBuf>, Uncertain> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => fs::read_link(path).map(Some).map_err(|_| Uncertain),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            *is_new = true;
            Ok(None)
        }
        Err(_) => Err(Uncertain),
    }
}

/// Takes `..` out of the text, as programs do that do not ask the system.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Where a glob begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Root,
    Home,
    Workspace,
}

/// A glob over paths: folders that are named, then the part with wild cards.
#[derive(Clone, Debug)]
pub(crate) struct PathGlob {
    start: Start,
    folders: String,
    exact: GlobMatcher,
    folded: GlobMatcher,
}

/// A glob whose folders were followed to where they lead.
#[derive(Clone, Debug)]
pub(crate) struct RootedGlob {
    /// None where the folders lead nowhere that could be named.
    folder: Option<String>,
    exact: GlobMatcher,
    folded: GlobMatcher,
}

// === impl PathGlob ===

impl PathGlob {
    /// Follows the folders that the glob names. Once, when the policy is made: a link that is changed later leads out.
    pub(crate) fn rooted(&self, roots: &Roots) -> RootedGlob {
        let start = match self.start {
            Start::Root => Some(Path::new("/")),
            Start::Home => roots.home.as_deref(),
            Start::Workspace => Some(roots.workspace()),
        };
        RootedGlob {
            folder: start.and_then(|start| leads(&start.join(&self.folders)).ok()),
            exact: self.exact.clone(),
            folded: self.folded.clone(),
        }
    }
}

impl FromText for PathGlob {
    const SCHEMA: &'static str = "A glob over paths with symbolic links and `..` followed; from the workspace's folder, or from `/` or `~/`. `*` stays within a folder, `**` does not.";

    fn from_text(text: &str) -> Result<Self, String> {
        let refuse = |reason: &str| format!("the glob `{text}` cannot be used: {reason}");
        if text.contains('\\') || text.chars().any(hidden) {
            return Err(refuse("it has a backslash or characters that cannot be seen"));
        }
        let (start, rest) = match (text.strip_prefix('/'), text.strip_prefix("~/")) {
            (Some(rest), _) => (Start::Root, rest),
            (_, Some(rest)) => (Start::Home, rest),
            _ if text.starts_with('~') => return Err(refuse("another's home is not known")),
            _ => (Start::Workspace, text),
        };
        if rest.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(refuse("it has an empty part, `.` or `..`"));
        }
        // The last part is never followed: it is what the glob is about.
        let (named, _) = rest.split_at(rest.find(['*', '?', '[', ']', '{', '}']).unwrap_or(rest.len()));
        let (folders, wild) = named
            .rfind('/')
            .map_or(("", rest), |at| (&rest[..at], &rest[at + 1..]));
        Ok(Self {
            start,
            folders: folders.to_owned(),
            exact: matcher(wild).map_err(|error| refuse(&error))?,
            folded: matcher(&folded(wild)).map_err(|error| refuse(&error))?,
        })
    }
}

/// Compiles a glob whose `*` stays between separators.
pub(crate) fn matcher(glob: &str) -> Result<GlobMatcher, String> {
    // A class that is negated or a range would take a separator as well, and so leave the folder.
    if glob.contains("[!") || glob.contains("[^") || has_wide_range(glob) {
        return Err("a class of characters in it is negated, or could hold `/`".to_owned());
    }
    let built = GlobBuilder::new(glob)
        .literal_separator(true)
        .backslash_escape(false)
        .build();
    built
        .map(|glob| glob.compile_matcher())
        .map_err(|error| error.kind().to_string())
}

fn has_wide_range(glob: &str) -> bool {
    let signs: Vec<char> = glob.chars().collect();
    let holds_separator = |range: &[char]| range[1] == '-' && (range[0]..=range[2]).contains(&'/');
    glob.contains('[') && signs.windows(3).any(holds_separator)
}

// === impl RootedGlob ===

impl RootedGlob {
    /// Whether a place that [`resolve`] named is in the glob.
    pub(crate) fn is_match(&self, real: &str, stance: Stance) -> Truth {
        let Some(folder) = &self.folder else {
            return Truth::Unknown;
        };
        match stance {
            Stance::Grants => Truth::from(below(folder, real).is_some_and(|rest| self.exact.is_match(rest))),
            // The file system may not tell names apart that differ in case or Unicode form.
            Stance::Restricts => {
                let (folder, real) = (folded(folder), folded(real));
                // A search of a folder searches what is in it: the folder holds what is held back.
                let holds = folder == real || below(&real, &folder).is_some();
                Truth::from(holds || below(&folder, &real).is_some_and(|rest| self.folded.is_match(rest)))
            }
        }
    }
}

/// The part of `path` below `folder`.
pub(crate) fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(folder)?;
    if folder.ends_with('/') {
        Some(rest)
    } else {
        rest.strip_prefix('/')
    }
}

#[cfg(test)]
mod tests;
