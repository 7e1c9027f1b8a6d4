//! Notices in the conversation (D22): at most one an hour, naming how many messages it is about.

use std::time::Duration;

use crate::{
    ChannelId, NoticeFn, StoreError, UnixMs,
    answer::{self, NewAnswer},
    lane, row,
    tx::Tx,
    words::Status,
};

const INTERVAL: Duration = Duration::from_secs(3600);

/// Says that a message was given up. None: something was said within the hour, and the next notice counts this one in.
pub(crate) fn parked(tx: &mut Tx<'_>, row: i64, text: &NoticeFn) -> Result<Option<i64>, StoreError> {
    let Some(found) = row::load(tx, row)?.filter(|row| row.status == Status::Failed) else {
        return Ok(None);
    };
    let Some(lane) = found
        .lane
        .map(|lane| lane::by_id(tx, lane))
        .transpose()?
        .flatten()
    else {
        return Ok(None);
    };
    let Some(count) = due(tx, lane.channel, &lane.conversation)? else {
        return Ok(None);
    };
    let text = text(count);
    if text.is_empty() {
        return Ok(None);
    }
    let new = NewAnswer {
        lane: &lane,
        answers: row,
        thread: found.reply_thread.as_deref(),
        content: &text,
    };
    let notice = answer::insert(tx, &new)?;
    answer::notice_part(tx, notice, &text, &format!("notice:parked:{row}"))?;
    tx.trail(row, "conversation told", Some(&format!("row {notice}")))?;
    answer::refresh(tx, lane.id)?;
    Ok(Some(notice))
}

/// How many there are to speak of, if it is time to speak.
fn due(tx: &mut Tx<'_>, channel: ChannelId, conversation: &str) -> Result<Option<u64>, StoreError> {
    let last: Option<(UnixMs, i64)> = tx.first(
        "SELECT said_ms, unsaid FROM kata_notices WHERE channel = ?1 AND conversation = ?2",
        (channel, conversation),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if let Some((said, _)) = last
        && tx.now.since(said) < INTERVAL
    {
        tx.run(
            "UPDATE kata_notices SET unsaid = unsaid + 1 WHERE channel = ?1 AND conversation = ?2",
            (channel, conversation),
        )?;
        return Ok(None);
    }
    tx.run(
        "INSERT INTO kata_notices (channel, conversation, said_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (channel, conversation) DO UPDATE SET said_ms = excluded.said_ms, unsaid = 0",
        (channel, conversation, tx.now),
    )?;
    Ok(Some(1 + last.map_or(0, |(_, unsaid)| unsaid.unsigned_abs())))
}
