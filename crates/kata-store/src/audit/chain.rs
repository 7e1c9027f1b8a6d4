//! The chain itself: what is hashed, and in what form.

use std::fmt::Write as _;

use rusqlite::{Connection, OptionalExtension, types::ValueRef};
use sha2::{Digest, Sha256};

use crate::StoreError;

/// The form below. Another form gets another number, and the number is hashed with the row.
pub(super) const VERSION: i64 = 1;
/// What makes a hash of ours unlike any other use of SHA-256.
const DOMAIN: &[u8] = b"katad-audit\n";
/// How many columns are hashed.
pub(super) const COUNT: usize = 20;
/// The columns that are hashed, in that order.
pub(super) const COLUMNS: &str = "v, id, at_ms, kind, workspace, slug, conversation, session_key, message, tool, digest, \
    decision, rule, reason, role, by_whom, grant_id, approval_id, origin, taint";
pub(super) const INSERT: &str = "INSERT INTO kata_audit (v, id, at_ms, kind, workspace, slug, conversation, session_key, \
    message, tool, digest, decision, rule, reason, role, by_whom, grant_id, approval_id, origin, taint, prev, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)";
/// Where `kata_meta` says which row was the last that retention took.
const ANCHOR: &str = "audit_anchor";

/// A row's place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) id: i64,
    pub(super) hash: String,
}

impl Link {
    /// Before the first row.
    fn beginning() -> Self {
        Self {
            id: 0,
            hash: "0".repeat(64),
        }
    }
}

/// The hash of a row with these columns behind a row with the hash `prev`: SHA-256 in lower-case hexadecimal digits.
///
/// Each value is hashed with its kind and its length, so that nothing can move from one column into the next.
pub(super) fn hash<'a>(prev: &[u8], columns: impl Iterator<Item = ValueRef<'a>>) -> String {
    let mut sha = Sha256::new();
    sha.update(DOMAIN);
    value(&mut sha, ValueRef::Text(prev));
    columns.for_each(|column| value(&mut sha, column));
    let mut hex = String::with_capacity(64);
    for byte in sha.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn value(sha: &mut Sha256, value: ValueRef<'_>) {
    let mut sized = |kind: u8, bytes: &[u8]| {
        sha.update([kind]);
        sha.update((bytes.len() as u64).to_be_bytes());
        sha.update(bytes);
    };
    match value {
        ValueRef::Null => sized(0, &[]),
        ValueRef::Integer(number) => sized(1, &number.to_be_bytes()),
        ValueRef::Text(text) => sized(2, text),
        // Nothing of ours writes these: they are here so that whoever does is found out.
        ValueRef::Real(number) => sized(3, &number.to_be_bytes()),
        ValueRef::Blob(bytes) => sized(4, bytes),
    }
}

/// The last row, or what stands in for it.
pub(super) fn last(conn: &Connection) -> Result<Link, StoreError> {
    let row = conn
        .prepare_cached("SELECT id, hash FROM kata_audit ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| {
            Ok(Link {
                id: row.get(0)?,
                hash: row.get(1)?,
            })
        })
        .optional()?;
    match row {
        Some(link) => Ok(link),
        None => start(conn),
    }
}

/// Behind which row the chain starts.
pub(super) fn start(conn: &Connection) -> Result<Link, StoreError> {
    let anchor: Option<String> = conn
        .prepare_cached("SELECT value FROM kata_meta WHERE key = ?1")?
        .query_row([ANCHOR], |row| row.get(0))
        .optional()?;
    let link = anchor.as_deref().and_then(|text| text.split_once(' '));
    Ok(link
        .and_then(|(id, hash)| {
            Some(Link {
                id: id.parse().ok()?,
                hash: hash.to_owned(),
            })
        })
        .unwrap_or_else(Link::beginning))
}

/// Moves the chain's start behind that row.
pub(super) fn set_start(conn: &Connection, link: &Link) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO kata_meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )?
    .execute((ANCHOR, format!("{} {}", link.id, link.hash)))?;
    Ok(())
}
