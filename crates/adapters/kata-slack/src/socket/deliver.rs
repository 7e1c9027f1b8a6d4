//! From events to rows: each to every channel that takes it, acknowledged when all have committed (D1, D5).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use kata_channel::Error;

use super::{
    Desk, Seat,
    envelope::{Event, What},
};
use crate::{names::Lexicon, read};

/// Slack gives an envelope three seconds, then counts it as failed and sends it again
/// (<https://docs.slack.dev/apis/events-api/using-socket-mode#acknowledge>).
const ACK_WITHIN: Duration = Duration::from_secs(3);

/// Hands a batch of one conversation's events over. Returns the envelopes to acknowledge: an acknowledgement that
/// comes too late means nothing to Slack, and the copy it sends instead is the same row (D2).
pub(super) async fn deliver(seats: Vec<Arc<Seat>>, batch: Vec<Event>) -> Result<Vec<String>, Error> {
    let taken = assign(&seats, &batch);
    try_join_all(taken.iter().map(|(seat, events)| hand_over(seat, events))).await?;
    Ok(batch
        .into_iter()
        .filter(|event| event.received.elapsed() < ACK_WITHIN)
        .map(|event| event.envelope)
        .collect())
}

/// Which seat gets which events. A command where no channel is at home goes to the first that would take it, since
/// two answers would be one too many.
fn assign<'a>(seats: &'a [Arc<Seat>], batch: &'a [Event]) -> Vec<(&'a Seat, Vec<&'a Event>)> {
    let mut taken: Vec<(&Seat, Vec<&Event>)> = seats.iter().map(|seat| (&**seat, Vec::new())).collect();
    for event in batch {
        let takers = taken.iter_mut().filter(|(seat, _)| seat.desk.takes(event));
        let most = match event.what {
            What::Command(_) => 1,
            // Only its own channel knows what a press answers, or a reaction is on.
            What::Message { .. } | What::Press(_) | What::Reaction(_) => usize::MAX,
        };
        takers.take(most).for_each(|(_, events)| events.push(event));
    }
    taken.retain(|(_, events)| !events.is_empty());
    taken
}

async fn hand_over(seat: &Seat, events: &[&Event]) -> Result<(), Error> {
    let desk = &*seat.desk;
    let me = desk.account.me()?;
    let names = names(desk, events).await;
    let messages: Vec<_> = events
        .iter()
        .filter_map(|event| desk.read(event, &me, &names))
        .collect();
    if !messages.is_empty() {
        seat.sink.push(messages).await?;
    }
    Ok(())
}

async fn names(desk: &Desk, events: &[&Event]) -> Lexicon {
    let mut ids = BTreeSet::new();
    for event in events {
        match &event.what {
            What::Message { message, .. } => read::ids(message, &mut ids),
            What::Press(press) => drop(ids.insert(press.user.clone())),
            // Most ask nothing: nobody's name is asked for.
            What::Reaction(_) => {}
            What::Command(command) => {
                read::ids_of_command(
                    &command.user_id.0,
                    command.text.as_deref().unwrap_or_default(),
                    &mut ids,
                );
            }
        }
    }
    desk.account.names.resolve(ids, &desk.account.web).await
}

#[cfg(test)]
mod tests {
    use kata_channel::{Admitted, Page, drive::Sink};
    use serde_json::json;
    use tokio::time::Instant;
    use tower::{service_fn, util::BoxCloneSyncService};

    use super::*;
    use crate::socket::envelope::{self, Frame};

    fn event(envelope: &str, text: &str) -> Event {
        let event = json!({ "type": "message", "channel": "C1", "ts": "1.000001", "text": text });
        let payload = json!({ "team_id": "T1", "event": event });
        let frame = json!({ "type": "events_api", "envelope_id": envelope, "payload": payload }).to_string();
        match envelope::read(&frame, Instant::now()) {
            Frame::Event(event) => *event,
            other => panic!("{other:?}"),
        }
    }

    /// One channel, whose store answers `stored`.
    fn seats(stored: Result<(), &'static str>) -> Vec<Arc<Seat>> {
        let store =
            service_fn(
                move |_: Page| async move { stored.map(|()| Admitted::default()).map_err(Error::from) },
            );
        let (sink, _) = Sink::new(BoxCloneSyncService::new(store));
        let desk = Desk::for_test("a", &["C1"]);
        vec![Arc::new(Seat { desk, sink })]
    }

    #[tokio::test(start_paused = true)]
    async fn an_acknowledgement_that_would_come_too_late_is_not_given() {
        let late = event("e1", "first");
        tokio::time::advance(ACK_WITHIN).await;
        let acknowledged = deliver(seats(Ok(())), vec![late, event("e2", "second")])
            .await
            .unwrap();
        assert_eq!(acknowledged, ["e2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_acknowledged_that_was_not_stored() {
        assert!(
            deliver(seats(Err("full")), vec![event("e1", "hello")])
                .await
                .is_err()
        );
    }
}
