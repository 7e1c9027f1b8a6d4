//! Numbered migrations. The number stands in a table of ours and not in `user_version`, which is the app's to use.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::OpenError;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_kata_0_7.sql"),
    include_str!("migrations/0002_queue.sql"),
    include_str!("migrations/0003_gate.sql"),
    include_str!("migrations/0004_tasks.sql"),
    include_str!("migrations/0005_pairing.sql"),
    include_str!("migrations/0006_sessions.sql"),
    include_str!("migrations/0007_control.sql"),
];

/// Brings the file to the present schema.
pub(crate) fn migrate(conn: &mut Connection) -> Result<(), OpenError> {
    let found = schema(conn)?.unwrap_or(0);
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    // One transaction for all: a daemon that dies here finds the file as it was.
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS kata_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    )?;
    for migration in MIGRATIONS.iter().skip(found as usize) {
        tx.execute_batch(migration)?;
    }
    tx.execute(
        "INSERT INTO kata_meta (key, value) VALUES ('schema', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [known.to_string()],
    )?;
    tx.commit()?;
    Ok(())
}

/// The schema's number; none in a file that is not ours yet.
pub(crate) fn schema(conn: &Connection) -> rusqlite::Result<Option<u32>> {
    let ours = conn
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'kata_meta'", [], |_| {
            Ok(())
        })
        .optional()?;
    if ours.is_none() {
        return Ok(None);
    }
    let found: Option<String> = conn
        .query_row("SELECT value FROM kata_meta WHERE key = 'schema'", [], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(found.and_then(|text| text.parse().ok()))
}
