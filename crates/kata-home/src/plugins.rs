//! Which plugins a workspace has.

use std::path::Path;

use serde::Deserialize;

use crate::{HomeError, json};

/// The part of a workspace's own `config.json` that is looked at.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    defaults: Option<Defaults>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Defaults {
    #[serde(default)]
    enabled_plugins: Option<Vec<String>>,
}

/// The ids of the plugins that are enabled in a workspace: `defaults.enabledPlugins` of `<root>/config.json`. None where the
/// workspace does not say: then all are.
///
/// # Errors
/// The file is there and cannot be used.
pub fn enabled_plugins(root: &Path) -> Result<Option<Vec<String>>, HomeError> {
    let config = json::read::<Config>(&root.join("config.json"))?;
    Ok(config
        .and_then(|config| config.defaults)
        .and_then(|defaults| defaults.enabled_plugins))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_workspace_says_which_plugins_it_has_or_has_all() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(enabled_plugins(root.path()).unwrap(), None);
        for (config, plugins) in [
            ("{}", None),
            (r#"{ "defaults": { "model": "x" } }"#, None),
            (r#"{ "defaults": null }"#, None),
            (r#"{ "defaults": { "enabledPlugins": null } }"#, None),
            (r#"{ "defaults": { "enabledPlugins": [] } }"#, Some(vec![])),
            (
                r#"{ "id": "other", "defaults": { "enabledPlugins": ["kata-slack"] } }"#,
                Some(vec!["kata-slack".to_owned()]),
            ),
        ] {
            fs::write(root.path().join("config.json"), config).unwrap();
            assert_eq!(enabled_plugins(root.path()).unwrap(), plugins, "{config}");
        }
        fs::write(
            root.path().join("config.json"),
            r#"{ "defaults": { "enabledPlugins": "kata-slack" } }"#,
        )
        .unwrap();
        assert!(matches!(
            enabled_plugins(root.path()),
            Err(HomeError::Malformed { .. })
        ));
    }
}
