// Links and modes are those of a Unix.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    sync::Arc,
};

use agent_client_protocol::v1::schema::SessionId;
use kata_perm::Role;
use tempfile::TempDir;

use super::*;
use crate::{
    Turn,
    acp::{limits::Fuse, tests::authority::Judge},
};

struct Workspace {
    home: TempDir,
    judge: Arc<Judge>,
    open: OpenTurn,
}

impl Workspace {
    fn new(judge: Judge) -> Self {
        let home = TempDir::new().unwrap();
        for folder in ["session", "root", "outside"] {
            fs::create_dir(home.path().join(folder)).unwrap();
        }
        fs::write(home.path().join("outside/secret"), "secret").unwrap();
        let judge = Arc::new(judge);
        let turn = Turn {
            authority: Arc::clone(&judge) as _,
            ..Turn::new(1, "ws_1", "work", "daemon-work-1", Role::Member)
        };
        let open = OpenTurn::new(
            turn,
            SessionId::new("s"),
            &home.path().join("session"),
            ["session", "root"]
                .map(|root| home.path().canonicalize().unwrap().join(root))
                .into(),
            None,
            Arc::new(Fuse::default()),
        );
        Self { home, judge, open }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    async fn read(&self, path: &str) -> Result<String, Unfit> {
        read(&self.open, ReadTextFileRequest::new("s", self.path(path))).await
    }

    async fn write(&self, path: &str, content: &str) -> Result<(), Unfit> {
        write(
            &self.open,
            WriteTextFileRequest::new("s", self.path(path), content),
        )
        .await
    }
}

#[tokio::test]
async fn a_file_is_read_and_written_below_the_session_and_the_roots() {
    let ws = Workspace::new(Judge::yes());
    for path in ["session/a", "root/a"] {
        ws.write(path, "one\ntwo\n").await.unwrap();
        assert_eq!(ws.read(path).await.unwrap(), "one\ntwo\n");
    }
    let root = ws.path("root").canonicalize().unwrap();
    let last = ws.judge.calls().pop().unwrap();
    assert_eq!(
        (last.tool.as_str(), &last.input),
        ("Read", &json!({"file_path": root.join("a")}))
    );
}

#[tokio::test]
async fn what_lies_outside_is_neither_read_nor_written_whatever_leads_there() {
    let ws = Workspace::new(Judge::yes());
    symlink(ws.path("outside"), ws.path("session/link")).unwrap();
    symlink(ws.path("outside/secret"), ws.path("session/file")).unwrap();
    symlink(ws.path("outside/new"), ws.path("session/nowhere")).unwrap();
    for path in [
        "outside/secret",
        "session/link/secret",
        "session/file",
        "session/../outside/secret",
    ] {
        assert!(matches!(ws.read(path).await, Err(Unfit::Outside)), "{path}");
        assert!(matches!(ws.write(path, "x").await, Err(Unfit::Outside)), "{path}");
    }
    for path in ["session/link/new", "session/../outside/new", "outside/new"] {
        assert!(matches!(ws.write(path, "x").await, Err(Unfit::Outside)), "{path}");
    }
    assert!(matches!(
        ws.write("session/nowhere", "x").await,
        Err(Unfit::NotAFile)
    ));
    assert!(!ws.path("outside/new").exists());
    assert_eq!(fs::read_to_string(ws.path("outside/secret")).unwrap(), "secret");
    assert!(
        ws.judge.calls().is_empty(),
        "nobody is asked about what cannot be"
    );
}

#[tokio::test]
async fn a_link_that_is_changed_while_a_person_thinks_opens_nothing() {
    let home = Workspace::new(Judge::yes());
    fs::write(home.path("root/fine"), "fine").unwrap();
    fs::write(home.path("root/other"), "other").unwrap();
    symlink(home.path("root/fine"), home.path("session/link")).unwrap();
    let (link, other) = (home.path("session/link"), home.path("root/other"));
    home.judge.meanwhile(move || {
        fs::remove_file(&link).unwrap();
        symlink(&other, &link).unwrap();
    });
    assert!(matches!(home.read("session/link").await, Err(Unfit::Changed)));
}

/// The moment between the last look and the use, which an agent can try to hit.
#[test]
fn a_folder_that_becomes_a_link_after_the_last_look_leads_nowhere() {
    let ws = Workspace::new(Judge::yes());
    for folder in ["root/a", "root/a/b"] {
        fs::create_dir(ws.path(folder)).unwrap();
    }
    fs::write(ws.path("root/a/b/secret"), "mine").unwrap();
    fs::create_dir(ws.path("outside/b")).unwrap();
    fs::write(ws.path("outside/b/secret"), "secret").unwrap();
    let old = Place::of_file(&ws.path("root/a/b/secret"), &ws.open.roots).unwrap();
    let new = Place::to_write(&ws.path("root/a/b/new"), &ws.open.roots).unwrap();
    assert_eq!(old.read().unwrap(), "mine");
    fs::rename(ws.path("root/a"), ws.path("root/moved")).unwrap();
    symlink(ws.path("outside"), ws.path("root/a")).unwrap();
    assert!(matches!(old.read(), Err(Unfit::Changed)));
    for place in [&old, &new] {
        assert!(matches!(place.write("x"), Err(Unfit::Changed)));
    }
    assert_eq!(fs::read_to_string(ws.path("outside/b/secret")).unwrap(), "secret");
    assert_eq!(fs::read_dir(ws.path("outside/b")).unwrap().count(), 1);
}

#[test]
fn what_becomes_a_link_or_a_pipe_after_the_last_look_is_not_read() {
    let ws = Workspace::new(Judge::yes());
    fs::write(ws.path("root/a"), "mine").unwrap();
    let place = Place::of_file(&ws.path("root/a"), &ws.open.roots).unwrap();
    fs::remove_file(ws.path("root/a")).unwrap();
    symlink(ws.path("outside/secret"), ws.path("root/a")).unwrap();
    assert!(matches!(place.read(), Err(Unfit::Changed)));
    assert!(matches!(place.write("x"), Err(Unfit::Changed)));
    assert_eq!(fs::read_to_string(ws.path("outside/secret")).unwrap(), "secret");
    fs::remove_file(ws.path("root/a")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(ws.path("root/a"))
        .status();
    assert!(made.unwrap().success());
    assert!(matches!(place.read(), Err(Unfit::NotAFile)));
}

#[tokio::test]
async fn a_root_that_becomes_a_link_opens_nothing_outside() {
    let ws = Workspace::new(Judge::yes());
    fs::rename(ws.path("root"), ws.path("moved")).unwrap();
    symlink(ws.path("outside"), ws.path("root")).unwrap();
    assert!(matches!(ws.read("root/secret").await, Err(Unfit::Outside)));
    assert!(matches!(ws.write("root/secret", "x").await, Err(Unfit::Outside)));
}

#[tokio::test]
async fn a_refused_file_is_not_touched() {
    let ws = Workspace::new(Judge::no());
    fs::write(ws.path("session/a"), "old").unwrap();
    assert!(matches!(ws.read("session/a").await, Err(Unfit::Refused(_))));
    assert!(matches!(
        ws.write("session/a", "new").await,
        Err(Unfit::Refused(_))
    ));
    assert_eq!(fs::read_to_string(ws.path("session/a")).unwrap(), "old");
}

#[tokio::test]
async fn a_file_keeps_its_mode_and_leaves_nothing_beside_it() {
    let ws = Workspace::new(Judge::yes());
    fs::write(ws.path("session/run.sh"), "old").unwrap();
    fs::set_permissions(ws.path("session/run.sh"), fs::Permissions::from_mode(0o750)).unwrap();
    ws.write("session/run.sh", "new").await.unwrap();
    let mode = fs::metadata(ws.path("session/run.sh"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o750);
    assert_eq!(fs::read_dir(ws.path("session")).unwrap().count(), 1);
}

#[tokio::test]
async fn what_is_no_file_or_too_large_is_not_read() {
    let ws = Workspace::new(Judge::yes());
    let made = std::process::Command::new("mkfifo")
        .arg(ws.path("session/pipe"))
        .status();
    assert!(made.unwrap().success());
    assert!(matches!(ws.read("session/pipe").await, Err(Unfit::NotAFile)));
    assert!(matches!(ws.read("session").await, Err(Unfit::NotAFile)));
    let large = File::create(ws.path("session/large")).unwrap();
    large.set_len(LARGEST + 1).unwrap();
    assert!(matches!(ws.read("session/large").await, Err(Unfit::TooLarge)));
    let content = "x".repeat(LARGEST as usize + 1);
    assert!(matches!(
        ws.write("session/new", &content).await,
        Err(Unfit::TooLarge)
    ));
    let relative = read(&ws.open, ReadTextFileRequest::new("s", "session/large")).await;
    assert!(matches!(relative, Err(Unfit::Relative)));
}

#[test]
fn lines_are_counted_from_one() {
    let text = "one\ntwo\nthree";
    for (line, limit, expect) in [
        (None, Some(2), "one\ntwo\n"),
        (Some(1), Some(1), "one\n"),
        (Some(2), None, "two\nthree"),
        (Some(0), Some(1), "one\n"),
        (Some(9), Some(1), ""),
        (Some(1), Some(0), ""),
    ] {
        assert_eq!(excerpt(text, line, limit), expect, "{line:?} {limit:?}");
    }
}
