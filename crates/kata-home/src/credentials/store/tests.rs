use std::{cell::Cell, fs};

use super::*;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

fn golden(name: &str) -> Vec<u8> {
    fs::read(Path::new(GOLDEN).join(name)).unwrap()
}

/// A home directory with these bytes as its store, on the machine of `write.py`.
fn store(bytes: &[u8]) -> (tempfile::TempDir, CredentialStore) {
    let folder = tempfile::tempdir().unwrap();
    let machine = Machine {
        id: Some("8f2c0d5e4b7a49d1a3c6e9f0b1d2c3e4".to_owned()),
        hostname: "notebook".to_owned(),
        user: "ada".to_owned(),
        home: "/people/ada".into(),
    };
    let file = folder.path().join("credentials.enc");
    fs::write(&file, bytes).unwrap();
    (folder, CredentialStore { file, machine })
}

/// Reads without waiting, and says how often it would have waited.
fn read(store: &CredentialStore) -> (Result<Credentials, CredentialsError>, u32) {
    let pauses = Cell::new(0);
    let read = store.read_with(|pause| {
        assert_eq!(pause, PAUSE);
        pauses.set(pauses.get() + 1);
    });
    (read, pauses.get())
}

#[test]
fn the_store_is_in_the_home_directory() {
    let (_folder, store) = store(b"");
    let store = CredentialStore::new(store.machine);
    assert_eq!(
        store.file(),
        Path::new("/people/ada/.kata-agents/credentials.enc")
    );
}

#[test]
fn a_store_that_is_not_there_is_empty() {
    let (folder, store) = store(b"");
    drop(folder);
    let (read, pauses) = read(&store);
    assert!(read.unwrap().is_empty());
    assert_eq!(pauses, 0);
}

#[test]
fn what_another_implementation_wrote_is_read() {
    let (_folder, mut store) = store(&golden("present.enc"));
    assert_eq!(read(&store).0.unwrap().len(), 8);
    fs::write(&store.file, golden("older.enc")).unwrap();
    assert_eq!(read(&store).0.unwrap().len(), 8);
    store.machine.id = None;
    fs::write(&store.file, golden("without-id.enc")).unwrap();
    assert_eq!(read(&store).0.unwrap().len(), 8);
}

#[test]
fn a_store_of_another_machine_stays_closed() {
    let (_folder, mut store) = store(&golden("present.enc"));
    store.machine.id = Some("another".to_owned());
    let (read, pauses) = read(&store);
    assert!(matches!(read, Err(CredentialsError::Locked { .. })), "{read:?}");
    assert_eq!(pauses, AGAIN);
}

#[test]
fn a_store_that_is_damaged_says_so_and_nothing_of_its_contents() {
    let whole = golden("present.enc");
    let with = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let last = whole.len() - 1;
    // All have the same salt, and so the same keys.
    let mut keys = None;
    for (bytes, reason) in [
        (vec![], "is damaged: it is too short"),
        (whole[..91].to_vec(), "is damaged: it is too short"),
        (
            with(0),
            "is damaged: it does not begin as a credential store does",
        ),
        (with(64), "cannot be decrypted"),
        (with(76), "cannot be decrypted"),
        (with(last), "cannot be decrypted"),
        (whole[..last].to_vec(), "cannot be decrypted"),
        (
            golden("no-list.enc"),
            "is damaged: what was encrypted in it is no list of credentials",
        ),
        (
            golden("later.enc"),
            "has the version 2, and only version 1 is known",
        ),
    ] {
        let (_folder, store) = store(&bytes);
        let error = store.read_once(&mut keys).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(error.to_string().contains(reason), "{said}");
        assert!(!said.contains("made-up"), "{said}");
    }
    // What is reserved may come to mean something.
    for at in [8, 44, 63] {
        let (_folder, store) = store(&with(at));
        assert!(store.read_once(&mut keys).is_ok(), "{at}");
    }
}

#[test]
fn a_store_that_is_being_written_is_read_again() {
    let whole = golden("present.enc");
    let (_folder, store) = store(&whole[..50]);
    let mut pauses = 0;
    let read = store.read_with(|_| {
        pauses += 1;
        let written = if pauses == 1 {
            &whole[..whole.len() - 7]
        } else {
            &whole
        };
        fs::write(&store.file, written).unwrap();
    });
    assert_eq!((read.unwrap().len(), pauses), (8, 2));
}

#[test]
fn credentials_are_found_by_the_accounts_of_the_app() {
    use secrecy::ExposeSecret;

    let (_folder, store) = store(&golden("present.enc"));
    let credentials = read(&store).0.unwrap();
    let value = |found: Option<&crate::Credential>| found.map(|found| found.value.expose_secret().to_owned());
    let channel = |workspace, key| value(credentials.of_channel(workspace, key));
    assert_eq!(channel("w1", "work").as_deref(), Some("made-up-bot-token"));
    assert_eq!(channel("w1", "work-app").as_deref(), Some("made-up-app-token"));
    assert_eq!(channel("w2", "work"), None);
    let root = Path::new("/srv/notes");
    let source = |workspace, root, source| value(credentials.of_source(workspace, root, source));
    assert_eq!(
        source("w1", root, "slack").as_deref(),
        Some("made-up-workspace-key")
    );
    assert_eq!(source("w2", root, "slack").as_deref(), Some("made-up-folder-key"));
    assert_eq!(
        source("w1", root, "gmail").as_deref(),
        Some("made-up-access-token")
    );
    assert_eq!(
        source("w1", root, "umlaut").as_deref(),
        Some("Gr\u{fc}\u{df}e \u{1f511} \"quoted\" \\ \n")
    );
    assert_eq!(source("w1", Path::new("/"), "gmail"), None);

    let gmail = credentials.of_source("w1", root, "gmail").unwrap();
    let refresh = gmail.refresh_token.as_ref().map(ExposeSecret::expose_secret);
    assert_eq!(refresh, Some("made-up-refresh-token"));
    assert_eq!(
        (gmail.client_id.as_deref(), gmail.token_type.as_deref()),
        (Some("made-up-client"), Some("Bearer"))
    );
    let ends = gmail
        .expires_at
        .unwrap()
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    assert_eq!(ends.as_millis(), 1_700_000_000_123);
    let shown = format!("{credentials:?} {gmail:?} {store:?}");
    assert!(
        !shown.contains("token-") && !shown.contains("made-up-access") && !shown.contains("8f2c"),
        "{shown}"
    );
}
