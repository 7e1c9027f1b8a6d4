//! Whether the chain holds, row by row, and whether its head is the one that was written down.

use std::{fmt, path::Path};

use rusqlite::{Connection, Row, types::ValueRef};

use super::{
    chain::{self, Link},
    head,
};
use crate::{AuditKind, StoreError};

/// What looking at the whole audit found.
///
/// What it cannot find: rows that were made anew to the end by somebody who wrote the head file as well; rows taken off
/// the front together with the mark of where the chain starts, which is what retention does; and, where the head is
/// [`Behind`](HeadStanding::Behind), whether the rows behind it are the daemon's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// Rows that were looked at.
    pub rows: u64,
    /// The chain starts behind this row: retention took the rows up to it. 0: it starts at its beginning.
    pub starts_after: i64,
    /// The last row; none where there is none.
    pub last: Option<i64>,
    /// The first row that does not fit.
    pub broken: Option<Broken>,
    /// Rows in which the daemon noted at a start that the head file said other than the chain.
    pub disputes: u64,
    /// How the chain stands to the head file.
    pub head: HeadStanding,
}

/// A row that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The row.
    pub row: i64,
    /// What is wrong with it.
    pub how: Break,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Its content is not what its hash is of.
    Changed,
    /// It does not follow on the row before it: one was removed, inserted, moved, or changed together with its hash.
    Unlinked,
}

/// How the chain stands to the head file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadStanding {
    /// The head is the last row.
    Same,
    /// The chain goes on behind the head: the daemon ended between a commit and its head, is at work right now, or
    /// somebody else added rows. These cannot be told apart.
    Behind {
        /// Rows behind the head.
        rows: u64,
    },
    /// The head is behind the end of the chain: rows were cut off.
    Ahead {
        /// How many.
        rows: u64,
    },
    /// The row that the head names has another hash.
    Other {
        /// The row.
        row: i64,
    },
    /// There is no head file.
    Missing,
    /// The head file cannot be read, or is none.
    Unreadable {
        /// Why.
        reason: String,
    },
}

impl HeadStanding {
    /// From what the file says, the end of the chain, and the hash of the row that the head names.
    pub(super) fn of(found: Result<Option<Link>, String>, last: &Link, hash: Option<&str>) -> Self {
        let head = match found {
            Ok(Some(head)) => head,
            Ok(None) => return Self::Missing,
            Err(reason) => return Self::Unreadable { reason },
        };
        if head.id > last.id {
            return Self::Ahead {
                rows: head.id.abs_diff(last.id),
            };
        }
        match hash {
            Some(hash) if hash != head.hash => Self::Other { row: head.id },
            _ if head.id == last.id => Self::Same,
            _ => Self::Behind {
                rows: last.id.abs_diff(head.id),
            },
        }
    }
}

impl fmt::Display for HeadStanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("the head is the last row"),
            Self::Behind { rows } => write!(f, "the chain goes on for {rows} rows behind the head"),
            Self::Ahead { rows } => write!(f, "the chain ends {rows} rows before the head"),
            Self::Other { row } => write!(f, "row {row} is not the one that the head names"),
            Self::Missing => f.write_str("there is no head file"),
            Self::Unreadable { reason } => write!(f, "the head file cannot be read: {reason}"),
        }
    }
}

/// Walks along the whole chain, a row at a time.
pub(crate) fn verify(conn: &Connection, path: &Path) -> Result<AuditReport, StoreError> {
    // Before the chain: the head is written after its row, so a daemon at work can only let the chain be further on.
    let found = head::read(path);
    // One snapshot for the anchor and the rows.
    let tx = conn.unchecked_transaction()?;
    let start = chain::start(&tx)?;
    let named = found.as_ref().ok().and_then(Option::as_ref).map(|head| head.id);
    let mut walk = Walk {
        report: AuditReport {
            rows: 0,
            starts_after: start.id,
            last: None,
            broken: None,
            disputes: 0,
            head: HeadStanding::Missing,
        },
        hash: (named == Some(start.id)).then(|| start.hash.clone()),
        named,
        link: start,
    };
    let mut statement = tx.prepare(&format!(
        "SELECT {}, prev, hash FROM kata_audit ORDER BY id",
        chain::COLUMNS
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        walk.step(row)?;
    }
    let Walk {
        mut report,
        link,
        hash,
        ..
    } = walk;
    report.head = HeadStanding::of(found, &link, hash.as_deref());
    Ok(report)
}

struct Walk {
    report: AuditReport,
    /// The row before.
    link: Link,
    /// The row that the head names, and its hash once it was met.
    named: Option<i64>,
    hash: Option<String>,
}

impl Walk {
    fn step(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        let id: i64 = row.get(1)?;
        let prev = bytes(row.get_ref(chain::COUNT)?);
        let hash = bytes(row.get_ref(chain::COUNT + 1)?);
        let columns: Vec<ValueRef<'_>> = (0..chain::COUNT)
            .map(|column| row.get_ref(column))
            .collect::<Result<_, _>>()?;
        let follows = id == self.link.id.saturating_add(1) && prev == self.link.hash.as_bytes();
        let how = if !follows {
            Some(Break::Unlinked)
        } else if chain::hash(prev, columns.iter().copied()).as_bytes() != hash {
            Some(Break::Changed)
        } else {
            None
        };
        self.report.broken = self.report.broken.or(how.map(|how| Broken { row: id, how }));
        let is_dispute = bytes(columns[3]) == AuditKind::HeadDisputed.as_str().as_bytes();
        self.report.disputes += u64::from(is_dispute);
        self.report.rows += 1;
        self.report.last = Some(id);
        self.link = Link {
            id,
            hash: String::from_utf8_lossy(hash).into_owned(),
        };
        if self.named == Some(id) {
            self.hash = Some(self.link.hash.clone());
        }
        Ok(())
    }
}

/// What the column holds, whatever somebody put there.
fn bytes(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        _ => &[],
    }
}
