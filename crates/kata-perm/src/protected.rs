//! What governs whoever decides: no permission by path leads a tool there to write.

use std::path::{Path, PathBuf};

use crate::{
    path::{below, leads},
    stance::Truth,
    text::folded,
};

/// The file that binds the agent, in the workspace's folder.
pub(crate) const FILE: &str = "daemon-permissions.json";

/// A file, or a folder with all in it but what lies below the folders that are spared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Protected {
    place: PathBuf,
    spared: Vec<PathBuf>,
}

// === impl Protected ===

impl Protected {
    pub(crate) fn new(place: PathBuf, spared: Vec<PathBuf>) -> Self {
        Self { place, spared }
    }

    /// Whether a place that [`resolve`](crate::path::resolve) named is of it. The links on the way are followed now, and not
    /// when the policy was made: a file that became a link since would be open where it leads.
    pub(crate) fn covers(&self, real: &str) -> Truth {
        let Ok(place) = leads(&self.place) else {
            return Truth::Unknown;
        };
        // The file system may not tell names apart that differ in case or Unicode form.
        let (like, asked) = (folded(&place), folded(real));
        if like != asked && below(&like, &asked).is_none() {
            return Truth::No;
        }
        Truth::from(!self.spared.iter().any(|folder| is_spared(folder, &place, real)))
    }
}

/// Exact, as everything that allows; and only where the folder lies in the protected one: a workspace in which the config
/// directory lies does not open it.
fn is_spared(folder: &Path, place: &str, real: &str) -> bool {
    leads(folder).is_ok_and(|folder| below(place, &folder).is_some() && below(&folder, real).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(real: &str) -> Truth {
        let spared = [
            "/none/c/sessions",
            "/none/c/workspaces/w1",
            "/none",
            "/none/c",
            "x",
        ];
        Protected::new("/none/c".into(), spared.map(PathBuf::from).into()).covers(real)
    }

    #[test]
    fn a_folder_is_covered_but_for_what_lies_below_the_spared_ones() {
        for (real, expect) in [
            ("/none/c", Truth::Yes),
            ("/none/c/daemon.json", Truth::Yes),
            ("/none/c/workspaces/w2/a", Truth::Yes),
            ("/none/c/workspaces/w1", Truth::Yes),
            ("/none/c/sessions", Truth::Yes),
            ("/none/c/sessions/daemon-1/a", Truth::No),
            ("/none/c/workspaces/w1/a", Truth::No),
            ("/none/c/workspaces/w11/a", Truth::Yes),
            ("/none/config", Truth::No),
            ("/none/x", Truth::No),
        ] {
            assert_eq!(covers(real), expect, "{real}");
        }
    }

    #[test]
    fn look_alikes_are_covered_and_are_not_spared() {
        for real in ["/NONE/c/daemon.json", "/none/\u{ff43}/x", "/none/c/Sessions/a"] {
            assert_eq!(covers(real), Truth::Yes, "{real}");
        }
    }

    #[test]
    fn a_place_that_cannot_be_named_may_be_anywhere() {
        let protected = Protected::new("relative".into(), Vec::new());
        assert_eq!(protected.covers("/none/x"), Truth::Unknown);
    }
}
