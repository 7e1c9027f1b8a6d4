//! A message that is over is tried again: its parked answer is sent, or it is asked anew.

use super::{Asker, Done};
use crate::{
    NewMessage, Outcome, StoreError, admit, cancel,
    channel::{self, Home},
    payload::Inbound,
    row::{self, Ending},
    tx::Tx,
    words::Status,
};

/// How a row ended that was a turn, or would have been one: all else was never asked of an agent.
const WAS_A_TURN: [&str; 3] = ["done", "cancelled", "discarded"];

/// A row as far as asking it once more needs.
struct Asked {
    outcome: Option<String>,
    answer: Option<i64>,
    lane: String,
    thread_key: Option<String>,
    conversation: String,
    thread: Option<String>,
    reply_thread: Option<String>,
    shown_id: Option<String>,
    order: i64,
    sender: Option<String>,
    role: Option<String>,
    prompt: Option<String>,
    has_files: bool,
    alone: bool,
    payload: String,
}

pub(super) fn again(
    tx: &mut Tx<'_>,
    home: &Home,
    target: &Ending,
    asker: &Asker,
) -> Result<Done, StoreError> {
    let Some(asked) = load(tx, target.id)? else {
        return Ok("it is on no message that can be tried again".into());
    };
    if let Some(answer) = asked.answer
        && row::load(tx, answer)?.is_some_and(|row| row.status == Status::Failed)
    {
        // An answer is under no quota of turns.
        cancel::retry(tx, answer, None)?;
        return Ok("its answer is sent after all".into());
    }
    let was_a_turn = asked
        .outcome
        .as_deref()
        .is_some_and(|outcome| WAS_A_TURN.contains(&outcome));
    let (true, Some(stored)) = (was_a_turn, Inbound::read(&asked.payload)) else {
        return Ok("it is on no message that can be tried again".into());
    };
    let order = admit::behind(tx, target.lane, asked.order)?;
    let shown = asked.shown_id.clone();
    let message = anew(asked, stored, asker, order);
    let outcome = admit::turn_for(tx, home, "", message, shown.as_deref())?;
    channel::count(tx, home.id, 1)?;
    Ok(Done {
        session_started: match outcome {
            Outcome::New { session_started, .. } => session_started,
            _ => None,
        },
        ..Done::from("asked again")
    })
}

fn anew(asked: Asked, mut stored: Inbound, asker: &Asker, order: i64) -> NewMessage {
    stored.blank_secrets();
    // When a command came in counts for its response URL, which is gone.
    stored.metadata.remove("receivedAt");
    let sender = asked.sender.unwrap_or_default();
    // Whoever asks for its own words again has the rights that it has now; the words of others keep theirs.
    let role = if sender == asker.sender {
        asker.role.clone()
    } else {
        asked.role.unwrap_or_default()
    };
    NewMessage {
        thread_key: asked.thread_key.unwrap_or_else(|| asked.conversation.clone()),
        conversation: asked.conversation,
        thread: asked.thread,
        platform_id: format!("{}:again", asker.id),
        order,
        lane: asked.lane,
        sender,
        role,
        prompt: asked.prompt.unwrap_or_else(|| stored.content.clone()),
        content: stored.content,
        source: stored.source,
        sent_at: asker.sent_at,
        reply_thread: asked.reply_thread,
        metadata: stored.metadata,
        not_before: asker.not_before,
        ready: true,
        has_files: asked.has_files,
        alone: asked.alone,
        secret_until: None,
    }
}

fn load(tx: &Tx<'_>, id: i64) -> Result<Option<Asked>, StoreError> {
    tx.first(
        "SELECT m.outcome, m.answer, l.name, l.thread_key, m.conversation, m.thread, m.reply_thread,
           COALESCE(m.shown_id, m.platform_id), m.order_key, m.sender, m.role, m.prompt, m.has_files,
           EXISTS (SELECT 1 FROM kata_sessions s WHERE s.channel = m.channel AND s.key = m.session_key AND s.alone),
           m.payload
         FROM messages m JOIN kata_lanes l ON l.id = m.lane WHERE m.id = ?1 AND m.conversation IS NOT NULL",
        [id],
        |row| {
            Ok(Asked {
                outcome: row.get(0)?,
                answer: row.get(1)?,
                lane: row.get(2)?,
                thread_key: row.get(3)?,
                conversation: row.get(4)?,
                thread: row.get(5)?,
                reply_thread: row.get(6)?,
                shown_id: row.get(7)?,
                order: row.get::<_, Option<i64>>(8)?.unwrap_or_default(),
                sender: row.get(9)?,
                role: row.get(10)?,
                prompt: row.get(11)?,
                has_files: row.get(12)?,
                alone: row.get(13)?,
                payload: row.get(14)?,
            })
        },
    )
}
