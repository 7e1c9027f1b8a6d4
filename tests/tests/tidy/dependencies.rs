//! Who may use whom: the table of the house, compared with what `cargo metadata` says.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::files;

/// A crate, and those of ours that it uses. Equal, not at most: a line that no longer holds misleads as much as one
/// that is missing.
const TABLE: [(&str, &[&str]); 15] = [
    ("kata-ipc", &[]),
    ("kata-store", &[]),
    ("kata-regex", &[]),
    ("kata-perm", &["kata-regex"]),
    ("kata-schedule", &[]),
    ("kata-home", &[]),
    ("kata-channel", &["kata-regex"]),
    ("kata-session", &["kata-channel"]),
    ("kata-agent", &["kata-session", "kata-perm"]),
    ("kata-plugin", &["kata-channel", "kata-perm"]),
    ("kata-slack", &["kata-channel", "kata-plugin"]),
    ("kata-gmail", &["kata-channel", "kata-plugin"]),
    ("kata-discord", &["kata-channel", "kata-plugin"]),
    ("kata-terminal", &["kata-channel", "kata-plugin"]),
    ("kata-example", &["kata-channel", "kata-plugin"]),
];

/// The fakes: everything from outside, through katad's pipes and the platforms' protocols.
const TESTKIT: &str = "kata-testkit";

/// A library, and the crates that may name it. Tests may hold it too: a fake speaks the protocol, and a test looks
/// into a database.
const FENCES: [(&str, &[&str]); 8] = [
    ("rusqlite", &["kata-store"]),
    ("deadpool-sqlite", &["kata-store"]),
    ("slack-morphism", &["kata-slack"]),
    ("google-gmail1", &["kata-gmail"]),
    ("tokio-tungstenite", &["kata-discord", "kata-slack"]),
    ("agent-client-protocol", &["kata-agent"]),
    ("rmcp", &["kata-plugin"]),
    ("keyring", &["kata-home"]),
];

fn metadata() -> Result<Metadata> {
    let manifest = files::root().join("Cargo.toml");
    Ok(MetadataCommand::new().manifest_path(manifest).no_deps().exec()?)
}

fn uses(package: &Package, kind: DependencyKind) -> BTreeSet<&str> {
    package
        .dependencies
        .iter()
        .filter(|d| d.kind == kind)
        .map(|d| d.name.as_str())
        .collect()
}

#[test]
fn a_crate_uses_those_of_ours_that_the_table_names() -> Result<()> {
    let metadata = metadata()?;
    let members: BTreeMap<&str, &Package> = metadata
        .workspace_packages()
        .into_iter()
        .map(|p| (p.name.as_str(), p))
        .collect();
    let ours = |package: &Package, kind| -> BTreeSet<String> {
        let all = uses(package, kind).into_iter();
        all.filter(|name| members.contains_key(name))
            .map(str::to_owned)
            .collect()
    };
    let crates: BTreeSet<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    let there: BTreeSet<&str> = members
        .keys()
        .copied()
        .filter(|n| !["katad", TESTKIT].contains(n))
        .collect();
    assert_eq!(
        there, crates,
        "a crate and its line in the table come and go together"
    );
    for (name, allowed) in TABLE {
        let package = members[name];
        let allowed: BTreeSet<String> = allowed.iter().map(|&n| n.to_owned()).collect();
        assert_eq!(ours(package, DependencyKind::Normal), allowed, "{name}");
        assert!(
            ours(package, DependencyKind::Build).is_empty(),
            "{name} is built without the others"
        );
        // An adapter is tested against the fake of its platform, and nothing else looks sideways for its tests.
        let adapter = package
            .manifest_path
            .as_str()
            .replace('\\', "/")
            .contains("/adapters/");
        let for_tests = ours(package, DependencyKind::Development);
        let strange = for_tests
            .iter()
            .find(|n| !(allowed.contains(*n) || adapter && *n == TESTKIT));
        assert_eq!(strange, None, "{name} uses it in its tests");
    }
    let inside = ours(members[TESTKIT], DependencyKind::Normal);
    assert!(
        inside.is_empty(),
        "the fakes know katad from outside alone, and use {inside:?}"
    );
    Ok(())
}

#[test]
fn a_library_with_an_owner_is_named_by_its_owner_alone() -> Result<()> {
    let metadata = metadata()?;
    for (library, owners) in FENCES {
        let mut users: Vec<&str> = metadata
            .workspace_packages()
            .into_iter()
            .filter(|p| {
                let kinds = [
                    DependencyKind::Normal,
                    DependencyKind::Build,
                    DependencyKind::Development,
                ];
                let kinds = if p.name.as_str() == TESTKIT {
                    &kinds[..2]
                } else {
                    &kinds[..]
                };
                kinds.iter().any(|kind| uses(p, *kind).contains(library))
            })
            .map(|p| p.name.as_str())
            .collect();
        users.sort_unstable();
        assert_eq!(users, owners, "{library}");
    }
    Ok(())
}

#[test]
fn the_shipped_binary_has_no_failpoints() -> Result<()> {
    let metadata = metadata()?;
    for package in metadata.workspace_packages() {
        let default = package
            .features
            .get("default")
            .map(Vec::as_slice)
            .unwrap_or_default();
        assert!(
            !default.iter().any(|f| f.contains("failpoints")),
            "{}",
            package.name
        );
    }
    Ok(())
}
