//! Whoever may write everywhere may still not write what binds it.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use kata_perm::{Context, Decision, PermissionsFile, Policy, Role, Roots, ToolCall, Verdict};
use serde_json::{Value, json};

const WRITERS: [(&str, &str); 4] = [
    ("Write", "file_path"),
    ("Edit", "file_path"),
    ("MultiEdit", "file_path"),
    ("NotebookEdit", "notebook_path"),
];

/// A config directory `c` with the workspace `c/ws/w1` in it.
struct Place {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("the folder can be filled");
        fs::create_dir_all(root.join("c/ws/w1/sources")).expect("the folder can be filled");
        fs::create_dir_all(root.join("c/sessions/s1")).expect("the folder can be filled");
        Self {
            _folder: folder,
            root,
        }
    }

    fn workspace(&self) -> PathBuf {
        self.root.join("c/ws/w1")
    }

    /// The workspace's own file alone is protected.
    fn plain(&self) -> Roots {
        Roots::new(self.workspace())
    }

    /// So is what governs a daemon.
    fn daemon(&self) -> Roots {
        let config = self.root.join("c");
        let spared = [config.join("sessions"), self.workspace()];
        self.plain()
            .protecting([self.workspace().join("sources")])
            .protecting_except(config, spared)
    }

    fn path(&self, path: &str) -> String {
        self.root
            .join(path)
            .to_str()
            .expect("the folder has a plain name")
            .to_owned()
    }
}

fn policy(file: &Value, roots: &Roots) -> Policy {
    let file = PermissionsFile::parse(&file.to_string()).unwrap_or_else(|error| panic!("{error}"));
    Policy::base().with_file(&file, roots)
}

fn decide(policy: &Policy, tool: &str, input: &Value) -> Verdict {
    let context = Context::new(Role::Owner).asking();
    policy.decide(&ToolCall::new(tool, input.clone()), &context)
}

/// Files that let the tools that write write anywhere, or ask.
fn wide_open() -> [Value; 3] {
    let rule = |at: &str, tools: &[&str]| json!({ "id": at[1..], "effect": "allow", "tools": tools, "when": [{ "at": at, "path": ["/**"] }] });
    [
        json!({ "allowedWritePaths": ["/**", "**"] }),
        json!({ "rules": [rule("/file_path", &["Write", "Edit", "MultiEdit"]), rule("/notebook_path", &["NotebookEdit"])] }),
        json!({ "askTools": [".*"] }),
    ]
}

fn is_protected(place: &Place, roots: &Roots, path: &str) {
    for file in wide_open() {
        let policy = policy(&file, roots);
        for (tool, argument) in WRITERS {
            let verdict = decide(&policy, tool, &json!({ argument: path, "content": "x" }));
            assert_eq!(
                (verdict.decision, &*verdict.rule),
                (Decision::Deny, "protected"),
                "{path} under {file}"
            );
            let names_it = verdict
                .reason
                .contains(place.root.to_str().expect("the folder has a plain name"));
            assert!(names_it, "{}", verdict.reason);
        }
    }
}

fn is_open(roots: &Roots, path: &str) {
    for file in wide_open() {
        let policy = policy(&file, roots);
        for (tool, argument) in WRITERS {
            let verdict = decide(&policy, tool, &json!({ argument: path, "content": "x" }));
            assert_ne!(verdict.decision, Decision::Deny, "{path}: {}", verdict.reason);
        }
    }
}

#[test]
fn the_file_that_binds_the_agent_is_never_written() {
    let place = Place::new();
    symlink("w1", place.root.join("c/ws/alias")).unwrap();
    for path in [
        "daemon-permissions.json",
        "./x/.././daemon-permissions.json",
        "Daemon-Permissions.JSON",
        "daemon-permi\u{17f}\u{17f}ions.json",
        "\u{ff44}aemon-permissions.json",
        &place.path("c/ws/w1/daemon-permissions.json"),
        &place.path("c/ws/alias/daemon-permissions.json"),
    ] {
        fs::create_dir_all(place.workspace().join("x")).unwrap();
        is_protected(&place, &place.plain(), path);
    }
    for path in [
        "daemon-permissions.json.bak",
        "x/daemon-permissions.json",
        "sources/a",
        "../../daemon.json",
    ] {
        is_open(&place.plain(), path);
    }
}

#[test]
fn neither_is_the_file_that_a_link_of_that_name_leads_to() {
    let place = Place::new();
    // The policy was made before the link was.
    let roots = place.plain();
    fs::write(place.root.join("elsewhere.json"), "{}").unwrap();
    symlink(
        place.root.join("elsewhere.json"),
        place.workspace().join("daemon-permissions.json"),
    )
    .unwrap();
    is_protected(&place, &roots, "daemon-permissions.json");
    is_protected(&place, &roots, &place.path("elsewhere.json"));
    is_open(&roots, &place.path("elsewhere.json2"));
}

#[test]
fn what_governs_a_daemon_is_protected_but_for_what_is_spared() {
    let place = Place::new();
    for path in [
        "c/daemon.json",
        "c/daemon.db-wal",
        "c/new/x",
        "c/ws/w2/drafts/x",
        "c/ws/w1/sources/x",
        "c/ws/w1/SOURCES/x",
        "c/ws/w1/daemon-permissions.json",
        "c/sessions",
    ] {
        is_protected(&place, &place.daemon(), &place.path(path));
    }
    for path in ["c/ws/w1/drafts/x", "c/sessions/s1/x", "elsewhere/x"] {
        is_open(&place.daemon(), &place.path(path));
    }
}

#[test]
fn a_workspace_that_the_config_directory_lies_in_does_not_open_it() {
    let place = Place::new();
    let config = place.root.join("c");
    let roots = Roots::new(&place.root).protecting_except(&config, [&place.root, &config]);
    is_protected(&place, &roots, "c/daemon.json");
    is_open(&roots, "notes/x");
}

#[test]
fn nobody_is_asked_about_a_path_that_leads_nobody_knows_where() {
    let place = Place::new();
    let policy = policy(&json!({ "askTools": ["Write"] }), &place.daemon());
    for path in ["~/c/daemon.json", "sources\\x", "gone/../daemon-permissions.json"] {
        let verdict = decide(&policy, "Write", &json!({ "file_path": path }));
        assert_eq!(verdict.decision, Decision::Deny, "{path}");
        assert!(verdict.reason.contains("not certain"), "{}", verdict.reason);
    }
}

#[test]
fn a_rule_that_goes_by_path_opens_it_to_no_other_tool_either() {
    let place = Place::new();
    let rule = json!({ "id": "move", "effect": "allow", "tools": ["Move", "mcp__fs__write"], "when": [{ "at": "/to", "path": ["/**"] }] });
    let policy = policy(&json!({ "rules": [rule] }), &place.daemon());
    for tool in ["Move", "mcp__fs__write"] {
        let to = |path: &str| decide(&policy, tool, &json!({ "to": place.path(path) })).decision;
        assert_eq!(to("c/ws/w1/x"), Decision::Allow);
        assert_eq!(to("c/ws/w1/daemon-permissions.json"), Decision::Deny);
        assert_eq!(to("c/daemon.json"), Decision::Deny);
    }
}

#[test]
fn a_protected_place_that_cannot_be_named_denies_every_path() {
    let place = Place::new();
    symlink("loop", place.root.join("loop")).unwrap();
    let roots = place.plain().protecting([place.root.join("loop")]);
    is_protected(&place, &roots, "drafts/x");
}

#[test]
fn reading_it_is_no_matter() {
    let place = Place::new();
    let policy = policy(&wide_open()[0], &place.daemon());
    let verdict = decide(
        &policy,
        "Read",
        &json!({ "file_path": "daemon-permissions.json" }),
    );
    assert_eq!(&*verdict.rule, "base:Read");
}
