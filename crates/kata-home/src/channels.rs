//! The channels of a workspace.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use crate::{HomeError, folders, write};

/// The config of a channel, as it stands in its folder.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelFile {
    /// The channel's name: that of its folder, whatever the config says.
    pub slug: String,
    /// Where the config stands.
    pub file: PathBuf,
    /// What stands in it, with this `slug`. What it means is for whoever runs the channel.
    pub config: Map<String, Value>,
}

/// The channels in `<root>/channels/*/config.json`, by name; those that are switched off too.
///
/// # Errors
/// The folder cannot be listed. A config that cannot be used is an error in its place: the others go on.
pub fn channels(root: &Path) -> Result<Vec<Result<ChannelFile, HomeError>>, HomeError> {
    let parent = root.join("channels");
    let configs = folders::configs::<Map<String, Value>>(&parent)?.into_iter();
    let channels = configs.map(|(slug, config)| {
        let mut config = config?;
        config.insert("slug".to_owned(), slug.clone().into());
        let file = folders::file(&parent, &slug);
        Ok(ChannelFile { slug, file, config })
    });
    Ok(channels.collect())
}

/// A channel cannot be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The name is none for a folder of the app.
    #[error(
        "{slug:?} is no name for a channel: take letters, digits, '-' and '_', beginning with a letter or digit"
    )]
    BadName {
        /// The name.
        slug: String,
    },
    /// There is one of that name.
    #[error("{} is there already; edit that, or take another name", file.display())]
    Exists {
        /// Its config.
        file: PathBuf,
    },
    /// The config cannot be written.
    #[error("{} cannot be written", file.display())]
    Unwritable {
        /// Where it would be.
        file: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Writes the config of a new channel, for its owner alone: whole, or not at all. One that is there is never written over.
///
/// # Errors
/// As [`AddError`].
pub fn add_channel(root: &Path, slug: &str, config: &Map<String, Value>) -> Result<PathBuf, AddError> {
    if !folders::is_name(slug) {
        let slug = slug.to_owned();
        return Err(AddError::BadName { slug });
    }
    let file = folders::file(&root.join("channels"), slug);
    let text = format!("{:#}\n", Value::Object(config.clone()));
    match write::create(&file, text.as_bytes()) {
        Ok(()) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(AddError::Exists { file }),
        Err(source) => Err(AddError::Unwritable { file, source }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn channels_are_folders_with_a_config() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(channels(root.path()).unwrap().len(), 0);
        let channel = |name: &str, config: &str| {
            let folder = root.path().join("channels").join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("config.json"), config).unwrap();
        };
        channel(
            "work",
            r#"{ "slug": "other", "adapter": "slack", "enabled": true }"#,
        );
        channel("Broken_1", r#"{ "adapter": "slack", }"#);
        channel("list", "[]");
        for name in ["_x", "-x", ".x", "a b", "a.b", "\u{e4}", "a\u{200b}"] {
            channel(name, "{}");
        }
        fs::create_dir(root.path().join("channels/empty")).unwrap();
        fs::write(root.path().join("channels/file"), "{}").unwrap();

        let found = channels(root.path()).unwrap();
        let [broken, list, work] = &found[..] else {
            panic!("{found:?}")
        };
        assert!(
            matches!(broken, Err(HomeError::Malformed { file, line: 1, column: 23, .. })
            if file.ends_with("channels/Broken_1/config.json")),
            "{broken:?}"
        );
        assert!(matches!(list, Err(HomeError::Malformed { .. })));
        let work = work.as_ref().unwrap();
        assert_eq!(work.slug, "work");
        assert_eq!(work.file, root.path().join("channels/work/config.json"));
        assert_eq!(
            json!(work.config),
            json!({ "slug": "work", "adapter": "slack", "enabled": true })
        );
    }

    #[test]
    fn a_channel_is_added_once_and_read_as_it_was_written() {
        let root = tempfile::tempdir().unwrap();
        let config = json!({ "slug": "team", "adapter": "slack", "enabled": true });
        let config = config.as_object().unwrap();
        let file = add_channel(root.path(), "team", config).unwrap();
        let read = channels(root.path()).unwrap();
        let [Ok(channel)] = &read[..] else {
            panic!("{read:?}")
        };
        assert_eq!((&channel.file, &channel.config), (&file, config));

        fs::write(&file, "// mine").unwrap();
        let again = add_channel(root.path(), "team", config).unwrap_err();
        assert!(matches!(again, AddError::Exists { .. }), "{again}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "// mine");
        for name in ["", "../x", "a b", ".x"] {
            let refused = add_channel(root.path(), name, config).unwrap_err();
            assert!(matches!(refused, AddError::BadName { .. }), "{refused}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_listed_is_not_an_empty_one() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("channels"), "").unwrap();
        assert!(matches!(channels(root.path()), Err(HomeError::Unreadable { .. })));
    }
}
