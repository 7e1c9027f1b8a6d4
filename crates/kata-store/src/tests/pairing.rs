//! Letting strangers in by a code.

use std::time::Duration;

use crate::{
    AuditFilter, AuditKind, ChannelId, Effect, OutClaim, OutWork, Outcome, Pairing, PairingCode,
    PairingEffect, PairingOutcome, PairingState, Settle, Store,
};

use super::support::{Fixture, channel, command, message, push};

pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// `sender` writes message `id` in a conversation of its own. The code that it gets.
pub(super) async fn knock(store: &Store, channel: ChannelId, sender: &str, id: i64) -> Option<Pairing> {
    let effect = PairingEffect {
        name: Some(format!("name of {sender}")),
        tell: Box::new(|asked| format!("your code: {}", asked.code)),
    };
    let said = crate::NewMessage {
        sender: sender.to_owned(),
        content: String::new(),
        prompt: String::new(),
        ..message(&format!("D-{sender}"), id)
    };
    match command(store, channel, said, Effect::Pairing(effect)).await {
        Outcome::Consumed { pairing, reply, .. } => {
            assert_eq!(
                pairing.is_some(),
                reply.is_some(),
                "the code is said in its transaction"
            );
            pairing.map(|found| *found)
        }
        Outcome::Known => None,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn confirm(store: &Store, code: &str) -> PairingOutcome {
    let code = PairingCode {
        code: code.to_owned(),
        channel: None,
        by: "U1".to_owned(),
        tell: Box::new(|_| "you are heard now".to_owned()),
    };
    store.pair(code).await.unwrap()
}

async fn next_text(store: &Store, channel: ChannelId) -> Option<String> {
    match store.claim_out(vec![channel]).await.unwrap() {
        OutClaim::Work(OutWork::Send(part)) => {
            let sent = Settle::Sent { platform_id: None };
            store.settle(part.id, sent).await.unwrap();
            Some(part.text)
        }
        _ => None,
    }
}

#[tokio::test]
async fn a_stranger_gets_one_code_and_is_let_in_by_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let asked = knock(&store, channel, "U9", 1).await.unwrap();
    assert_eq!((asked.code.len(), asked.state), (6, PairingState::Asked));
    assert_eq!(asked.name.as_deref(), Some("name of U9"));
    assert_eq!(
        next_text(&store, channel).await,
        Some(format!("your code: {}", asked.code))
    );
    assert_eq!(knock(&store, channel, "U9", 2).await, None, "one code at a time");
    assert_eq!(
        knock(&store, channel, "U9", 1).await,
        None,
        "the same message, seen again"
    );
    assert_eq!(store.paired(channel).await.unwrap(), Vec::<String>::new());

    let spoken = format!(" {}-{} ", asked.code[..3].to_lowercase(), &asked.code[3..]);
    let PairingOutcome::Paired(paired) = confirm(&store, &spoken).await else {
        panic!("the right code")
    };
    assert_eq!(
        (paired.sender.as_str(), paired.paired_by.as_deref()),
        ("U9", Some("U1"))
    );
    assert_eq!(
        next_text(&store, channel).await.as_deref(),
        Some("you are heard now")
    );
    assert_eq!(
        confirm(&store, &asked.code).await,
        PairingOutcome::Unknown,
        "a code is used once"
    );
    assert_eq!(
        knock(&store, channel, "U9", 3).await,
        None,
        "who is let in needs no code"
    );
    store.close().await.unwrap();
    assert_eq!(
        fixture.open().paired(channel).await.unwrap(),
        ["U9"],
        "after a restart too"
    );
}

#[tokio::test]
async fn who_was_let_in_and_put_out_by_whom_is_part_of_the_record() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let code = knock(&store, channel, "U9", 1).await.unwrap();
    let withdrawn = knock(&store, channel, "U8", 2).await.unwrap();
    assert!(matches!(confirm(&store, "NOTONE").await, PairingOutcome::Unknown));
    confirm(&store, &code.code).await;
    for pairing in [code.id, withdrawn.id] {
        assert!(store.unpair(pairing, "U0").await.unwrap().is_some());
        assert!(store.unpair(pairing, "U0").await.unwrap().is_none());
    }
    let record = store.audit(AuditFilter::default(), None, 9).await.unwrap();
    let told: Vec<_> = record
        .iter()
        .map(|row| (row.kind, row.by.as_deref(), row.reason.as_deref()))
        .collect();
    let whom = Some("pairing 1 of U9");
    assert_eq!(
        told,
        [
            (AuditKind::Unpaired, Some("U0"), whom),
            (AuditKind::Paired, Some("U1"), whom)
        ]
    );
    assert_eq!(
        (record[0].workspace.as_deref(), record[0].slug.as_deref()),
        (Some("w"), Some("s"))
    );
}

#[tokio::test]
async fn a_code_is_void_after_an_hour_and_the_next_message_gets_another() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let old = knock(&store, channel, "U9", 1).await.unwrap();
    fixture.advance(HOUR);
    assert!(
        matches!(confirm(&store, &old.code).await, PairingOutcome::Expired(found) if found.sender == "U9")
    );
    let new = knock(&store, channel, "U9", 2).await.unwrap();
    assert_ne!(old.code, new.code);
    assert_eq!(confirm(&store, &old.code).await, PairingOutcome::Unknown);
    assert!(matches!(
        confirm(&store, &new.code).await,
        PairingOutcome::Paired(_)
    ));
}

#[tokio::test]
async fn a_few_strangers_an_hour_get_a_code_in_each_channel() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let one = channel(&store).await;
    let other = store.channel("w", "other").await.unwrap().id;
    for (id, sender) in (1..).zip(["U1", "U2", "U3"]) {
        assert!(knock(&store, one, sender, id).await.is_some(), "{sender}");
    }
    assert_eq!(knock(&store, one, "U4", 4).await, None);
    assert!(
        knock(&store, other, "U4", 4).await.is_some(),
        "another channel has its own"
    );
    fixture.advance(HOUR);
    assert!(knock(&store, one, "U4", 5).await.is_some());
}

#[tokio::test]
async fn after_ten_wrong_codes_the_right_one_is_not_heard_either_for_a_while() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let first = fixture.now();
    for n in 0..10 {
        assert_eq!(
            confirm(&store, "000000").await,
            PairingOutcome::Unknown,
            "guess {n}"
        );
        fixture.advance(Duration::from_secs(60));
    }
    let asked = knock(&store, channel, "U9", 1).await.unwrap();
    store.close().await.unwrap();
    let store = fixture.open();
    let locked = PairingOutcome::Locked(first.plus(HOUR));
    assert_eq!(
        confirm(&store, &asked.code).await,
        locked,
        "a restart forgets nothing"
    );
    fixture.advance(HOUR - Duration::from_secs(10 * 60));
    assert!(matches!(
        confirm(&store, &asked.code).await,
        PairingOutcome::Paired(_)
    ));
}

#[tokio::test]
async fn a_code_counts_in_its_own_channel_alone_when_one_is_named() {
    let store = Fixture::new().open();
    let channel = channel(&store).await;
    let asked = knock(&store, channel, "U9", 1).await.unwrap();
    let code = |slug: &str| PairingCode {
        code: asked.code.clone(),
        channel: Some(("w".to_owned(), slug.to_owned())),
        by: "host".to_owned(),
        tell: Box::new(|_| String::new()),
    };
    assert_eq!(store.pair(code("other")).await.unwrap(), PairingOutcome::Unknown);
    assert!(matches!(
        store.pair(code("s")).await.unwrap(),
        PairingOutcome::Paired(_)
    ));
}

#[tokio::test]
async fn what_is_taken_back_is_over_and_may_be_asked_for_again() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let asked = knock(&store, channel, "U9", 1).await.unwrap();
    confirm(&store, &asked.code).await;
    let revoked = store.unpair(asked.id, "U1").await.unwrap().unwrap();
    assert_eq!(
        (revoked.sender.as_str(), revoked.state),
        ("U9", PairingState::Revoked)
    );
    assert_eq!(store.unpair(asked.id, "U1").await.unwrap(), None);
    assert_eq!(store.paired(channel).await.unwrap(), Vec::<String>::new());
    let again = knock(&store, channel, "U9", 2).await.unwrap();
    assert!(
        store.unpair(again.id, "U1").await.unwrap().is_some(),
        "a code is taken back too"
    );
    assert_eq!(confirm(&store, &again.code).await, PairingOutcome::Unknown);
    let listed = |all| {
        let store = store.clone();
        async move { store.pairings(all, None, 10).await.unwrap().len() }
    };
    assert_eq!((listed(false).await, listed(true).await), (0, 2));
}

#[tokio::test]
async fn a_strangers_row_is_no_turn_and_the_next_message_of_the_conversation_is() {
    let store = Fixture::new().open();
    let channel = channel(&store).await;
    let asked = knock(&store, channel, "U9", 1).await.unwrap();
    assert!(super::support::claim(&store, channel).await.is_none());
    confirm(&store, &asked.code).await;
    push(&store, channel, message("D-U9", 2)).await;
    let turn = super::support::claim(&store, channel).await.unwrap();
    assert_eq!(turn.rows.len(), 1);
}
