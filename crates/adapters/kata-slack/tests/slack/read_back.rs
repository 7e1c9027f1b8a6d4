//! Did it arrive? (D20)

use std::time::Duration;

use kata_channel::{Adapter, ChannelError, Finding, Lookup, Outbound, Place};
use kata_testkit::slack::{BOT_USER, Fault, PageOrder};

use crate::rig::{Ear, Rig};

async fn find(rig: &Rig, adapter: &dyn Adapter, outbound: Outbound) -> Result<Finding, ChannelError> {
    let since = rig.now() - Duration::from_secs(120);
    adapter
        .read_back()
        .unwrap()
        .find(&Lookup { outbound, since })
        .await
}

#[tokio::test]
async fn a_part_whose_reply_was_lost_is_found() {
    for order in [PageOrder::NewestFirst, PageOrder::OldestFirst] {
        let rig = Rig::start().await;
        rig.slack.serve_pages(order);
        rig.slack.cap_pages(2);
        let adapter = rig.channel("support", &["C1"]).await;
        let root = rig.slack.post_silently("C1", "U1", "hello");
        for place in [Place::conversation("C1"), Place::thread("C1", root.as_str())] {
            let answer = rig.answer(place, "k1", "hi");
            rig.slack.fail_next("chat.postMessage", Fault::CutAfter);
            adapter.send(&answer).await.unwrap_err();
            (0..5).for_each(|_| drop(rig.slack.post_silently("C1", "U1", "meanwhile")));
            let found = find(&rig, &*adapter, answer).await.unwrap();
            assert!(matches!(found, Finding::Sent(receipt) if receipt.id.is_some()));
        }
    }
}

#[tokio::test]
async fn a_part_that_never_arrived_is_absent() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let answer = rig.answer(Place::conversation("C1"), "k1", "hi");
    adapter
        .send(&rig.answer(Place::conversation("C1"), "k2", "hi"))
        .await
        .unwrap();
    rig.slack.fail_next("chat.postMessage", Fault::CutBefore);
    adapter.send(&answer).await.unwrap_err();
    assert_eq!(find(&rig, &*adapter, answer).await.unwrap(), Finding::Absent);
}

#[tokio::test]
async fn a_message_of_ours_without_a_key_is_known_by_its_words() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let answer = rig.answer(Place::conversation("C1"), "k1", "salt &amp; pepper");
    rig.slack.post_silently("C1", "U1", "salt &amp; pepper");
    assert_eq!(
        find(&rig, &*adapter, answer.clone()).await.unwrap(),
        Finding::Absent
    );
    let ts = rig.slack.post_silently("C1", BOT_USER, "salt &amp; pepper");
    let found = find(&rig, &*adapter, answer).await.unwrap();
    assert!(matches!(found, Finding::Sent(receipt) if receipt.id == Some(ts.as_str().into())));
}

#[tokio::test]
async fn a_look_that_fails_says_nothing() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    rig.slack.fail_next("conversations.history", Fault::Http(500));
    assert!(
        find(&rig, &*adapter, rig.answer(Place::conversation("C1"), "k1", "hi"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_went_by_response_url_cannot_be_known() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let mut ear = Ear::open(&adapter).await;
    rig.slack.slash_command("C1", "U1", "/kata", "hello");
    let heard = ear.next().await;
    let mut answer = Outbound {
        metadata: heard.metadata,
        ..rig.answer(heard.place, "k1", "hi")
    };
    rig.slack.fail_next("response_url", Fault::CutAfter);
    adapter.send(&answer).await.unwrap_err();
    // D26: the address may have been blanked in the meantime.
    answer.metadata.remove("responseUrl");
    assert_eq!(
        find(&rig, &*adapter, answer.clone()).await.unwrap(),
        Finding::Unknowable
    );
    rig.time.advance(Duration::from_secs(60 * 60));
    assert_eq!(
        find(&rig, &*adapter, answer).await.unwrap(),
        Finding::Absent,
        "an hour later it was posted"
    );
}
