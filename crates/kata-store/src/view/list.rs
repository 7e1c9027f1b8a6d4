//! Lists, page by page.

use rusqlite::{Connection, Params, Row};
use serde_json::Value;

use crate::{ChannelId, StoreError, UnixMs};

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the platform.
    Inbound,
    /// To the platform.
    Outbound,
}

/// Which messages to list; none of them: all.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    /// Of this channel.
    pub channel: Option<ChannelId>,
    /// Of this conversation.
    pub conversation: Option<String>,
    /// Of this session.
    pub session_key: Option<String>,
    /// In this state: `pending`, `processing`, `processed`, `failed`.
    pub status: Option<String>,
}

/// A place in the queue, to go on from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueuePlace {
    /// When the row there was made, in the database's own form.
    pub created_at: String,
    /// The row.
    pub id: i64,
}

/// A message in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its row.
    pub id: i64,
    /// Which way it goes.
    pub direction: Direction,
    /// Its channel; none for a row of the 0.7 daemon that was not adopted.
    pub channel: Option<ChannelId>,
    /// The channel's workspace.
    pub workspace: Option<String>,
    /// The channel's folder name.
    pub slug: String,
    /// The platform's place of talk.
    pub conversation: Option<String>,
    /// The thread in it.
    pub thread: Option<String>,
    /// The platform's id.
    pub platform_id: Option<String>,
    /// The session's key.
    pub session_key: Option<String>,
    /// The platform's id of the sender.
    pub sender: Option<String>,
    /// Its text.
    pub content: String,
    /// `pending`, `processing`, `processed` or `failed`.
    pub status: String,
    /// How it ended.
    pub outcome: Option<String>,
    /// The latest error, or why it was passed over.
    pub error: Option<String>,
    /// Attempts that failed.
    pub attempts: u32,
    /// No earlier than this.
    pub due: Option<UnixMs>,
    /// When its row was made.
    pub created_at: Option<UnixMs>,
    /// When it was claimed, the last time.
    pub claimed_at: Option<UnixMs>,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
    /// Inbound: its answer's row. Outbound: the row that it answers.
    pub other: Option<i64>,
    /// Where it stands in the queue.
    pub place: QueuePlace,
}

pub(super) const COLUMNS: &str = "m.id, m.direction, m.channel, c.workspace, m.channel_id, m.conversation, m.thread, \
    m.platform_id, m.session_key, m.sender, m.payload, m.status, m.outcome, m.error, m.retry_count, m.due_ms, \
    m.created_at, m.claimed_ms, m.processed_at, COALESCE(m.answer, m.answers)";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let id = row.get(0)?;
    let created_at: String = row.get(16)?;
    let ended_at: Option<String> = row.get(18)?;
    let payload: Value = serde_json::from_str(&row.get::<_, String>(10)?).unwrap_or_default();
    let direction: String = row.get(1)?;
    Ok(Listed {
        id,
        direction: if direction == "inbound" {
            Direction::Inbound
        } else {
            Direction::Outbound
        },
        channel: row.get(2)?,
        workspace: row.get(3)?,
        slug: row.get(4)?,
        conversation: row.get(5)?,
        thread: row.get(6)?,
        platform_id: row.get(7)?,
        session_key: row.get(8)?,
        sender: row.get(9)?,
        content: payload
            .get("content")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        status: row.get(11)?,
        outcome: row.get(12)?,
        error: row.get(13)?,
        attempts: row.get(14)?,
        due: row.get(15)?,
        created_at: UnixMs::from_iso(&created_at),
        claimed_at: row.get(17)?,
        ended_at: ended_at.as_deref().and_then(UnixMs::from_iso),
        other: row.get(19)?,
        place: QueuePlace { created_at, id },
    })
}

/// The conditions of a filter, on named parameters that the caller binds.
const FILTER: &str = "(:channel IS NULL OR m.channel = :channel) \
    AND (:conversation IS NULL OR m.conversation = :conversation) \
    AND (:session IS NULL OR m.session_key = :session) AND (:status IS NULL OR m.status = :status)";

fn rows(conn: &Connection, sql: &str, params: impl Params) -> Result<Vec<Listed>, StoreError> {
    Ok(conn
        .prepare_cached(sql)?
        .query_map(params, read)?
        .collect::<Result<_, _>>()?)
}

/// Each state is read through its own index; the few that fit on the page are then put in order.
pub(super) fn queue(
    conn: &Connection,
    filter: &MessageFilter,
    after: Option<&QueuePlace>,
    limit: usize,
) -> Result<Vec<Listed>, StoreError> {
    let start = QueuePlace {
        created_at: String::new(),
        id: 0,
    };
    let after = after.unwrap_or(&start);
    let mut page = Vec::new();
    for state in [
        "m.direction = 'inbound' AND m.status = 'pending'",
        "m.direction = 'outbound' AND m.status = 'pending'",
        "m.direction = 'inbound' AND m.status = 'processing'",
        "m.status = 'failed'",
    ] {
        let sql = format!(
            "SELECT {COLUMNS} FROM messages m LEFT JOIN kata_channels c ON c.id = m.channel
             WHERE {state} AND (m.created_at, m.id) > (:created, :id) AND {FILTER}
             ORDER BY m.created_at, m.id LIMIT :limit"
        );
        page.extend(rows(
            conn,
            &sql,
            rusqlite::named_params! {
                ":created": after.created_at,
                ":id": after.id,
                ":channel": filter.channel,
                ":conversation": filter.conversation,
                ":session": filter.session_key,
                ":status": filter.status,
                ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
            },
        )?);
    }
    page.sort_by(|a, b| a.place.cmp(&b.place));
    page.truncate(limit);
    Ok(page)
}

pub(super) fn messages(
    conn: &Connection,
    filter: &MessageFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Listed>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages m LEFT JOIN kata_channels c ON c.id = m.channel
         WHERE m.id < :before AND {FILTER} ORDER BY m.id DESC LIMIT :limit"
    );
    rows(
        conn,
        &sql,
        rusqlite::named_params! {
            ":before": before.unwrap_or(i64::MAX),
            ":channel": filter.channel,
            ":conversation": filter.conversation,
            ":session": filter.session_key,
            ":status": filter.status,
            ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        },
    )
}
