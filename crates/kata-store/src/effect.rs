//! Messages that are consumed without a turn: each leaves a row that is already `processed`, in the transaction of its
//! effect, so that seen again it does nothing (D2).

use crate::{
    Answered, AnsweredWhat, Effect, LaneView, NewMessage, Outcome, ReplyFn, StoreError,
    admit::{self, Waiting},
    answer::{self, NewAnswer},
    approval, cancel,
    channel::Home,
    control::{self, Asker},
    lane::{self, Lane},
    pairing, reset, session,
    tx::Tx,
};

/// Waiting messages are counted to here for a chat command: the user is told that there are many, not how many.
const COUNTED: i64 = 10_000;

pub(crate) fn consume(
    tx: &mut Tx<'_>,
    home: &Home,
    message: NewMessage,
    effect: Effect,
) -> Result<Outcome, StoreError> {
    let mut lane = admit::open_lane(tx, home, &message)?;
    let reply_thread = message.reply_thread.clone();
    let asker = Asker::from(&message);
    let key = session::key(tx, home, &lane);
    let row = admit::insert(tx, home, &lane, message, &Waiting { key: &key, gap: None })?;
    let (mut cancelled, mut ended_session, mut answered, mut pairing) = (None, None, None, None);
    let mut session_started = None;
    let (name, reason, reply) = match effect {
        Effect::Skip { reason } => ("skipped", Some(reason), None),
        Effect::Reply(reply) => ("reply", None, Some(reply)),
        Effect::Reset(reply) => {
            ended_session = reset::reset(tx, &mut lane)?;
            ("reset", None, Some(reply))
        }
        Effect::Stop(reply) => {
            cancelled = stop(tx, &lane)?;
            ("stop", None, Some(reply))
        }
        Effect::Approval(effect) => {
            let (heard, text) = approval::consume(tx, home.id, &asker.conversation, effect)?;
            let reason = told(&heard);
            answered = Some(Box::new(heard));
            let reply: ReplyFn = Box::new(move |_| text);
            ("approval", Some(reason), Some(reply))
        }
        Effect::Control(effect) => {
            let done = control::control(tx, home, &asker, &effect)?;
            cancelled = done.cancelled;
            session_started = done.session_started;
            ("control", Some(done.what.to_owned()), None)
        }
        Effect::Pairing(effect) => match pairing::ask(tx, home, row, &asker.sender, effect.name)? {
            Ok(asked) => {
                let text = (effect.tell)(&asked);
                pairing = Some(Box::new(asked));
                let reply: ReplyFn = Box::new(move |_| text);
                ("pairing", None, Some(reply))
            }
            Err(why) => ("pairing", Some(why.to_owned()), None),
        },
    };
    tx.run(
        "UPDATE messages SET status = 'processed', outcome = ?2, error = ?3, processed_at = ?4, due_ms = NULL WHERE id = ?1",
        (row, name, reason, tx.now.to_iso()),
    )?;
    let reply = match reply {
        Some(reply) => say(tx, home, lane.id, row, reply_thread, cancelled, (name, reply))?,
        None => None,
    };
    Ok(Outcome::Consumed {
        row,
        reply,
        cancelled,
        ended_session,
        session_started,
        answered,
        pairing,
    })
}

/// What `explain` tells of an answer to a question.
fn told(answered: &Answered) -> String {
    let what = match answered.what {
        AnsweredWhat::Taken => "counts",
        AnsweredWhat::NotAllowed => "is nobody's who may answer",
        AnsweredWhat::Already => "comes second",
        AnsweredWhat::TooLate => "comes too late",
        AnsweredWhat::Unknown => return "an answer to no question".to_owned(),
    };
    let id = answered.approval.as_ref().map_or(0, |approval| approval.id);
    format!("this answer to approval {id} {what}")
}

fn stop(tx: &mut Tx<'_>, lane: &Lane) -> Result<Option<i64>, StoreError> {
    let Some(turn) = lane.turn else { return Ok(None) };
    Ok(cancel::cancel(tx, turn, "stopped by a chat command")?.then_some(turn))
}

/// Answers a command. The user asked, so this is an answer and under no limit of notices.
fn say(
    tx: &mut Tx<'_>,
    home: &Home,
    lane: i64,
    row: i64,
    thread: Option<String>,
    cancelled: Option<i64>,
    (name, reply): (&str, ReplyFn),
) -> Result<Option<i64>, StoreError> {
    let Some(lane) = lane::by_id(tx, lane)? else {
        return Ok(None);
    };
    let text = reply(&view(tx, home, &lane, cancelled)?);
    if text.is_empty() {
        return Ok(None);
    }
    let key = format!("notice:{name}:{row}");
    let answer = answer::insert(
        tx,
        &NewAnswer {
            lane: &lane,
            answers: row,
            thread: thread.as_deref(),
            content: &text,
        },
    )?;
    answer::notice_part(tx, answer, &text, &key)?;
    tx.run("UPDATE messages SET answer = ?2 WHERE id = ?1", (row, answer))?;
    answer::refresh(tx, lane.id)?;
    Ok(Some(answer))
}

fn view(tx: &Tx<'_>, home: &Home, lane: &Lane, cancelled: Option<i64>) -> Result<LaneView, StoreError> {
    let waiting: i64 = tx.one(
        "SELECT COUNT(*) FROM (SELECT 1 FROM messages
           WHERE lane = ?1 AND direction = 'inbound' AND status = 'pending' AND gap IS NULL LIMIT ?2)",
        (lane.id, COUNTED),
    )?;
    let parked: i64 = tx.one(
        "SELECT COUNT(*) FROM messages WHERE channel = ?1 AND lane = ?2 AND status = 'failed' AND direction = 'inbound'",
        (lane.channel, lane.id),
    )?;
    Ok(LaneView {
        session_key: session::key(tx, home, lane),
        generation: lane.generation,
        waiting: waiting.unsigned_abs(),
        parked: parked.unsigned_abs(),
        running_since: lane.turn_at,
        cancelled,
    })
}
