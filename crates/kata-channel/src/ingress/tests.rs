//! The steps in their order, as a channel has them.

use std::time::Duration;

use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::*;
use crate::{
    error::Error,
    id::Place,
    inbound::{
        Admitted, Advance, ApprovalAnswer, ApprovalDecision, Consumed, Cursor, Disposition, Inbound, Kind,
        Page,
    },
    settings::{Filter, Quota as Limits, Settings},
    time::{ManualClock, Timestamp},
};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// What the store would see of a page in a channel that serves `C1`, is called "kata", has one turn a minute, and asked `7Q4`
/// in `C1` and in `C2`.
async fn admitted(messages: Vec<Inbound>) -> Vec<(String, Disposition, bool)> {
    seen(Page::pushed(messages)).await
}

/// The same, read from history.
async fn caught_up(messages: Vec<Inbound>) -> Vec<(String, Disposition, bool)> {
    let place = Place::conversation("C1");
    let to = Cursor("1".into());
    seen(Page {
        messages,
        advance: Some(Advance::To { place, to }),
    })
    .await
}

async fn seen(page: Page) -> Vec<(String, Disposition, bool)> {
    let filter = Filter {
        trigger_patterns: Some(vec!["kata".into()]),
        channel_ids: Some(vec!["C1".into()]),
    };
    let quota = Limits {
        turns_per_minute: Some(1),
        ..Limits::default()
    };
    let settings = Settings {
        senders: Some(vec!["U1".into()]),
        ..Settings::default()
    };
    let trigger = Trigger::compile(filter.patterns()).expect("a valid pattern");
    let clock = ManualClock::at(NOW).clock();
    let questions = Questions::default();
    for conversation in ["C1", "C2"] {
        questions.add(&conversation.into(), "7Q4");
    }
    let (seen, mut pages) = tokio::sync::mpsc::unbounded_channel();
    let stack = ServiceBuilder::new()
        .layer(EachLayer::new(SenderGate::new(&filter, &settings, [])))
        .layer(EachLayer::new(ApprovalRouter::new(questions, trigger.clone())))
        .layer(EachLayer::new(Addressed::new(&filter)))
        .layer(EachLayer::new(ChatCommands::new(trigger.clone())))
        .layer(EachLayer::new(trigger))
        .layer(CatchUpLayer::new(&settings.catch_up, clock.clone()))
        .layer(EachLayer::new(Quota::new(&quota, clock)))
        .service(service_fn(move |page: Page| {
            let sent = seen.send(page);
            async move { sent.map(|()| Admitted::default()).map_err(Error::from) }
        }));
    stack.oneshot(page).await.expect("the store takes everything");
    let page = pages.recv().await.expect("a page arrived");
    page.messages
        .into_iter()
        .map(|m| (m.text.raw, m.disposition, m.not_before.is_some()))
        .collect()
}

fn by(id: &str, mut message: Inbound) -> Inbound {
    message.sender = sample::sender(id);
    message.id = message.text.raw.as_str().into();
    message
}

#[tokio::test]
async fn only_what_waits_for_a_turn_spends_the_quota() {
    let texts = ["/reset", "hello", "kata one", "kata two"];
    let seen = admitted(texts.map(|text| by("U1", sample::message(text))).into()).await;
    let expect = [
        ("/reset", Disposition::Consumed(Consumed::Reset), false),
        ("hello", Disposition::Refused("without the trigger"), false),
        ("kata one", Disposition::Turn, false),
        ("kata two", Disposition::Turn, true),
    ];
    assert_eq!(
        seen,
        expect.map(|(text, disposition, waits)| (text.to_owned(), disposition, waits))
    );
}

#[tokio::test]
async fn a_stranger_resets_nothing() {
    let seen = admitted(vec![by("U9", sample::message("/reset"))]).await;
    assert_eq!(seen[0].1, Disposition::Refused("a stranger"));
}

#[tokio::test]
async fn an_answer_needs_neither_mention_nor_trigger_and_spends_no_quota() {
    let in_passing = Inbound {
        place: Place::conversation("C2"),
        ..by("U1", sample::message("yes 7q4"))
    };
    let seen = admitted(vec![in_passing, by("U1", sample::message("kata one"))]).await;
    let answer = ApprovalAnswer {
        code: "7Q4".into(),
        decision: ApprovalDecision::AllowOnce,
    };
    assert_eq!(seen[0].1, Disposition::Consumed(Consumed::Approval(answer)));
    assert_eq!((&seen[1].1, seen[1].2), (&Disposition::Turn, false));
}

#[tokio::test]
async fn a_stranger_answers_nothing() {
    let press = Inbound {
        kind: Kind::Press,
        ..by("U9", sample::message("yes 7Q4"))
    };
    let seen = admitted(vec![press, by("U9", sample::message("yes 7Q4"))]).await;
    assert_eq!(seen[0].1, Disposition::Refused("a stranger"));
    assert_eq!(seen[1].1, Disposition::Refused("a stranger"));
}

#[tokio::test]
async fn what_is_too_old_resets_nothing_spends_nothing_and_leaves_no_row_of_a_stranger() {
    let old = |id, text| Inbound {
        sent_at: NOW - Duration::from_secs(73 * 3600),
        ..by(id, sample::message(text))
    };
    let seen = caught_up(vec![
        old("U1", "kata /reset"),
        old("U1", "kata, hello"),
        old("U1", "chatter"),
        old("U9", "kata, hello"),
        Inbound {
            sent_at: NOW,
            ..by("U1", sample::message("kata, now"))
        },
    ])
    .await;
    assert!(matches!(seen[0].1, Disposition::Consumed(Consumed::Skipped(_))));
    assert!(matches!(seen[1].1, Disposition::Consumed(Consumed::Skipped(_))));
    assert_eq!(seen[2].1, Disposition::Refused("without the trigger"));
    assert_eq!(seen[3].1, Disposition::Refused("a stranger"));
    assert_eq!((&seen[4].1, seen[4].2), (&Disposition::Turn, false));
}
