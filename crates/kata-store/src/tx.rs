//! The open transaction as the operations see it.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Params, Row, types::FromSql};

use crate::{ChannelId, OpenOptions, StoreError, UnixMs, room::Disk};

/// An open write transaction and what goes with it.
pub(crate) struct Tx<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) options: &'a OpenOptions,
    pub(crate) disk: &'a Disk,
    pub(crate) now: UnixMs,
    pub(crate) wake: &'a mut Wake,
    pub(crate) memo: &'a mut Memo,
}

/// What is to be done after the commit. One time too many does no harm.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    pub(crate) work: bool,
    pub(crate) out: bool,
    /// The time at which the first task is due may be another one, or a run ended.
    pub(crate) tasks: bool,
    /// Audit rows were added: their head is to be written.
    pub(crate) audit: bool,
}

/// What the writer remembers between transactions, and may forget.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    /// Retention has walked up to this row.
    pub(crate) swept: i64,
    /// Channels whose waiting rows were counted since the start: by how much the stored count was wrong.
    pub(crate) drift: HashMap<ChannelId, i64>,
}

impl Tx<'_> {
    /// Runs a statement; the number of rows that it changed.
    pub(crate) fn run(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let changed = statement.execute(params)?;
        #[cfg(test)]
        crate::tests::effort::note(&statement);
        Ok(changed)
    }

    /// The first row of a query, if there is one.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let found = statement.query_row(params, read).optional()?;
        #[cfg(test)]
        crate::tests::effort::note(&statement);
        Ok(found)
    }

    /// The row of a query that always has one.
    pub(crate) fn one<T: FromSql>(&self, sql: &str, params: impl Params) -> Result<T, StoreError> {
        self.first(sql, params, |row| row.get(0))?
            .ok_or_else(|| rusqlite::Error::QueryReturnedNoRows.into())
    }

    /// All rows of a query.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let found = statement.query_map(params, read)?.collect::<Result<_, _>>()?;
        #[cfg(test)]
        crate::tests::effort::note(&statement);
        Ok(found)
    }

    /// Inserts a row; its id.
    pub(crate) fn insert(&self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let id = statement.insert(params)?;
        #[cfg(test)]
        crate::tests::effort::note(&statement);
        Ok(id)
    }

    /// Notes what happens to a message, for `explain`.
    pub(crate) fn trail(&self, message: i64, step: &str, detail: Option<&str>) -> Result<(), StoreError> {
        self.trail_at(message, self.now, step, detail)
    }

    /// Notes what happened to a message earlier.
    pub(crate) fn trail_at(
        &self,
        message: i64,
        at: UnixMs,
        step: &str,
        detail: Option<&str>,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO kata_trail (message, n, at_ms, step, detail)
             SELECT ?1, COALESCE(MAX(n), 0) + 1, ?2, ?3, ?4 FROM kata_trail WHERE message = ?1",
            (message, at, step, detail),
        )?;
        Ok(())
    }
}
