//! Taking things in: dedup, edits, deletions, commands; one transaction for a page and its cursor (D1, D2, D3, D7).

use crate::{
    Admit, Arrival, CursorMove, NewMessage, Outcome, StoreError,
    channel::{self, Home},
    cursor,
    edit::{self, Edit},
    effect,
    lane::{self, Lane},
    payload::{self, Inbound, ReplyTo},
    session,
    tx::Tx,
};

pub(crate) fn admit(tx: &mut Tx<'_>, admit: Admit) -> Result<Vec<Outcome>, StoreError> {
    tx.disk.require()?;
    let home = channel::load(tx, admit.channel)?;
    channel::require_room(tx, &home)?;
    // A row over a gap remembers which read it came by: that read's end makes it ready.
    let gap = match &admit.cursor {
        Some(CursorMove::Gap { thread, .. } | CursorMove::To { thread, .. }) => {
            thread.clone().unwrap_or_default()
        }
        None => String::new(),
    };
    let mut outcomes = Vec::with_capacity(admit.arrivals.len());
    for arrival in admit.arrivals {
        outcomes.push(arrive(tx, &home, &gap, arrival)?);
    }
    let new = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Outcome::New { .. }))
        .count();
    let withdrawn = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Outcome::Withdrawn { .. }))
        .count();
    channel::count(
        tx,
        home.id,
        i64::try_from(new).unwrap_or(0) - i64::try_from(withdrawn).unwrap_or(0),
    )?;
    if let Some(moved) = &admit.cursor {
        cursor::apply(tx, &home, moved)?;
    }
    Ok(outcomes)
}

fn arrive(tx: &mut Tx<'_>, home: &Home, gap: &str, arrival: Arrival) -> Result<Outcome, StoreError> {
    match arrival {
        Arrival::Turn(message) => turn(tx, home, gap, message),
        Arrival::Consumed { message, effect } => {
            if is_known(tx, home, &message.conversation, &message.platform_id)? {
                return Ok(Outcome::Known);
            }
            effect::consume(tx, home, message, effect)
        }
        Arrival::Edit {
            conversation,
            platform_id,
            edited,
            content,
            prompt,
        } => edit::edit(
            tx,
            home,
            &Edit {
                conversation: &conversation,
                platform_id: &platform_id,
                edited,
                content: &content,
                prompt: &prompt,
            },
        ),
        Arrival::EditOrTurn { edited, message } => edit::follow_up(tx, home, gap, edited, message),
        Arrival::Withdraw {
            conversation,
            platform_id,
        } => edit::withdraw(tx, home, &conversation, &platform_id),
    }
}

fn turn(tx: &mut Tx<'_>, home: &Home, gap: &str, message: NewMessage) -> Result<Outcome, StoreError> {
    turn_for(tx, home, gap, message, None)
}

/// A message that waits for a turn. One whose id is made up stands for the platform's message `shown`.
pub(crate) fn turn_for(
    tx: &mut Tx<'_>,
    home: &Home,
    gap: &str,
    message: NewMessage,
    shown: Option<&str>,
) -> Result<Outcome, StoreError> {
    if is_known(tx, home, &message.conversation, &message.platform_id)? {
        return Ok(Outcome::Known);
    }
    let lane = open_lane(tx, home, &message)?;
    let (ready, order, due) = (message.ready, message.order, message.not_before);
    let key = if message.alone {
        session::key_alone(tx, home, &lane, &message.platform_id)
    } else {
        session::key(tx, home, &lane)
    };
    let session_started = session::touch(tx, &lane, &key, message.alone)?.then(|| key.clone());
    let row = insert(
        tx,
        home,
        &lane,
        message,
        &Waiting {
            key: &key,
            gap: (!ready).then_some(gap),
        },
    )?;
    if shown.is_some() {
        tx.run("UPDATE messages SET shown_id = ?2 WHERE id = ?1", (row, shown))?;
    }
    if ready {
        lane::arrived(tx, &lane, row, order, due)?;
    }
    Ok(Outcome::New { row, session_started })
}

/// The order of a row that comes behind all that waits in the lane now, and behind its own message.
pub(crate) fn behind(tx: &Tx<'_>, lane: Option<i64>, order: i64) -> Result<i64, StoreError> {
    let last: Option<i64> = tx.one(
        "SELECT MAX(order_key) FROM messages WHERE lane = ?1 AND direction = 'inbound' AND status = 'pending' AND gap IS NULL",
        [lane],
    )?;
    Ok(last.map_or(order, |last| last.max(order)))
}

/// D2: seen before, or the row is gone and its tombstone is left.
pub(crate) fn is_known(
    tx: &Tx<'_>,
    home: &Home,
    conversation: &str,
    platform_id: &str,
) -> Result<bool, StoreError> {
    tx.one(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE channel = ?1 AND conversation = ?2 AND platform_id = ?3)
             OR EXISTS (SELECT 1 FROM kata_tombstones WHERE channel = ?1 AND conversation = ?2 AND platform_id = ?3)",
        (home.id, conversation, platform_id),
    )
}

/// The message's lane, with its thread key decided.
pub(crate) fn open_lane(tx: &mut Tx<'_>, home: &Home, message: &NewMessage) -> Result<Lane, StoreError> {
    let thread = message.thread.as_deref();
    // A lane is a thread's where the thread's key is its own; else it is wider, and an answer of a task goes elsewhere.
    let own = thread.filter(|thread| *thread == message.thread_key);
    let mut lane = lane::ensure(tx, home.id, &message.lane, &message.conversation, own)?;
    if let Some(thread) = thread.filter(|_| own.is_none()) {
        cursor::note_thread(tx, home.id, &message.conversation, thread)?;
    }
    lane::decide(tx, &mut lane, &message.thread_key)?;
    Ok(lane)
}

/// What a waiting row has beside its message.
pub(crate) struct Waiting<'a> {
    pub(crate) key: &'a str,
    pub(crate) gap: Option<&'a str>,
}

/// Inserts a message as a waiting row.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    home: &Home,
    lane: &Lane,
    message: NewMessage,
    waiting: &Waiting<'_>,
) -> Result<i64, StoreError> {
    let prompt = (message.prompt != message.content).then_some(message.prompt);
    let mut metadata = message.metadata;
    metadata.insert("sessionKey".to_owned(), waiting.key.into());
    metadata.insert("workspaceId".to_owned(), home.workspace.as_str().into());
    let reply_to = message.reply_thread.as_ref().map(|thread| ReplyTo {
        thread_id: Some(thread.clone()),
        message_id: Some(message.platform_id.clone()),
    });
    let payload = payload::write(&Inbound {
        id: message.platform_id.as_str().into(),
        channel_id: home.slug.clone(),
        source: message.source,
        timestamp: message.sent_at.0.into(),
        content: message.content,
        metadata,
        reply_to,
        rest: serde_json::Map::new(),
    });
    tx.insert(
        "INSERT INTO messages (direction, channel_id, status, payload, created_at, lane, channel, conversation, thread,
           reply_thread, platform_id, order_key, session_key, sender, role, prompt, sent_ms, gap, due_ms, has_files, secret_until_ms)
         VALUES ('inbound', ?1, 'pending', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
        rusqlite::params![
            home.slug,
            payload,
            tx.now.to_iso(),
            lane.id,
            home.id,
            message.conversation,
            message.thread,
            message.reply_thread,
            message.platform_id,
            message.order,
            waiting.key,
            message.sender,
            message.role,
            prompt,
            message.sent_at,
            waiting.gap,
            message.not_before,
            message.has_files,
            message.secret_until,
        ],
    )
}
