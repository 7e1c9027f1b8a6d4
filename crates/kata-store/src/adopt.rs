//! Rows that the 0.7 daemon left: found by the empty lane column, taken over by ascending id (D24).

use std::time::Duration;

use rusqlite::Row;

use crate::{
    ChannelId, StoreError, UnixMs, admit, answer, attempt,
    channel::{self, Home},
    lane::{self, Lane},
    past,
    payload::{self, Inbound},
    session,
    tx::Tx,
    words::Status,
};

/// D24: rows a step.
const STEP: usize = 500;
/// D21: an answer older than this is not sent any more.
const OUTBOUND_AGE: Duration = Duration::from_secs(24 * 3600);

/// What a step of adoption did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Rows that were taken over, or noted as ended.
    pub rows: usize,
    /// There may be more.
    pub more: bool,
}

/// A row of the 0.7 daemon.
struct Foreign {
    id: i64,
    slug: String,
    payload: String,
    created_at: String,
    attempts: u32,
}

const COLUMNS: &str = "id, channel_id, payload, created_at, retry_count";

fn read(row: &Row<'_>) -> rusqlite::Result<Foreign> {
    Ok(Foreign {
        id: row.get(0)?,
        slug: row.get(1)?,
        payload: row.get(2)?,
        created_at: row.get(3)?,
        attempts: row.get(4)?,
    })
}

pub(crate) fn adopt(tx: &mut Tx<'_>, max: usize) -> Result<Adopted, StoreError> {
    let max = max.min(STEP);
    let mut rows = step(tx, max)?;
    rows += outbound_step(tx, max.saturating_sub(rows))?;
    rows += past::step(tx, max.saturating_sub(rows))?;
    Ok(Adopted {
        rows,
        more: rows > 0 && rows >= max,
    })
}

/// Adopts a step of inbound rows if there are any. The lowest id that is left: nothing from it on may be claimed.
pub(crate) fn before_claim(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    if first(tx)?.is_none() {
        return Ok(None);
    }
    step(tx, STEP)?;
    first(tx)
}

fn first(tx: &Tx<'_>) -> Result<Option<i64>, StoreError> {
    tx.one(
        "SELECT MIN(id) FROM messages
             WHERE direction = 'inbound' AND lane IS NULL AND status IN ('pending', 'processing')",
        [],
    )
}

fn step(tx: &mut Tx<'_>, max: usize) -> Result<usize, StoreError> {
    let rows = tx.all(
        &format!(
            "SELECT {COLUMNS} FROM messages
             WHERE direction = 'inbound' AND lane IS NULL AND status IN ('pending', 'processing') ORDER BY id LIMIT ?1"
        ),
        [i64::try_from(max).unwrap_or(0)],
        read,
    )?;
    for row in &rows {
        inbound(tx, row)?;
    }
    Ok(rows.len())
}

/// Adopts one row if it is foreign and not ended: an answer, a user's hand reached for it.
pub(crate) fn one(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    let row = tx.first(
        &format!(
            "SELECT {COLUMNS}, status FROM messages
             WHERE id = ?1 AND direction = 'inbound' AND (lane IS NULL OR lane = 0) AND status <> 'processed'"
        ),
        [id],
        |row| Ok((read(row)?, row.get::<_, Status>(5)?)),
    )?;
    let Some((row, status)) = row else { return Ok(()) };
    inbound(tx, &row)?;
    if status == Status::Failed {
        // It only gets its place: bringing it back is the caller's decision.
        let found: Option<(i64, ChannelId, Option<String>, Option<String>)> = tx.first(
            "SELECT lane, channel, processed_at, error FROM messages WHERE id = ?1 AND status = 'pending'",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        if let Some((lane, channel, ended, error)) = found {
            let ended = ended.and_then(|at| UnixMs::from_iso(&at)).unwrap_or(tx.now);
            tx.trail_at(id, ended, "given up by the earlier daemon", error.as_deref())?;
            tx.run(
                "UPDATE messages SET status = 'failed', outcome = 'parked' WHERE id = ?1",
                [id],
            )?;
            channel::count(tx, channel, -1)?;
            lane::rows_changed(tx, lane, &[id])?;
        }
    }
    Ok(())
}

/// Where a row of 0.7 belongs.
pub(crate) struct Belongs {
    pub(crate) home: Home,
    pub(crate) conversation: String,
    thread: Option<String>,
    reply_thread: Option<String>,
}

pub(crate) fn belongs(tx: &mut Tx<'_>, slug: &str, payload: &Inbound) -> Result<Belongs, StoreError> {
    let channel = match payload.word("workspaceId") {
        Some(workspace) => channel::ensure(tx, workspace, slug)?,
        None => match of_slug(tx, slug)? {
            Some(channel) => channel,
            None => channel::ensure(tx, "", slug)?,
        },
    };
    let conversation = payload
        .word("slackChannel")
        .or_else(|| payload.word("jid"))
        .unwrap_or(slug)
        .to_owned();
    let reply_thread = payload
        .reply_to
        .as_ref()
        .and_then(|to| to.thread_id.clone())
        .filter(|id| !id.is_empty());
    // A message that opens its own thread was not written in one.
    let thread = reply_thread
        .clone()
        .filter(|thread| Some(thread) != payload.platform_id().as_ref());
    Ok(Belongs {
        home: channel::load(tx, channel)?,
        conversation,
        thread,
        reply_thread,
    })
}

/// The first channel with that slug: rows of 0.7 without a workspace are its.
fn of_slug(tx: &Tx<'_>, slug: &str) -> Result<Option<ChannelId>, StoreError> {
    tx.first(
        "SELECT id FROM kata_channels WHERE slug = ?1 ORDER BY id LIMIT 1",
        [slug],
        |row| row.get(0),
    )
}

fn inbound(tx: &mut Tx<'_>, row: &Foreign) -> Result<(), StoreError> {
    let Some(payload) = Inbound::read(&row.payload) else {
        return end(tx, row.id, "failed", "parked", Some(attempt::UNREADABLE));
    };
    let place = belongs(tx, &row.slug, &payload)?;
    let platform_id = payload.platform_id();
    // The id that was noted with the row itself is no sign of a twin.
    tx.run(
        "UPDATE messages SET platform_id = NULL WHERE id = ?1 AND platform_id IS NOT NULL",
        [row.id],
    )?;
    if let Some(id) = &platform_id
        && admit::is_known(tx, &place.home, &place.conversation, id)?
    {
        return end(tx, row.id, "processed", "duplicate", None);
    }
    let name = (tx.options.lane)(&place.conversation, place.thread.as_deref());
    let lane = lane::ensure(
        tx,
        place.home.id,
        &name,
        &place.conversation,
        place.thread.as_deref(),
    )?;
    let key = match payload.word("sessionKey") {
        Some(key) => key.to_owned(),
        None => session::key(tx, &place.home, &lane),
    };
    let order = order(tx, &lane, row.id)?;
    let sent = payload
        .timestamp
        .as_f64()
        .map(|ms| UnixMs(ms as i64))
        .or_else(|| UnixMs::from_iso(&row.created_at));
    // A row that failed before still gets one attempt.
    let attempts = row.attempts.min(tx.options.max_attempts.saturating_sub(1));
    tx.run(
        "UPDATE messages SET status = 'pending', lane = ?2, channel = ?3, conversation = ?4, thread = ?5, reply_thread = ?6,
           platform_id = ?7, order_key = ?8, session_key = ?9, sent_ms = ?10, retry_count = ?11 WHERE id = ?1",
        rusqlite::params![
            row.id,
            lane.id,
            place.home.id,
            place.conversation,
            place.thread,
            place.reply_thread,
            platform_id,
            order,
            key,
            sent.unwrap_or(tx.now),
            attempts,
        ],
    )?;
    session::touch(tx, &lane, &key, false)?;
    channel::count(tx, place.home.id, 1)?;
    lane::arrived(tx, &lane, row.id, order, None)
}

/// 0.7 keeps no order of the platform, only that of its ids: the row stands right behind those that were there before it.
pub(crate) fn order(tx: &Tx<'_>, lane: &Lane, row: i64) -> Result<i64, StoreError> {
    let before = tx.first(
        "SELECT order_key FROM messages
         WHERE lane = ?1 AND direction = 'inbound' AND status = 'pending' AND gap IS NULL AND id < ?2
         ORDER BY order_key DESC LIMIT 1",
        (lane.id, row),
        |row| row.get(0),
    )?;
    Ok(before.unwrap_or(0))
}

fn end(
    tx: &mut Tx<'_>,
    row: i64,
    status: &str,
    outcome: &str,
    error: Option<&str>,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE messages SET status = ?2, outcome = ?3, error = COALESCE(?4, error), processed_at = ?5,
           lane = COALESCE(lane, 0) WHERE id = ?1",
        (row, status, outcome, error, tx.now.to_iso()),
    )?;
    if status == "failed" {
        tx.trail(row, "parked", error)?;
    }
    Ok(())
}

/// Answers of 0.7 that were not sent, or of which it is not known: never sent blindly. Those of a slug that no channel
/// has wait until one does.
fn outbound_step(tx: &mut Tx<'_>, max: usize) -> Result<usize, StoreError> {
    let rows = tx.all(
        &format!(
            "SELECT {COLUMNS} FROM messages
             WHERE direction = 'outbound' AND lane IS NULL AND status IN ('pending', 'processing')
               AND channel_id IN (SELECT slug FROM kata_channels) ORDER BY id LIMIT ?1"
        ),
        [i64::try_from(max).unwrap_or(0)],
        read,
    )?;
    for row in &rows {
        outbound(tx, row)?;
    }
    Ok(rows.len())
}

fn outbound(tx: &mut Tx<'_>, row: &Foreign) -> Result<(), StoreError> {
    let Ok(payload) = serde_json::from_str::<payload::Outbound>(&row.payload) else {
        return end(
            tx,
            row.id,
            "failed",
            "parked",
            Some("the stored answer cannot be read"),
        );
    };
    let Some(channel) = of_slug(tx, &row.slug)? else {
        return Ok(());
    };
    let created = UnixMs::from_iso(&row.created_at).unwrap_or(UnixMs(0));
    let name = (tx.options.lane)(&payload.channel_id, payload.thread_id.as_deref());
    let lane = lane::ensure(
        tx,
        channel,
        &name,
        &payload.channel_id,
        payload.thread_id.as_deref(),
    )?;
    tx.run(
        "UPDATE messages SET status = 'pending', lane = ?2, channel = ?3, conversation = ?4, thread = ?5, sent_ms = ?6 WHERE id = ?1",
        (row.id, lane.id, channel, &payload.channel_id, &payload.thread_id, created),
    )?;
    answer::split(tx, row.id, std::slice::from_ref(&payload.content))?;
    tx.run(
        "UPDATE kata_parts SET state = 'unknown', legacy = 1, attempts = 1, first_attempt_ms = ?2, attempt_ms = ?2 WHERE answer = ?1",
        (row.id, created),
    )?;
    tx.trail(
        row.id,
        "part 1 of 1 left by the earlier daemon",
        Some("it may or may not have been sent"),
    )?;
    if tx.now.since(created) > OUTBOUND_AGE {
        tx.run(
            "UPDATE kata_parts SET state = 'parked' WHERE answer = ?1",
            [row.id],
        )?;
        end(
            tx,
            row.id,
            "failed",
            "parked",
            Some("left by the earlier daemon, and too old to be sent now"),
        )?;
    }
    answer::refresh(tx, lane.id)
}
