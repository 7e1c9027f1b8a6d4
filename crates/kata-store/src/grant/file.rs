//! Grants of the permissions file: rules that end, or that have a number of uses.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::note;
use crate::{AuditKind, StoreError, UnixMs, tx::Tx};

/// Who minted what stands in the file.
const FILE: &str = "file";

/// A rule of the permissions file that ends, or has a number of uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileGrant {
    /// The rule's id in the file.
    pub rule: String,
    /// A fingerprint of the whole rule: another one is another grant, which is counted anew.
    pub fingerprint: String,
    /// The patterns of the tools that it names, for people.
    pub tools: String,
    /// How many calls it allows; none: any number.
    pub uses: Option<u64>,
    /// When it ends.
    pub until: Option<UnixMs>,
}

/// Where a rule's grant stands, apart from its count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Live,
    Ended,
    Revoked,
}

/// Brings the grants of a workspace's file up to what stands in it.
pub(crate) fn sync(tx: &mut Tx<'_>, workspace: &str, rules: Vec<FileGrant>) -> Result<(), StoreError> {
    let mut wanted: BTreeMap<String, FileGrant> =
        rules.into_iter().map(|rule| (rule.rule.clone(), rule)).collect();
    let present: Vec<(i64, String, String)> = tx.all(
        "SELECT id, rule, fingerprint FROM kata_grants WHERE source = 'file' AND over_ms IS NULL AND workspace = ?1",
        [workspace],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    for (id, rule, fingerprint) in present {
        if wanted
            .get(&rule)
            .is_some_and(|rule| rule.fingerprint == fingerprint)
        {
            wanted.remove(&rule);
            continue;
        }
        tx.run("UPDATE kata_grants SET over_ms = ?2 WHERE id = ?1", (id, tx.now))?;
        note(tx, id, AuditKind::GrantEnded, FILE)?;
    }
    for rule in wanted.values() {
        let id = match revive(tx, workspace, rule)? {
            Some(id) => id,
            None => insert(tx, workspace, rule)?,
        };
        note(tx, id, AuditKind::Granted, FILE)?;
    }
    Ok(())
}

/// The very rule was there before. It goes on with its count, and stays revoked if it was: taking it out and putting it
/// back, which a file that is broken for a moment does too, must not make a spent rule whole.
fn revive(tx: &mut Tx<'_>, workspace: &str, rule: &FileGrant) -> Result<Option<i64>, StoreError> {
    tx.first(
        "UPDATE kata_grants SET over_ms = NULL WHERE id =
           (SELECT id FROM kata_grants WHERE source = 'file' AND over_ms IS NOT NULL AND workspace = ?1 AND rule = ?2
              AND fingerprint = ?3 ORDER BY id DESC LIMIT 1)
         RETURNING id",
        (workspace, &rule.rule, &rule.fingerprint),
        |row| row.get(0),
    )
}

fn insert(tx: &mut Tx<'_>, workspace: &str, rule: &FileGrant) -> Result<i64, StoreError> {
    tx.insert(
        "INSERT INTO kata_grants (source, workspace, tool, rule, fingerprint, uses, until_ms, minted_ms, minted_by)
         VALUES ('file', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            workspace,
            &rule.tools,
            &rule.rule,
            &rule.fingerprint,
            rule.uses.map(number),
            rule.until,
            tx.now,
            FILE,
        ),
    )
}

fn number(uses: u64) -> i64 {
    i64::try_from(uses).unwrap_or(i64::MAX)
}

/// The grant of a rule of the file, and where it stands.
pub(crate) fn standing(
    tx: &Tx<'_>,
    workspace: &str,
    rule: &str,
) -> Result<Option<(i64, Standing)>, StoreError> {
    tx.first(
        "SELECT id, revoked_ms IS NOT NULL, until_ms IS NOT NULL AND until_ms <= ?3 FROM kata_grants
         WHERE source = 'file' AND over_ms IS NULL AND workspace = ?1 AND rule = ?2",
        (workspace, rule, tx.now),
        |row| {
            let standing = match (row.get(1)?, row.get(2)?) {
                (true, _) => Standing::Revoked,
                (false, true) => Standing::Ended,
                (false, false) => Standing::Live,
            };
            Ok((row.get(0)?, standing))
        },
    )
}

/// Takes one use. False: there is none left, by what the store knows or by what the caller says.
pub(crate) fn count(tx: &mut Tx<'_>, grant: i64, limit: Option<u64>) -> Result<bool, StoreError> {
    let counted = tx.run(
        "UPDATE kata_grants SET used = used + 1 WHERE id = ?1 AND (?2 IS NULL OR used < ?2) AND (uses IS NULL OR used < uses)",
        (grant, limit.map(number)),
    )?;
    Ok(counted > 0)
}

/// How often each rule of the workspace's file was used. One that was revoked counts as used up.
pub(crate) fn uses(conn: &Connection, workspace: &str) -> Result<Vec<(String, u64)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT rule, CASE WHEN revoked_ms IS NULL THEN used ELSE COALESCE(uses, ?2) END FROM kata_grants
         WHERE source = 'file' AND over_ms IS NULL AND workspace = ?1 ORDER BY rule",
    )?;
    let rows = statement.query_map((workspace, i64::MAX), |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
