//! Claiming a run: once a slot, one at a time, in the transaction that moves its task on.

use super::{Fire, FireWhat, Fired, NextRun, Skipped, due, edit, end, turn};
use crate::{FireState, StoreError, UnixMs, tx::Tx};

/// Why a run is passed over whose predecessor has not ended.
const OVERLAPS: &str = "the run before it had not ended";

pub(crate) fn fire(tx: &mut Tx<'_>, fire: &Fire) -> Result<Fired, StoreError> {
    tx.disk.require()?;
    let Some(role) = role(tx, fire)? else {
        return Ok(Fired::Gone);
    };
    let fired = take(tx, fire, &role)?;
    advance(tx, fire.task, fire.next_run)?;
    Ok(fired)
}

/// The role of the task's turns. None: it does not run.
fn role(tx: &Tx<'_>, fire: &Fire) -> Result<Option<String>, StoreError> {
    let found = tx.first(
        "SELECT t.enabled, COALESCE(k.role, 'owner') FROM scheduled_tasks t LEFT JOIN kata_tasks k ON k.task = t.id
         WHERE t.id = ?1",
        [fire.task],
        |row| Ok((row.get::<_, bool>(0)?, row.get(1)?)),
    )?;
    let by_hand = fire.next_run == NextRun::Stays;
    Ok(found
        .filter(|(enabled, _)| *enabled || by_hand)
        .map(|(_, role)| role))
}

fn take(tx: &mut Tx<'_>, fire: &Fire, role: &str) -> Result<Fired, StoreError> {
    let known: bool = tx.one(
        "SELECT EXISTS (SELECT 1 FROM kata_fires WHERE task = ?1 AND slot_ms = ?2)",
        (fire.task, fire.slot),
    )?;
    if known {
        return Ok(Fired::Known);
    }
    if end::is_running(tx, fire.task)? {
        record(tx, fire.task, fire.slot, 1, OVERLAPS)?;
        return Ok(Fired::Overlaps);
    }
    let place = match &fire.what {
        FireWhat::Turn(turn) => Some((turn, turn::place(tx, turn)?)),
        FireWhat::Action => None,
    };
    // A fire is kept for a shorter time than what is left of its turn.
    if let Some((_, place)) = &place
        && place.knows(tx, fire)?
    {
        return Ok(Fired::Known);
    }
    let id = tx.insert(
        "INSERT INTO kata_fires (task, slot_ms, state, claimed_ms) VALUES (?1, ?2, ?3, ?4)",
        (fire.task, fire.slot, FireState::Running, tx.now),
    )?;
    let turn = match place {
        Some((turn, place)) => Some(place.open(tx, (id, fire), turn, role)?),
        None => None,
    };
    tx.run(
        "UPDATE scheduled_tasks SET last_run_at = ?2 WHERE id = ?1",
        (fire.task, tx.now.to_iso()),
    )?;
    Ok(Fired::Taken { fire: id, turn })
}

fn advance(tx: &mut Tx<'_>, task: i64, next: NextRun) -> Result<(), StoreError> {
    match next {
        NextRun::Stays => return Ok(()),
        NextRun::At(at) => tx.run(
            "UPDATE scheduled_tasks SET next_run_at = ?2 WHERE id = ?1",
            (task, due::text(at)),
        )?,
        NextRun::Never => {
            edit::ours(tx, task)?;
            tx.run(
                "UPDATE kata_tasks SET over_ms = ?2 WHERE task = ?1",
                (task, tx.now),
            )?;
            tx.run("UPDATE scheduled_tasks SET enabled = 0 WHERE id = ?1", [task])?
        }
    };
    tx.wake.tasks = true;
    Ok(())
}

/// Records runs that are not made up for. False: there is no such task, or it does not run.
pub(crate) fn skip(tx: &mut Tx<'_>, skipped: &Skipped) -> Result<bool, StoreError> {
    let armed: bool = tx.one(
        "SELECT EXISTS (SELECT 1 FROM scheduled_tasks WHERE id = ?1 AND enabled = 1)",
        [skipped.task],
    )?;
    if armed {
        record(tx, skipped.task, skipped.slot, skipped.slots, &skipped.reason)?;
        advance(tx, skipped.task, skipped.next_run)?;
    }
    Ok(armed)
}

/// A slot that has a fire keeps it: recorded again, after a reply that was lost, it changes nothing.
fn record(tx: &mut Tx<'_>, task: i64, slot: UnixMs, slots: u64, reason: &str) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO kata_fires (task, slot_ms, state, slots, claimed_ms, ended_ms, error)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) ON CONFLICT DO NOTHING",
        (
            task,
            slot,
            FireState::Skipped,
            i64::try_from(slots).unwrap_or(i64::MAX),
            tx.now,
            reason,
        ),
    )?;
    Ok(())
}
