//! Channels: (workspace, slug) and what is known of them.

use crate::{Channel, ChannelId, StoreError, UnixMs, cursor, past, tx::Tx};

/// A channel with its names.
pub(crate) struct Home {
    pub(crate) id: ChannelId,
    pub(crate) workspace: String,
    pub(crate) slug: String,
    /// Inbound rows that wait or run.
    pub(crate) unended: u64,
    /// Its turns wait.
    pub(crate) is_paused: bool,
}

/// The channel as it is configured now.
pub(crate) fn configure(tx: &mut Tx<'_>, workspace: &str, slug: &str) -> Result<Channel, StoreError> {
    let id = ensure(tx, workspace, slug)?;
    tx.run(
        "UPDATE kata_channels SET first_configured_ms = ?2 WHERE id = ?1 AND first_configured_ms IS NULL",
        (id, tx.now),
    )?;
    // D24: what 0.7 knew by the slug alone belongs to the first workspace that configured it.
    let heir: Option<ChannelId> = tx.first(
        "SELECT id FROM kata_channels WHERE slug = ?1 AND first_configured_ms IS NOT NULL
         ORDER BY first_configured_ms, id LIMIT 1",
        [slug],
        |row| row.get(0),
    )?;
    past::note(tx, slug, past::AT_ONCE)?;
    if heir == Some(id) {
        cursor::import(tx, &load(tx, id)?)?;
    }
    let found = tx.first(
        "SELECT first_configured_ms, paused FROM kata_channels WHERE id = ?1",
        [id],
        |row| {
            Ok(Channel {
                id,
                first_configured: row.get::<_, Option<UnixMs>>(0)?.unwrap_or(UnixMs(0)),
                paused: row.get(1)?,
            })
        },
    )?;
    found.ok_or(StoreError::NoChannel(id.0))
}

/// The channel's id; the channel is made when it is new.
pub(crate) fn ensure(tx: &mut Tx<'_>, workspace: &str, slug: &str) -> Result<ChannelId, StoreError> {
    tx.run(
        "INSERT INTO kata_channels (workspace, slug) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        (workspace, slug),
    )?;
    tx.one(
        "SELECT id FROM kata_channels WHERE workspace = ?1 AND slug = ?2",
        (workspace, slug),
    )
}

pub(crate) fn load(tx: &Tx<'_>, id: ChannelId) -> Result<Home, StoreError> {
    find(tx, id)?.ok_or(StoreError::NoChannel(id.0))
}

pub(crate) fn find(tx: &Tx<'_>, id: ChannelId) -> Result<Option<Home>, StoreError> {
    tx.first(
        "SELECT workspace, slug, unended, paused FROM kata_channels WHERE id = ?1",
        [id],
        |row| {
            Ok(Home {
                id,
                workspace: row.get(0)?,
                slug: row.get(1)?,
                unended: row.get::<_, i64>(2)?.max(0).unsigned_abs(),
                is_paused: row.get(3)?,
            })
        },
    )
}

pub(crate) fn set_paused(tx: &mut Tx<'_>, id: ChannelId, paused: bool) -> Result<(), StoreError> {
    tx.run("UPDATE kata_channels SET paused = ?2 WHERE id = ?1", (id, paused))?;
    tx.wake.work = true;
    Ok(())
}

/// Moves the count of messages that wait or run.
pub(crate) fn count(tx: &mut Tx<'_>, id: ChannelId, by: i64) -> Result<(), StoreError> {
    if by != 0 {
        tx.run(
            "UPDATE kata_channels SET unended = unended + ?2 WHERE id = ?1",
            (id, by),
        )?;
    }
    Ok(())
}

/// D6: refuses when the channel's queue is full. The count may be wrong after the 0.7 daemon was at work, so before the
/// first refusal since the start it is counted anew; that reads the channel's backlog, which is why it is not done earlier.
pub(crate) fn require_room(tx: &mut Tx<'_>, home: &Home) -> Result<(), StoreError> {
    if home.unended < tx.options.max_waiting_rows {
        return Ok(());
    }
    let drift = match tx.memo.drift.get(&home.id) {
        Some(drift) => *drift,
        None => {
            let drift = home.unended.cast_signed() - recount(tx, home.id)?;
            tx.memo.drift.insert(home.id, drift);
            drift
        }
    };
    let waiting = (home.unended.cast_signed() - drift).max(0).unsigned_abs();
    if waiting < tx.options.max_waiting_rows {
        Ok(())
    } else {
        Err(StoreError::Backlog { waiting })
    }
}

fn recount(tx: &Tx<'_>, id: ChannelId) -> Result<i64, StoreError> {
    tx.one(
        "SELECT (SELECT COUNT(*) FROM messages WHERE direction = 'inbound' AND status = 'pending' AND channel = ?1)
              + (SELECT COUNT(*) FROM messages WHERE direction = 'inbound' AND status = 'processing' AND channel = ?1)",
        [id],
    )
}
