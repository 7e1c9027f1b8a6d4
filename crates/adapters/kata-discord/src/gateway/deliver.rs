//! From events to rows: each to every channel that takes it (D1, D5).

use std::sync::Arc;

use futures_util::future::try_join_all;
use kata_channel::{Error, Inbound};

use super::{
    Desk, Seat, ack,
    frame::{Event, What},
};
use crate::{account::Account, rest::wire::Nonce};

/// Hands a batch of one channel's events over. Returns their numbers: they are stored, or nothing to anybody.
pub(super) async fn deliver(
    account: Arc<Account>,
    seats: Vec<Arc<Seat>>,
    batch: Vec<Event>,
) -> Result<Vec<u64>, Error> {
    for chunk in batch.chunk_by(|a, b| !is_interaction(a) && !is_interaction(b)) {
        match chunk {
            [
                event @ Event {
                    what: What::Interaction(interaction),
                    ..
                },
            ] => {
                // A command where no channel is at home goes to the first that takes it, since two answers would be one too many.
                // Only its own channel knows what a press answers.
                let most = if crate::read::is_press(interaction) {
                    usize::MAX
                } else {
                    1
                };
                // Silence for strangers (D27): nobody took what they said, and nobody acknowledges it.
                if hand_over(&seats, chunk, most).await? > 0 {
                    ack::acknowledge(&account, event, interaction).await;
                }
            }
            messages => drop(hand_over(&seats, messages, usize::MAX).await?),
        }
    }
    note(&account, &batch);
    Ok(batch.iter().map(|event| event.seq).collect())
}

fn is_interaction(event: &Event) -> bool {
    matches!(event.what, What::Interaction(_))
}

/// To how many rows, new or known, the events came. A desk at home in the place is asked before one that takes what comes.
async fn hand_over(seats: &[Arc<Seat>], events: &[Event], most: usize) -> Result<usize, Error> {
    let mut takers = Vec::new();
    for seat in seats {
        let messages = take(&seat.desk, events).await?;
        if !messages.is_empty() {
            let is_home = messages
                .iter()
                .any(|m| seat.desk.names(m.place.conversation.as_str()));
            takers.push((!is_home, seat, messages));
        }
    }
    takers.sort_by_key(|(is_guest, ..)| *is_guest);
    let pushes = takers
        .into_iter()
        .take(most)
        .map(|(_, seat, messages)| seat.sink.push(messages));
    let admitted = try_join_all(pushes).await?;
    Ok(admitted.iter().map(|done| done.new + done.known).sum())
}

/// What the events of one channel mean to a desk.
async fn take(desk: &Desk, events: &[Event]) -> Result<Vec<Inbound>, Error> {
    let [first, ..] = events else {
        return Ok(Vec::new());
    };
    if !desk.is_in(first.guild.as_deref()) {
        return Ok(Vec::new());
    }
    let me = desk.account.me()?;
    let Some(place) = desk.place(&first.channel).await? else {
        return Ok(Vec::new());
    };
    if let Some(guild) = &first.guild
        && let Err(error) = desk
            .account
            .atlas
            .learn_roles(guild, &me.user, &desk.account.rest)
            .await
    {
        tracing::debug!(code = error.code(), "our roles in a discord server are not known");
    }
    let read = events
        .iter()
        .filter(|event| desk.takes(&place, &event.what))
        .filter_map(|event| desk.read(event, &place, &me));
    Ok(read.collect())
}

/// Our own messages come back with the nonce that they were sent with: then they have arrived.
fn note(account: &Account, batch: &[Event]) {
    let Ok(me) = account.me() else { return };
    for event in batch {
        if let What::Said(message) = &event.what
            && message.author.as_ref().is_some_and(|author| author.id == me.user)
            && let Some(Nonce::Text(nonce)) = &message.nonce
        {
            account.note_nonce(nonce, &message.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_server_that_is_named_keeps_others_and_direct_conversations_out() {
        let mut desk = Desk::for_test("team", &["4"]);
        Arc::get_mut(&mut desk).unwrap().guild = Some("7".into());
        let event = |guild: Option<&str>| Event {
            seq: 1,
            received: Instant::now(),
            channel: "4".into(),
            guild: guild.map(str::to_owned),
            what: What::Deleted("1448000000000000001".into()),
        };
        for elsewhere in [None, Some("8")] {
            let taken = take(&desk, &[event(elsewhere)]).await.unwrap();
            assert!(taken.is_empty(), "{elsewhere:?}");
        }
        Arc::get_mut(&mut desk).unwrap().guild = None;
        assert_eq!(take(&desk, &[event(None)]).await.unwrap().len(), 1);
    }
}
