//! Retention.

use std::time::Duration;

use crate::{NewMessage, Outcome, Retention, Store, Swept};

use super::support::{Fixture, channel, claim, failure, message, push, row};

const DAY: Duration = Duration::from_secs(24 * 3600);
const RETENTION: Retention = Retention {
    processed: Duration::from_secs(30 * 24 * 3600),
    failed: Duration::from_secs(90 * 24 * 3600),
    tombstones: Duration::from_secs(180 * 24 * 3600),
    audit: Duration::from_secs(365 * 24 * 3600),
};

async fn sweep(store: &Store) -> Swept {
    let mut all = Swept {
        rows: 0,
        more: true,
        files: Vec::new(),
    };
    while all.more {
        let step = store.sweep(&RETENTION).await.unwrap();
        all.rows += step.rows;
        all.more = step.more;
        all.files.extend(step.files);
    }
    all
}

#[tokio::test]
async fn ended_rows_go_after_their_time_and_are_still_known_until_their_tombstone_goes() {
    let fixture = Fixture::with(|options| options.max_attempts = 1);
    let store = fixture.open();
    let id = channel(&store).await;
    let with_files = row(&push(
        &store,
        id,
        NewMessage {
            has_files: true,
            ..message("C1", 1)
        },
    )
    .await);
    store.finish(with_files, None).await.unwrap();
    let parked = row(&push(&store, id, message("C1", 2)).await);
    claim(&store, id).await.unwrap();
    store.fail(parked, failure("no")).await.unwrap();
    let waiting = row(&push(&store, id, message("C1", 3)).await);

    fixture.advance(DAY * 29);
    assert_eq!(sweep(&store).await.rows, 0);
    fixture.advance(DAY * 2);
    assert_eq!(
        sweep(&store).await,
        Swept {
            rows: 1,
            more: false,
            files: vec![with_files]
        }
    );
    assert_eq!(push(&store, id, message("C1", 1)).await, Outcome::Known);
    fixture.advance(DAY * 60);
    assert_eq!(sweep(&store).await.rows, 1);
    fixture.advance(DAY * 200);
    sweep(&store).await;
    assert!(matches!(
        push(&store, id, message("C1", 1)).await,
        Outcome::New { .. }
    ));
    assert_eq!(claim(&store, id).await.unwrap().rows[0].content, "text 1");
    store.give_back_all().await.unwrap();
    assert!(
        matches!(push(&store, id, message("C1", 3)).await, Outcome::Known),
        "row {waiting} waits for ever"
    );
}

#[tokio::test]
async fn a_step_is_small_and_the_steps_come_to_an_end() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    for n in 0..450 {
        let id = row(&push(&store, id, message("C1", n)).await);
        store.finish(id, None).await.unwrap();
    }
    fixture.advance(DAY * 31);
    let first = store.sweep(&RETENTION).await.unwrap();
    assert!(first.rows < 450 && first.more);
    assert_eq!(first.rows + sweep(&store).await.rows, 450);
}

#[tokio::test]
async fn platform_secrets_leave_the_row_after_their_time_whatever_became_of_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let mut secret = message("C1", 1);
    secret.metadata.insert("triggerId".to_owned(), "13.37".into());
    secret.secret_until = Some(fixture.now().plus(Duration::from_secs(1_800)));
    push(&store, id, secret).await;
    store.sweep(&RETENTION).await.unwrap();
    assert!(
        claim(&store, id).await.unwrap().rows[0]
            .metadata
            .contains_key("triggerId")
    );
    store.give_back_all().await.unwrap();
    fixture.advance(Duration::from_secs(1_800));
    store.sweep(&RETENTION).await.unwrap();
    assert!(
        !claim(&store, id).await.unwrap().rows[0]
            .metadata
            .contains_key("triggerId")
    );
}
