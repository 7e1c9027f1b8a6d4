//! Opening: a cold start that does not read the backlog.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use deadpool_sqlite::{Config, Hook, HookError, Pool, Runtime};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, watch};

use crate::{
    OpenError, Room, SetAside, Store, StoreError, UnixMs, attempt,
    audit::{self, Check, HeadFile},
    damage, migrate,
    room::Disk,
    settle,
    store::Inner,
    task,
    tx::{Memo, Tx, Wake},
    writer::{Signals, Writer},
};

/// How long an operation waits for another program's lock.
pub(crate) const BUSY_TIMEOUT_MS: u32 = 5_000;
/// Operations that wait for the writer; beyond these, callers wait to be let in.
const QUEUE: usize = 1_024;
/// Few: they serve catch-up and views, and each keeps a page cache and the schema in memory.
const READERS: usize = 2;
const READER_CACHE_KIB: i32 = 512;
const STATEMENTS: usize = 128;

/// What the store needs to be told.
#[derive(Clone)]
pub struct OpenOptions {
    /// The key of a session: slug, workspace, thread key, number of resets.
    pub session_key: fn(slug: &str, workspace: &str, thread_key: &str, generation: u32) -> String,
    /// The lane of a row of the 0.7 daemon: conversation, thread.
    pub lane: fn(conversation: &str, thread: Option<&str>) -> String,
    /// The wall clock.
    pub now: Arc<dyn Fn() -> UnixMs + Send + Sync>,
    /// Free space in bytes that is kept: below it nothing is taken in (D6).
    pub min_free_bytes: u64,
    /// Messages that may wait in a channel (D6).
    pub max_waiting_rows: u64,
    /// Attempts at a turn before it is given up (D11).
    pub max_attempts: u32,
    /// Attempts that may end by their lease (D11).
    pub max_lease_attempts: u32,
    /// The file that names the last row of the audit, written after each commit that added one. None: there is none.
    pub audit_head: Option<PathBuf>,
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions")
            .field("min_free_bytes", &self.min_free_bytes)
            .field("max_waiting_rows", &self.max_waiting_rows)
            .field("max_attempts", &self.max_attempts)
            .field("max_lease_attempts", &self.max_lease_attempts)
            .field("audit_head", &self.audit_head)
            .finish_non_exhaustive()
    }
}

/// An open store, and what happened on the way.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// The database that was there before was damaged.
    pub set_aside: Option<SetAside>,
    /// Rows that were given up because the earlier daemon's end was their last attempt. Nothing was said yet in their
    /// conversations: [`Store::say_parked`] does.
    pub parked: Vec<i64>,
}

pub(crate) fn open(path: &Path, options: OpenOptions) -> Result<Opened, OpenError> {
    let (conn, parked, set_aside) = match prepare(path, &options) {
        Ok((conn, parked)) => (conn, parked, None),
        Err(OpenError::Store(reason @ StoreError::Damaged(_))) => {
            let aside = damage::set_aside(path, (options.now)(), &reason)?;
            let (conn, parked) = prepare(path, &options)?;
            seed_ids(&conn, (options.now)())?;
            (conn, parked, Some(aside))
        }
        Err(error) => return Err(error),
    };
    let store = start(path, conn, options)?;
    Ok(Opened {
        store,
        set_aside,
        parked,
    })
}

/// The writer's connection on a file of the present schema, with what an earlier process left open put right.
fn prepare(path: &Path, options: &OpenOptions) -> Result<(Connection, Vec<i64>), OpenError> {
    set_up(path, options).map_err(|error| match error {
        OpenError::Store(error) => Disk::new(folder(path), 0).explain(error).into(),
        error => error,
    })
}

fn set_up(path: &Path, options: &OpenOptions) -> Result<(Connection, Vec<i64>), OpenError> {
    create_private(path).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "busy_timeout", BUSY_TIMEOUT_MS)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // D25: without it macOS leaves the data in the disk's cache.
    #[cfg(target_os = "macos")]
    conn.pragma_update(None, "fullfsync", true)?;
    damage::examine(&conn, path)?;
    migrate::migrate(&mut conn)?;
    let parked = recover(&conn, path, options)?;
    Ok((conn, parked))
}

/// 0600 from the first byte on; SQLite gives its log files the mode of the database.
#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    if file.metadata()?.permissions().mode() & 0o777 != 0o600 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map(drop)
}

fn recover(conn: &Connection, path: &Path, options: &OpenOptions) -> Result<Vec<i64>, StoreError> {
    let disk = Disk::new(folder(path), options.min_free_bytes);
    let (mut wake, mut memo) = (Wake::default(), Memo::default());
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let now = (options.now)();
    let mut tx = Tx {
        conn,
        options,
        disk: &disk,
        now,
        wake: &mut wake,
        memo: &mut memo,
    };
    let parked = attempt::recover(&mut tx)?;
    settle::recover(&mut tx)?;
    task::recover(&mut tx)?;
    let head = options.audit_head.as_deref();
    let check = head.map(|head| audit::check(&mut tx, head)).transpose()?;
    conn.execute_batch("COMMIT")?;
    if let (Some(Check::Disputed), Some(head)) = (check, head) {
        audit::set_aside(head, now);
    }
    Ok(parked)
}

/// A live app may still answer a row or a question of the database that was set aside: its ids must not come again.
fn seed_ids(conn: &Connection, now: UnixMs) -> Result<(), StoreError> {
    for table in ["messages", "kata_approvals", "kata_grants", "scheduled_tasks"] {
        conn.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
            (table, now.0 / 1_000),
        )?;
    }
    Ok(())
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn start(path: &Path, conn: Connection, options: OpenOptions) -> Result<Store, OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let (queue, jobs) = mpsc::channel(QUEUE);
    let (work, out, tasks, room) = (
        watch::Sender::new(0),
        watch::Sender::new(0),
        watch::Sender::new(0),
        watch::Sender::new(Room::Enough),
    );
    let inner = (
        work.subscribe(),
        out.subscribe(),
        tasks.subscribe(),
        room.subscribe(),
    );
    let mut head = options.audit_head.clone().map(HeadFile::new);
    if let Some(head) = &mut head {
        head.write(&conn, (options.now)());
    }
    let writer = Writer {
        conn,
        head,
        disk: Disk::new(folder(path), options.min_free_bytes),
        options,
        queue: jobs,
        signals: Signals {
            work,
            out,
            tasks,
            room,
        },
        memo: Memo::default(),
        suspect: damage::suspect(path),
    };
    let thread = std::thread::Builder::new()
        .name("kata-store".to_owned())
        .spawn(move || writer.run())
        .map_err(io)?;
    Ok(Store::from_inner(Inner {
        queue,
        closing: AtomicBool::new(false),
        thread: Mutex::new(Some(thread)),
        readers: readers(path)?,
        work: inner.0,
        out: inner.1,
        tasks: inner.2,
        room: inner.3,
    }))
}

/// Readers that cannot write. None is opened before it is needed.
fn readers(path: &Path) -> Result<Pool, OpenError> {
    let setup = Hook::async_fn(|conn, _| {
        Box::pin(async move {
            conn.interact(|conn| {
                conn.set_prepared_statement_cache_capacity(STATEMENTS);
                conn.pragma_update(None, "busy_timeout", BUSY_TIMEOUT_MS)?;
                conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
                conn.pragma_update(None, "query_only", true)
            })
            .await
            .map_err(|error| HookError::message(error.to_string()))?
            .map_err(HookError::Backend)
        })
    });
    let pool = Config::new(path)
        .builder(Runtime::Tokio1)
        .map(|builder| builder.max_size(READERS).post_create(setup).build());
    match pool {
        Ok(Ok(pool)) => Ok(pool),
        Ok(Err(error)) => Err(StoreError::Database(Arc::new(error)).into()),
        Err(error) => match error {},
    }
}
