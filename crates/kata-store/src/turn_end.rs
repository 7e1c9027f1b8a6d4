//! Turns that end well, or are given back (D11, D13, D17).

use crate::{
    Answer, Finished, Record, SessionName, StoreError, adopt,
    answer::{self, NewAnswer},
    channel,
    lane::{self, Lane},
    row::{self, End, Ending},
    session, trail,
    tx::Tx,
    words::Status,
};

// D13: a first success is taken whenever it comes; a second one for an answered row changes nothing.
pub(crate) fn finish(
    tx: &mut Tx<'_>,
    turn: i64,
    answer: Option<Answer>,
    record: &Record,
) -> Result<Finished, StoreError> {
    let Some(row) = reached(tx, turn)? else {
        return Ok(Finished::Unknown);
    };
    let (Some(lane), Some(channel)) = (row.lane, row.channel) else {
        return Ok(if row.status == Status::Processed {
            Finished::Already
        } else {
            Finished::Unknown
        });
    };
    if row.status == Status::Processed {
        return Ok(Finished::Already);
    }
    let Some(found) = lane::by_id(tx, lane)? else {
        return Ok(Finished::Unknown);
    };
    let mut ended = None;
    if let Some(key) = &row.session_key
        && session::turned(tx, &found, key, record)?
    {
        let home = channel::load(tx, found.channel)?;
        ended = Some(SessionName {
            workspace: home.workspace,
            slug: home.slug,
            key: key.clone(),
        });
    }
    let answer = match answer.filter(|answer| !answer.content.is_empty() || answer.parts.is_some()) {
        Some(answer) => Some(store_answer(tx, &row, &found, &answer)?),
        None => None,
    };
    let rows = row.rows();
    let done = End {
        outcome: "done",
        reason: None,
        answer,
    };
    for id in rows.iter().filter(|id| **id != turn) {
        if let Some(other) = row::load(tx, *id)?.filter(|row| row.status != Status::Processed) {
            row::end(tx, &other, channel, &done)?;
        }
    }
    row::end(tx, &row, channel, &done)?;
    lane::rows_ended(tx, &found, &rows)?;
    Ok(Finished::Done { answer, ended })
}

/// The inbound row of a turn, which an earlier daemon, 0.7 too, may have opened.
fn reached(tx: &mut Tx<'_>, turn: i64) -> Result<Option<Ending>, StoreError> {
    let row = row::load(tx, turn)?.filter(Ending::is_inbound);
    if !row.as_ref().is_some_and(Ending::is_foreign) {
        return Ok(row);
    }
    adopt::one(tx, turn)?;
    row::load(tx, turn)
}

// D17: the turn's end and its raw answer are one commit.
fn store_answer(tx: &mut Tx<'_>, row: &Ending, lane: &Lane, answer: &Answer) -> Result<i64, StoreError> {
    let new = NewAnswer {
        lane,
        answers: row.id,
        thread: row.reply_thread.as_deref(),
        content: &answer.content,
    };
    let id = answer::insert(tx, &new)?;
    if let Some(parts) = answer.parts.as_ref().filter(|_| !lane.keeps) {
        answer::split(tx, id, parts)?;
    }
    if !lane.is_sending {
        answer::release(tx, lane.id)?;
    }
    Ok(id)
}

// D11: given back uncounted after `stop` or a signal.
pub(crate) fn give_back(tx: &mut Tx<'_>, turn: i64) -> Result<(), StoreError> {
    let Some((row, lane)) = row::open(tx, turn)? else {
        return Ok(());
    };
    for id in row.rows() {
        let Some(row) = row::load(tx, id)?.filter(|row| row.status == Status::Processing) else {
            continue;
        };
        tx.run("UPDATE messages SET status = 'pending' WHERE id = ?1", [id])?;
        trail::first_claim(tx, &row)?;
        tx.trail(id, "given back", None)?;
    }
    lane::release(tx, lane)
}

pub(crate) fn give_back_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let turns = tx.all(
        "SELECT turn FROM kata_lanes WHERE state = 'busy' AND turn IS NOT NULL",
        [],
        |row| row.get(0),
    )?;
    for turn in turns {
        give_back(tx, turn)?;
    }
    Ok(())
}
