//! A code is confirmed, or what was confirmed is taken back.

use super::{MISSES, Pairing, PairingCode, PairingFn, PairingOutcome, WINDOW, find};
use crate::{
    AuditKind, PairingState, StoreError, UnixMs,
    answer::{self, NewAnswer},
    audit::{self, Entry},
    lane, row,
    tx::Tx,
};

/// Lets the sender in whose code it is. Wrong codes are counted, and when there are too many none is heard for a while.
pub(crate) fn confirm(tx: &mut Tx<'_>, given: PairingCode) -> Result<PairingOutcome, StoreError> {
    let since = tx.now.minus(WINDOW);
    tx.run("DELETE FROM kata_pairing_misses WHERE at_ms <= ?1", [since])?;
    if let Some(until) = locked_until(tx)? {
        return Ok(PairingOutcome::Locked(until));
    }
    let code: String = given.code.chars().filter(char::is_ascii_alphanumeric).collect();
    let found = find::by_code(tx, &code.to_ascii_uppercase())?.filter(|found| {
        let here =
            |(workspace, slug): &(String, String)| found.workspace == *workspace && found.slug == *slug;
        given.channel.as_ref().is_none_or(here)
    });
    let Some(mut found) = found.filter(|found| tx.now < found.expires_at) else {
        tx.run("INSERT INTO kata_pairing_misses (at_ms) VALUES (?1)", [tx.now])?;
        let expired =
            find::by_code(tx, &code.to_ascii_uppercase())?.filter(|found| found.expires_at <= tx.now);
        return Ok(expired.map_or(PairingOutcome::Unknown, PairingOutcome::Expired));
    };
    tx.run(
        "UPDATE kata_pairings SET state = 'paired', paired_ms = ?2, paired_by = ?3 WHERE id = ?1",
        (found.id, tx.now, &given.by),
    )?;
    found.state = PairingState::Paired;
    found.paired_at = Some(tx.now);
    note(tx, &found, AuditKind::Paired, &given.by)?;
    found.paired_by = Some(given.by);
    tell(tx, &found, given.tell)?;
    Ok(PairingOutcome::Paired(found))
}

/// None: the next code is heard.
fn locked_until(tx: &Tx<'_>) -> Result<Option<UnixMs>, StoreError> {
    let misses: i64 = tx.one("SELECT COUNT(*) FROM kata_pairing_misses", [])?;
    if misses < MISSES {
        return Ok(None);
    }
    let oldest: UnixMs = tx.one("SELECT MIN(at_ms) FROM kata_pairing_misses", [])?;
    Ok(Some(oldest.plus(WINDOW)))
}

/// Says so where the sender asked: the sender cannot know otherwise when to write again.
fn tell(tx: &mut Tx<'_>, paired: &Pairing, text: PairingFn) -> Result<(), StoreError> {
    let asked = find::message(tx, paired.id)?;
    let Some(asked) = row::load(tx, asked)? else {
        return Ok(());
    };
    let lane = match asked.lane {
        Some(lane) => lane::by_id(tx, lane)?,
        None => None,
    };
    let (Some(lane), text) = (lane, text(paired)) else {
        return Ok(());
    };
    if text.is_empty() {
        return Ok(());
    }
    let new = NewAnswer {
        lane: &lane,
        answers: asked.id,
        thread: asked.reply_thread.as_deref(),
        content: &text,
    };
    let said = answer::insert(tx, &new)?;
    answer::notice_part(tx, said, &text, &format!("notice:paired:{}", asked.id))?;
    answer::refresh(tx, lane.id)
}

/// Takes a pairing back, or a code that was given. None: there is nothing to take back.
pub(crate) fn revoke(tx: &mut Tx<'_>, id: i64, by: &str) -> Result<Option<Pairing>, StoreError> {
    let Some(mut found) = find::one(tx, id)?.filter(Pairing::is_live) else {
        return Ok(None);
    };
    tx.run(
        "UPDATE kata_pairings SET state = 'revoked', over_ms = ?2, over_by = ?3 WHERE id = ?1",
        (id, tx.now, by),
    )?;
    if found.state == PairingState::Paired {
        note(tx, &found, AuditKind::Unpaired, by)?;
    }
    found.state = PairingState::Revoked;
    found.over_at = Some(tx.now);
    Ok(Some(found))
}

/// Who may have an agent work is as much a matter of the record as what the agent may do.
fn note(tx: &mut Tx<'_>, pairing: &Pairing, kind: AuditKind, by: &str) -> Result<(), StoreError> {
    let whom = format!("pairing {} of {}", pairing.id, pairing.sender);
    audit::append(
        tx,
        &Entry {
            workspace: Some(&pairing.workspace),
            slug: Some(&pairing.slug),
            reason: Some(&whom),
            by: Some(by),
            ..Entry::new(kind)
        },
    )?;
    Ok(())
}

impl Pairing {
    fn is_live(&self) -> bool {
        matches!(self.state, PairingState::Asked | PairingState::Paired)
    }
}
