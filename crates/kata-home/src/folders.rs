//! Folders of which each holds a `config.json`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use crate::{HomeError, json};

/// By the name of the folder.
type Configs<T> = Vec<(String, Result<T, HomeError>)>;

/// What stands in the `config.json` of each folder in `parent`, by the folder's name. Folders that have none are left out, and
/// so are those with a name that the app would not give: `^[a-zA-Z0-9][a-zA-Z0-9_-]*$`.
///
/// A file that cannot be used keeps no other from being read.
pub(crate) fn configs<T: DeserializeOwned>(parent: &Path) -> Result<Configs<T>, HomeError> {
    let names = names(parent)?.into_iter();
    let configs = names.filter_map(|name| {
        let config = json::read(&file(parent, &name)).transpose()?;
        Some((name, config))
    });
    Ok(configs.collect())
}

/// Where the config of a folder is.
pub(crate) fn file(parent: &Path, name: &str) -> PathBuf {
    parent.join(name).join("config.json")
}

/// In order, so that two runs read alike.
fn names(parent: &Path) -> Result<Vec<String>, HomeError> {
    let unreadable = |source: io::Error| HomeError::Unreadable {
        file: parent.to_owned(),
        source,
    };
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        // A link to a folder is a folder here.
        if let Ok(name) = entry.file_name().into_string()
            && is_name(&name)
            && entry.path().is_dir()
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The app's own rule for the names of channels and sources.
pub(crate) fn is_name(name: &str) -> bool {
    let is_more = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.bytes().all(is_more)
}
