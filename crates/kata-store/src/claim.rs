//! Claiming a turn: a few lookups in indexes, whatever the size of the backlog.

use crate::{
    Away, ChannelId, Claim, ClaimedRow, ClaimedTurn, StoreError, Take, UnixMs, adopt, attempt,
    channel::{self, Home},
    lane,
    payload::Said,
    trail,
    tx::Tx,
};

/// The longest digest, in rows and in bytes of what was written. What piled up beyond it is the next one.
const DIGEST_ROWS: usize = 500;
const DIGEST_BYTES: usize = 128 << 10;

pub(crate) fn claim(tx: &mut Tx<'_>, from: &[Take]) -> Result<Claim, StoreError> {
    // D24: nothing may overtake a row of the 0.7 daemon with a lower id, so a claim adopts what stands in its way.
    let barrier = adopt::before_claim(tx)?.unwrap_or(i64::MAX);
    lane::promote(tx)?;
    for take in from {
        let Some(home) = channel::find(tx, take.channel)?.filter(|home| !home.is_paused) else {
            continue;
        };
        while let Some((lane, head)) = first_ready(tx, home.id)? {
            if head >= barrier {
                tx.wake.work = true;
                break;
            }
            if let Some(turn) = take_first(tx, &home, lane, take)? {
                return Ok(Claim::Turn(Box::new(turn)));
            }
        }
    }
    Ok(Claim::Nothing {
        next_due: lane::next_due(tx)?,
    })
}

/// D10: task turns need no channel. The turn of a task whose channel is not among those that are configured. Nothing else
/// of such a channel is claimed: a task's turn waits behind what came before it in its lane.
pub(crate) fn claim_task(tx: &mut Tx<'_>, configured: &[ChannelId]) -> Result<Claim, StoreError> {
    let barrier = adopt::before_claim(tx)?.unwrap_or(i64::MAX);
    lane::promote(tx)?;
    let configured: Vec<i64> = configured.iter().map(|channel| channel.0).collect();
    let configured = crate::payload::write(&configured);
    while let Some((lane, head, channel)) = first_fire(tx, &configured)? {
        if head >= barrier {
            tx.wake.work = true;
            break;
        }
        // As in `take_first`: the 0.7 daemon may have ended the head that we knew, and what is next may be no task's.
        let waits: bool = tx.one(
            "SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?1 AND lane = ?2 AND status = 'pending' AND fire IS NOT NULL)",
            (head, lane),
        )?;
        if !waits {
            lane::release(tx, lane)?;
            continue;
        }
        let home = channel::load(tx, channel)?;
        if let Some(turn) = take_first(tx, &home, lane, &(channel, 1).into())? {
            return Ok(Claim::Turn(Box::new(turn)));
        }
    }
    Ok(Claim::Nothing {
        next_due: lane::next_due(tx)?,
    })
}

fn first_fire(tx: &Tx<'_>, configured: &str) -> Result<Option<(i64, i64, ChannelId)>, StoreError> {
    tx.first(
        "SELECT l.id, l.head, l.channel FROM kata_lanes l JOIN kata_channels c ON c.id = l.channel
         WHERE l.state = 'ready' AND l.head_fire IS NOT NULL AND c.paused = 0
           AND l.channel NOT IN (SELECT value FROM json_each(?1)) ORDER BY l.head LIMIT 1",
        [configured],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// D9: the lane whose head is oldest.
fn first_ready(tx: &Tx<'_>, channel: ChannelId) -> Result<Option<(i64, i64)>, StoreError> {
    tx.first(
        "SELECT id, head FROM kata_lanes WHERE channel = ?1 AND state = 'ready' ORDER BY head_order, head LIMIT 1",
        [channel],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// A waiting row, as a claim needs it.
struct Waiting {
    row: ClaimedRow,
    said: Option<Said>,
    session_key: String,
    conversation: Option<String>,
    thread: Option<String>,
    due: Option<UnixMs>,
    attempts: u32,
    /// The latest claim, and the turn that it was for.
    before: (Option<UnixMs>, Option<i64>),
    is_fire: bool,
    /// When it was written, if that is known, and when it was stored.
    since: Option<(UnixMs, UnixMs)>,
}

/// Takes the lane's first rows. None: the lane was not what it seemed, and has been put right.
fn take_first(
    tx: &mut Tx<'_>,
    home: &Home,
    lane: i64,
    take: &Take,
) -> Result<Option<ClaimedTurn>, StoreError> {
    let mut waiting = first_rows(tx, lane, take.max_rows.max(1))?;
    let digest = take
        .digest
        .filter(|away| waiting.first().is_some_and(|head| head.piled_up(away)));
    if digest.is_some() {
        waiting = first_rows(tx, lane, DIGEST_ROWS)?;
    }
    // INVARIANT: whatever `kata_lanes` says, only a row that waits, here and now, is claimed. The 0.7 daemon may have
    // ended the head that we knew.
    let Some(head) = waiting
        .first()
        .filter(|head| head.due.is_none_or(|due| due <= tx.now))
    else {
        lane::release(tx, lane)?;
        return Ok(None);
    };
    if head.said.is_none() {
        attempt::park_unreadable(tx, lane, head.row.id)?;
        return Ok(None);
    }
    waiting.truncate(match &digest {
        Some(away) => pile(&waiting, away, tx.now),
        None => company(&waiting, tx.now),
    });
    let turn = waiting.last().map_or(0, |newest| newest.row.id);
    mark(tx, lane, turn, &waiting)?;
    // The newest row's and not the lane's: a lane may be wider than a conversation (scopes `instance`, `sender`).
    let conversation = waiting
        .last()
        .and_then(|newest| newest.conversation.clone())
        .unwrap_or_default();
    let attempt = waiting.first().map_or(0, |head| head.attempts) + 1;
    let thread = waiting.last().and_then(|newest| newest.thread.clone());
    let session_key = waiting
        .first()
        .map(|head| head.session_key.clone())
        .unwrap_or_default();
    Ok(Some(ClaimedTurn {
        id: turn,
        channel: home.id,
        workspace: home.workspace.clone(),
        slug: home.slug.clone(),
        session_key,
        conversation,
        thread,
        attempt,
        is_digest: digest.is_some(),
        rows: waiting.into_iter().map(Waiting::claimed).collect(),
    }))
}

/// D14: how many of the first rows may share a turn: ready ones of one session and
/// place. One that has failed has a turn of its own, and so has a task's: it has its creator's rights and nobody else's.
fn company(waiting: &[Waiting], now: UnixMs) -> usize {
    let Some(head) = waiting.first().filter(|head| head.attempts == 0 && !head.is_fire) else {
        return 1;
    };
    waiting
        .iter()
        .take_while(|row| row.fits(head, now))
        .count()
        .max(1)
}

/// How many of the first rows are one digest: those that piled up, of one session and place, as far as one prompt goes. Unlike
/// other company they stay together when their turn fails: what came in a night must not become a turn each after a hiccup.
fn pile(waiting: &[Waiting], away: &Away, now: UnixMs) -> usize {
    let Some(head) = waiting.first() else { return 0 };
    let mut bytes = 0;
    let fits = |row: &&Waiting| {
        bytes += row.said.as_ref().map_or(0, |said| said.content.len());
        bytes <= DIGEST_BYTES && row.piled_up(away) && row.fits(head, now)
    };
    waiting.iter().take_while(fits).count().max(1)
}

/// `+`: the planner looks at a bare bound LIMIT, and SQLite then prepares the statement anew each time it is bound.
fn first_rows(tx: &Tx<'_>, lane: i64, max_rows: usize) -> Result<Vec<Waiting>, StoreError> {
    tx.all(
        "SELECT id, COALESCE(shown_id, platform_id), payload, prompt, sender, role, sent_ms, has_files, session_key, thread, due_ms,
           retry_count, conversation, claimed_ms, turn, fire, created_at
         FROM messages WHERE lane = ?1 AND direction = 'inbound' AND status = 'pending' AND gap IS NULL
         ORDER BY order_key, id LIMIT +?2",
        (lane, i64::try_from(max_rows).unwrap_or(i64::MAX)),
        |row| {
            let (sent, stored) = (row.get::<_, Option<UnixMs>>(6)?, row.get::<_, String>(16)?);
            Ok(Waiting {
                since: sent.zip(UnixMs::from_iso(&stored)),
                said: Said::read(&row.get::<_, String>(2)?),
                row: ClaimedRow {
                    id: row.get(0)?,
                    platform_id: row.get(1)?,
                    content: String::new(),
                    prompt: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                    sender: row.get(4)?,
                    role: row.get(5)?,
                    sent_at: sent.unwrap_or(UnixMs(0)),
                    metadata: serde_json::Map::new(),
                    has_files: row.get(7)?,
                },
                session_key: row.get::<_, Option<String>>(8)?.unwrap_or_default(),
                thread: row.get(9)?,
                due: row.get(10)?,
                attempts: row.get(11)?,
                conversation: row.get(12)?,
                before: (row.get(13)?, row.get(14)?),
                is_fire: row.get::<_, Option<i64>>(15)?.is_some(),
            })
        },
    )
}

impl Waiting {
    /// Whether it may share a turn with `head`: it is ready, of the same session, as often tried, and no task's.
    fn fits(&self, head: &Self, now: UnixMs) -> bool {
        self.attempts == head.attempts
            && !self.is_fire
            && self.said.is_some()
            && self.session_key == head.session_key
            // One answer goes to one place.
            && (&self.conversation, &self.thread) == (&head.conversation, &head.thread)
            && self.due.is_none_or(|due| due <= now)
    }

    /// A task's turn did not pile up: what becomes of a missed run is the task's own rule.
    fn piled_up(&self, away: &Away) -> bool {
        let is_old = self
            .since
            .is_some_and(|(sent, stored)| away.piled_up(sent, stored));
        is_old && !self.is_fire
    }

    fn claimed(self) -> ClaimedRow {
        let mut row = self.row;
        if let Some(said) = self.said {
            // A prompt is stored only where it differs from the content.
            if row.prompt.is_empty() {
                row.prompt.clone_from(&said.content);
            }
            row.content = said.content;
            row.metadata = said.metadata;
        }
        row
    }
}

/// The row will remember this claim alone: an earlier one, and this one behind it, go into its trail.
fn note_repeated(tx: &Tx<'_>, turn: i64, row: &Waiting) -> Result<(), StoreError> {
    let (Some(_), before) = row.before else {
        return Ok(());
    };
    let (id, attempt) = (row.row.id, row.attempts + 1);
    trail::claimed_before(tx, id, row.before.0, &trail::attempt(attempt, id, before))?;
    tx.trail(id, trail::CLAIMED, Some(&trail::attempt(attempt, id, Some(turn))))
}

fn mark(tx: &mut Tx<'_>, lane: i64, turn: i64, waiting: &[Waiting]) -> Result<(), StoreError> {
    for row in waiting {
        note_repeated(tx, turn, row)?;
        tx.run(
            "UPDATE messages SET status = 'processing', claimed_ms = ?2, turn = ?3, turn_rows = NULL, due_ms = NULL WHERE id = ?1",
            (row.row.id, tx.now, turn),
        )?;
    }
    if waiting.len() > 1 {
        let ids: Vec<i64> = waiting.iter().map(|row| row.row.id).collect();
        tx.run(
            "UPDATE messages SET turn_rows = ?2 WHERE id = ?1",
            (turn, crate::payload::write(&ids)),
        )?;
    }
    tx.run(
        "UPDATE kata_lanes SET state = 'busy', turn = ?2, turn_ms = ?3, due_ms = NULL WHERE id = ?1",
        (lane, turn, tx.now),
    )?;
    Ok(())
}
