//! What is remembered of a session.

use crate::{Finished, Record, Speaker, StoreError, Usage, View};

use super::{
    support::{Fixture, channel, claim, failure, message, push, row},
    talk::{KEY, exchange, exchanged, fold, said, session, shown, texts},
};

#[tokio::test]
async fn what_was_said_comes_with_the_end_of_its_turn_and_once() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    push(&store, id, message("C1", 1)).await;
    let turn = claim(&store, id).await.unwrap();
    assert!(shown(&store, id).await.is_empty(), "the turn is open");
    for finished in [
        Finished::Done {
            answer: None,
            ended: None,
        },
        Finished::Already,
    ] {
        let done = store.finish_recorded(turn.id, None, exchange(1)).await;
        assert_eq!(done.unwrap(), finished);
    }
    assert_eq!(texts(&store, id).await, ["question 1", "answer 1"]);
    let entry = &shown(&store, id).await[0].entry;
    assert_eq!(*entry, said(Speaker::People, "question 1"));
    let session = session(&store, id).await;
    assert_eq!((session.messages, session.turns, session.tokens), (1, 1, 10));
}

#[tokio::test]
async fn a_turn_that_failed_adds_nothing_until_one_succeeds() {
    let fixture = Fixture::with(|options| options.max_attempts = 1);
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    claim(&store, id).await.unwrap();
    store.fail(turn, failure("no")).await.unwrap();
    assert!(shown(&store, id).await.is_empty());
    store.retry(turn).await.unwrap();
    claim(&store, id).await.unwrap();
    store.finish_recorded(turn, None, exchange(1)).await.unwrap();
    assert_eq!(texts(&store, id).await, ["question 1", "answer 1"]);
}

#[tokio::test]
async fn a_reset_conversation_remembers_nothing_of_before() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    exchanged(&store, id, 1).await;
    let ended = store.reset_session("w", KEY).await.unwrap().unwrap();
    assert_eq!((&*ended.slug, &*ended.key), ("s", KEY));
    exchanged(&store, id, 2).await;
    assert_eq!(
        texts(&store, id).await,
        ["question 1", "answer 1"],
        "the old one is kept"
    );
    let fresh = store.transcript(id, "s:w:C1:r1").await.unwrap();
    assert_eq!(fresh.len(), 2);
    assert_eq!(fresh[0].entry.text, "question 2");
    assert_eq!(session(&store, id).await.ended_why.as_deref(), Some("reset"));
}

#[tokio::test]
async fn a_summary_stands_before_the_rest_and_what_it_stands_for_is_archived() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    for n in 1..=3 {
        exchanged(&store, id, n).await;
    }
    let before = shown(&store, id).await;
    assert!(store.compact(fold(id, &before, 4, "first")).await.unwrap());
    assert_eq!(texts(&store, id).await, ["first", "question 3", "answer 3"]);
    exchanged(&store, id, 4).await;
    let before = shown(&store, id).await;
    assert!(store.compact(fold(id, &before, 3, "second")).await.unwrap());
    assert_eq!(texts(&store, id).await, ["second", "question 4", "answer 4"]);
    let session = session(&store, id).await;
    assert_eq!((session.compactions, session.tokens), (2, 7));
    let archived: i64 = fixture
        .raw()
        .query_row(
            "SELECT COUNT(*) FROM kata_transcript WHERE archived IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(archived, 7, "six of the talk and a summary: nothing is lost");
}

#[tokio::test]
async fn a_compaction_of_another_transcript_changes_nothing() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    for n in 1..=3 {
        exchanged(&store, id, n).await;
    }
    let before = shown(&store, id).await;
    let compaction = fold(id, &before, 4, "a summary");
    assert!(store.compact(compaction.clone()).await.unwrap());
    // Said twice, as after an answer that was lost.
    assert!(!store.compact(compaction).await.unwrap());
    // Not the oldest ones.
    assert!(!store.compact(fold(id, &before[4..], 1, "a hole")).await.unwrap());
    assert!(!store.compact(fold(id, &before, 0, "of nothing")).await.unwrap());
    assert_eq!(texts(&store, id).await, ["a summary", "question 3", "answer 3"]);
}

#[tokio::test]
async fn reported_tokens_add_up_and_of_sums_it_is_their_growth() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    exchanged(&store, id, 1).await;
    assert_eq!(
        session(&store, id).await.input_tokens,
        None,
        "nothing was reported"
    );
    let (of_turn, sums) = (
        |input, output| Usage::OfTurn { input, output },
        |input, output| Usage::Sums { input, output },
    );
    let mut n = 1;
    for (usage, total) in [
        (of_turn(100, 10), (100, 10)),
        (of_turn(50, 5), (150, 15)),
        (sums(20, 2), (170, 17)),
        (sums(50, 4), (200, 19)),
        // The agent's own session began anew.
        (sums(30, 1), (230, 20)),
    ] {
        n += 1;
        let record = Record {
            usage: Some(usage),
            ..Record::default()
        };
        super::talk::turn(&store, id, message("C1", n), record).await;
        let session = session(&store, id).await;
        assert_eq!(
            (session.input_tokens, session.output_tokens),
            (Some(total.0), Some(total.1)),
            "{usage:?}"
        );
    }
}

#[tokio::test]
async fn a_message_alone_is_a_session_that_its_answer_ends_and_the_lane_keeps_its_order() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    for n in 1..=2 {
        let alone = crate::NewMessage {
            alone: true,
            ..message("C1", n)
        };
        push(&store, id, alone).await;
    }
    let first = claim(&store, id).await.unwrap();
    assert_eq!(first.session_key, "s:w:C1#1:r0");
    assert!(claim(&store, id).await.is_none(), "one turn a lane");
    store.finish_recorded(first.id, None, exchange(1)).await.unwrap();
    let over = store.session(id, &first.session_key).await.unwrap().unwrap();
    assert_eq!(over.ended_why.as_deref(), Some("stateless"));
    let second = claim(&store, id).await.unwrap();
    assert_eq!(second.session_key, "s:w:C1#2:r0");
    // The conversation's own key is none of theirs: a task that was made in one goes on in the conversation.
    assert!(store.reset_session("w", KEY).await.unwrap().is_none());
}

#[tokio::test]
async fn a_thread_in_a_wider_lane_is_read_again_like_one_that_is_a_lane() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let inherits = crate::NewMessage {
        thread: Some("T1".to_owned()),
        ..message("C1", 1)
    };
    push(&store, id, inherits).await;
    let threads = store.threads(id, fixture.now(), 50).await.unwrap();
    assert_eq!(threads, [("C1".to_owned(), "T1".to_owned())]);
    assert_eq!(
        session(&store, id).await.thread,
        None,
        "the session is the conversation's"
    );
}

#[tokio::test]
async fn a_title_is_free_to_change_and_no_part_of_the_key() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    exchanged(&store, id, 1).await;
    for title in [Some("Release talk"), Some("Another"), None] {
        assert!(
            store
                .set_session_title("w", KEY, title.unwrap_or(" "))
                .await
                .unwrap()
        );
        assert_eq!(session(&store, id).await.title.as_deref(), title);
    }
    assert!(!store.set_session_title("other", KEY, "x").await.unwrap());
    push(&store, id, message("C1", 2)).await;
    assert_eq!(session(&store, id).await.messages, 2, "the key stays");
}

#[tokio::test]
async fn the_file_alone_shows_the_same_sessions() -> Result<(), StoreError> {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    exchanged(&store, id, 1).await;
    let view = View::open_read_only(&fixture.path())?;
    assert_eq!(view.sessions(None, 10)?, store.sessions(None, 10).await?);
    assert_eq!(view.sessions(None, 10)?, [session(&store, id).await]);
    Ok(())
}
