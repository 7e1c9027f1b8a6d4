//! Opening and closing.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::{OpenError, Store, StoreError};

use super::support::{Fixture, START, channel, claim, message, push, row};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_database_and_its_log_are_private() {
    let fixture = Fixture::new();
    fs::write(fixture.path(), []).unwrap();
    fs::set_permissions(fixture.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let store = fixture.open();
    channel(&store).await;
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", fixture.path().display());
        assert_eq!(mode(Path::new(&path)), 0o600, "{path}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_set_aside_whole_and_old_ids_do_not_come_again() {
    let fixture = Fixture::new();
    fs::write(
        fixture.path(),
        b"this was never a database, whatever its name says".repeat(100),
    )
    .unwrap();
    let opened = fixture.opened();
    let aside = opened.set_aside.unwrap();
    assert!(
        aside.path.to_string_lossy().contains("daemon.db.damaged-"),
        "{aside:?}"
    );
    assert!(aside.reason.contains("damaged"), "{aside:?}");
    assert!(fs::read(&aside.path).unwrap().starts_with(b"this was never"));
    let id = channel(&opened.store).await;
    assert_eq!(
        row(&push(&opened.store, id, message("C1", 1)).await),
        START / 1_000 + 1
    );
}

#[tokio::test]
async fn damage_met_while_running_is_examined_by_the_next_start() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let messages = (0..600).map(|n| crate::Arrival::Turn(message("C1", n))).collect();
    super::support::admit(&store, id, messages, None).await.unwrap();
    store.close().await.unwrap();
    let mut bytes = fs::read(fixture.path()).unwrap();
    let pages = bytes.len() / 4_096;
    // The last third of the pages: rows and indexes, not the schema, so that opening alone does not see it.
    for byte in &mut bytes[pages * 2 / 3 * 4_096..] {
        *byte = 0xa5;
    }
    fs::write(fixture.path(), bytes).unwrap();
    let store = fixture.open();
    let mut damaged = false;
    for n in 1_000..1_400 {
        let admitted =
            super::support::admit(&store, id, vec![crate::Arrival::Turn(message("C1", n))], None).await;
        damaged |= matches!(admitted, Err(StoreError::Damaged(_)));
    }
    assert!(damaged, "the damage was not met");
    drop(store);
    let opened = fixture.opened();
    assert!(opened.set_aside.is_some());
    drop(opened);
    assert!(fixture.opened().set_aside.is_none());
}

#[tokio::test]
async fn a_reader_that_meets_a_file_that_is_no_database_says_so_in_one_sentence() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    push(&store, id, message("C1", 1)).await;
    store.checkpoint().await.unwrap();
    fs::write(fixture.path(), b"overwritten by somebody else".repeat(1_000)).unwrap();
    let error = store.channel_counts().await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(
        format!("{error}: {cause}"),
        "the database is damaged: file is not a database"
    );
    assert!(cause.source().is_none());
}

#[test]
fn a_disk_too_full_for_the_index_of_the_log_is_said_to_be_full() {
    let said = |code| {
        let error = rusqlite::ffi::Error::new(code);
        StoreError::from(rusqlite::Error::SqliteFailure(
            error,
            Some("disk I/O error".to_owned()),
        ))
    };
    assert_eq!(
        said(rusqlite::ffi::SQLITE_IOERR_SHMSIZE).to_string(),
        "the disk is full"
    );
    assert_eq!(said(rusqlite::ffi::SQLITE_FULL).to_string(), "the disk is full");
    let vague = said(rusqlite::ffi::SQLITE_CANTOPEN);
    assert!(vague.is_io() && matches!(vague, StoreError::Database(_)));
}

#[tokio::test]
async fn a_suspicion_without_ground_is_dropped() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    push(&store, id, message("C1", 1)).await;
    store.close().await.unwrap();
    let suspect = crate::damage::suspect(&fixture.path());
    fs::write(&suspect, []).unwrap();
    let opened = fixture.opened();
    assert!(opened.set_aside.is_none() && !suspect.exists());
    assert!(claim(&opened.store, id).await.is_some());
}

#[tokio::test]
async fn a_file_of_a_later_version_is_left_alone() {
    let fixture = Fixture::new();
    fixture.open().close().await.unwrap();
    fixture
        .raw()
        .execute("UPDATE kata_meta SET value = '99' WHERE key = 'schema'", [])
        .unwrap();
    let refused = Store::open(&fixture.path(), fixture.options.clone());
    assert!(
        matches!(refused, Err(OpenError::Newer { found: 99, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_closed_store_finishes_what_is_queued_and_refuses_the_rest() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let pushed = futures_join(&store, id).await;
    assert!(pushed);
    assert!(matches!(store.channel("w", "s").await, Err(StoreError::Closed)));
    assert!(matches!(
        store.cursor(id, "C1", None).await,
        Err(StoreError::Closed)
    ));
    assert!(matches!(store.close().await, Err(StoreError::Closed)));
    let log = format!("{}-wal", fixture.path().display());
    assert!(!Path::new(&log).exists() || fs::metadata(log).unwrap().len() == 0);
    assert!(claim(&fixture.open(), id).await.is_some());
}

/// Queues a message, then closes, before either was answered.
async fn futures_join(store: &Store, id: crate::ChannelId) -> bool {
    let push = super::support::admit(store, id, vec![crate::Arrival::Turn(message("C1", 1))], None);
    let (pushed, closed) = tokio::join!(push, store.close());
    closed.unwrap();
    pushed.is_ok()
}

#[tokio::test]
async fn a_new_file_and_an_old_one_end_with_the_same_schema() {
    let schema = |fixture: &Fixture| -> Vec<String> {
        fixture
            .raw()
            .prepare("SELECT replace(sql, 'IF NOT EXISTS ', '') FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    };
    let (new, old) = (Fixture::new(), Fixture::new());
    old.raw()
        .execute_batch(include_str!("../migrations/0001_kata_0_7.sql"))
        .unwrap();
    new.open().close().await.unwrap();
    old.open().close().await.unwrap();
    assert_eq!(schema(&new), schema(&old));
}
