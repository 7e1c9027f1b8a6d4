//! Grants: what lets a call through that would be asked about, and how often a rule of the permissions file was used.
//!
//! A grant never widens: it is bound to one tool with one set of arguments in one conversation, or counts a rule that
//! stands in the file anyway.

mod call;
mod file;

use rusqlite::{Connection, Params, Row};

pub(crate) use call::{mint, take};
pub use file::FileGrant;
pub(crate) use file::{Standing, count, standing, sync, uses};

use crate::{
    AuditKind, ChannelId, GrantSource, StoreError, UnixMs,
    audit::{self, Entry},
    tx::Tx,
};

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its number in this database, never used again.
    pub id: i64,
    /// What it comes from.
    pub source: GrantSource,
    /// The workspace that it holds in.
    pub workspace: String,
    /// The channel that it holds in; none: any.
    pub channel: Option<ChannelId>,
    /// The channel's folder name.
    pub slug: Option<String>,
    /// The conversation that it holds in; none: any.
    pub conversation: Option<String>,
    /// The session that it holds in; none: any.
    pub session_key: Option<String>,
    /// The tool; of a rule of the file its patterns.
    pub tool: String,
    /// The digest of the tool and its arguments; none for a rule of the file.
    pub digest: Option<String>,
    /// The rule that asked, or the rule of the file.
    pub rule: String,
    /// How many calls it lets through; none: any number.
    pub uses: Option<u64>,
    /// How many it has let through.
    pub used: u64,
    /// From then on it lets nothing through.
    pub until: Option<UnixMs>,
    /// When it was minted.
    pub minted_at: UnixMs,
    /// Who minted it; `file` for a rule of the file.
    pub minted_by: String,
    /// The question that it comes from.
    pub approval: Option<i64>,
    /// When its rule went from the file.
    pub ended_at: Option<UnixMs>,
    /// When it was taken back.
    pub revoked_at: Option<UnixMs>,
    /// Who took it back.
    pub revoked_by: Option<String>,
}

/// Which grants to list; none of them: all.
#[derive(Clone, Debug, Default)]
pub struct GrantFilter {
    /// Of this workspace.
    pub workspace: Option<String>,
    /// Only those that let something through at this moment.
    pub live_at: Option<UnixMs>,
}

const COLUMNS: &str = "g.id, g.source, g.workspace, g.channel, c.slug, g.conversation, g.session_key, g.tool, g.digest, \
    g.rule, g.uses, g.used, g.until_ms, g.minted_ms, g.minted_by, g.approval, g.over_ms, g.revoked_ms, g.revoked_by";

fn read(row: &Row<'_>) -> rusqlite::Result<Grant> {
    let source = row.get(1)?;
    let over: Option<UnixMs> = row.get(16)?;
    Ok(Grant {
        id: row.get(0)?,
        source,
        workspace: row.get(2)?,
        channel: row.get(3)?,
        slug: row.get(4)?,
        conversation: row.get(5)?,
        session_key: row.get(6)?,
        tool: row.get(7)?,
        digest: row.get(8)?,
        rule: row.get(9)?,
        uses: row.get::<_, Option<i64>>(10)?.map(i64::unsigned_abs),
        used: row.get::<_, i64>(11)?.unsigned_abs(),
        until: row.get(12)?,
        minted_at: row.get(13)?,
        minted_by: row.get(14)?,
        approval: row.get(15)?,
        ended_at: over.filter(|_| source == GrantSource::File),
        revoked_at: row.get(17)?,
        revoked_by: row.get(18)?,
    })
}

/// The newest first, with ids below `before`.
pub(crate) fn list(
    conn: &Connection,
    filter: &GrantFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Grant>, StoreError> {
    find(
        conn,
        "g.id < :before AND (:workspace IS NULL OR g.workspace = :workspace)
           AND (:live IS NULL OR (g.revoked_ms IS NULL AND (g.over_ms IS NULL OR g.over_ms > :live)
             AND (g.until_ms IS NULL OR g.until_ms > :live) AND (g.uses IS NULL OR g.used < g.uses)))
         ORDER BY g.id DESC LIMIT :limit",
        rusqlite::named_params! {
            ":before": before.unwrap_or(i64::MAX),
            ":workspace": filter.workspace,
            ":live": filter.live_at,
            ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        },
    )
}

fn find(conn: &Connection, condition: &str, params: impl Params) -> Result<Vec<Grant>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM kata_grants g LEFT JOIN kata_channels c ON c.id = g.channel WHERE {condition}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map(params, read)?.collect::<Result<_, _>>()?;
    #[cfg(test)]
    crate::tests::effort::note(&statement);
    Ok(found)
}

/// Takes a grant back. False: it let nothing through any more.
pub(crate) fn revoke(tx: &mut Tx<'_>, id: i64, by: &str) -> Result<bool, StoreError> {
    let revoked = tx.run(
        "UPDATE kata_grants SET revoked_ms = ?2, revoked_by = ?3 WHERE id = ?1 AND revoked_ms IS NULL
           AND (over_ms IS NULL OR over_ms > ?2) AND (until_ms IS NULL OR until_ms > ?2)
           AND (uses IS NULL OR used < uses)",
        (id, tx.now, by),
    )?;
    if revoked == 0 {
        return Ok(false);
    }
    note(tx, id, AuditKind::Revoked, by)?;
    Ok(true)
}

/// Writes down what became of a grant.
fn note(tx: &mut Tx<'_>, id: i64, kind: AuditKind, by: &str) -> Result<(), StoreError> {
    for grant in find(tx.conn, "g.id = ?1", [id])? {
        let bounds = grant.bounds();
        audit::append(
            tx,
            &Entry {
                workspace: Some(&grant.workspace),
                slug: grant.slug.as_deref(),
                conversation: grant.conversation.as_deref(),
                session_key: grant.session_key.as_deref(),
                tool: Some(&grant.tool),
                digest: grant.digest.as_deref(),
                rule: Some(&grant.rule),
                reason: Some(&bounds),
                by: Some(by),
                grant: Some(id),
                approval: grant.approval,
                ..Entry::new(kind)
            },
        )?;
    }
    Ok(())
}

impl Grant {
    /// How far it reaches, for the audit.
    fn bounds(&self) -> String {
        let uses = match self.uses {
            Some(uses) => format!("{} of {uses} uses taken", self.used),
            None => format!("used {} times, any number is allowed", self.used),
        };
        match self.until {
            Some(until) => format!("{uses}, until {}", until.to_iso()),
            None => uses,
        }
    }
}

/// Deletes grants from which nothing could come any more before `cutoff`. True: there may be more.
pub(crate) fn sweep(tx: &mut Tx<'_>, cutoff: UnixMs, step: i64) -> Result<bool, StoreError> {
    let gone = tx.run(
        "DELETE FROM kata_grants WHERE id IN (SELECT id FROM kata_grants WHERE over_ms < ?1 ORDER BY over_ms LIMIT ?2)",
        (cutoff, step),
    )?;
    Ok(i64::try_from(gone).unwrap_or(0) == step)
}
