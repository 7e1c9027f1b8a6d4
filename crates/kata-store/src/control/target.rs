//! Which row a message of the platform is, now: itself, or what stands for it.

use crate::{StoreError, channel::Home, tx::Tx};

/// The newest inbound row of a message: its own, the one by which it was asked again, or its edit that became a turn.
pub(crate) fn standing_for(
    tx: &Tx<'_>,
    home: &Home,
    conversation: &str,
    platform_id: &str,
) -> Result<Option<i64>, StoreError> {
    let newest: Option<i64> = tx.one(
        "SELECT MAX(id) FROM (
           SELECT id FROM messages WHERE channel = ?1 AND conversation = ?2 AND platform_id = ?3 AND direction = 'inbound'
           UNION ALL
           SELECT id FROM messages WHERE channel = ?1 AND conversation = ?2 AND shown_id = ?3 AND direction = 'inbound')",
        (home.id, conversation, platform_id),
    )?;
    Ok(newest)
}

/// The newest edit of a message that was taken, whichever row took it.
pub(crate) fn newest_edit(
    tx: &Tx<'_>,
    home: &Home,
    conversation: &str,
    platform_id: &str,
) -> Result<Option<i64>, StoreError> {
    tx.one(
        "SELECT MAX(edited) FROM (
           SELECT edited FROM messages WHERE channel = ?1 AND conversation = ?2 AND platform_id = ?3
           UNION ALL
           SELECT edited FROM messages WHERE channel = ?1 AND conversation = ?2 AND shown_id = ?3)",
        (home.id, conversation, platform_id),
    )
}

/// The inbound row that a reaction is about: of a part of an answer, the one that is answered.
pub(super) fn find(
    tx: &Tx<'_>,
    home: &Home,
    conversation: &str,
    platform_id: &str,
) -> Result<Option<i64>, StoreError> {
    if let Some(row) = standing_for(tx, home, conversation, platform_id)? {
        return Ok(Some(row));
    }
    let answered: Option<Option<i64>> = tx.first(
        "SELECT m.answers FROM kata_parts p JOIN messages m ON m.id = p.answer
         WHERE p.platform_id = ?3 AND m.channel = ?1 AND m.conversation = ?2 ORDER BY m.id DESC LIMIT 1",
        (home.id, conversation, platform_id),
        |row| row.get(0),
    )?;
    Ok(answered.flatten())
}
