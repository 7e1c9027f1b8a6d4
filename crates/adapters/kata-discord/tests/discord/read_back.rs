//! Did it arrive? (D20)

use std::time::Duration;

use kata_channel::{Adapter, ChannelError, Finding, Lookup, MessageId, Outbound, Place};
use kata_testkit::discord::{BOT_USER, Fault};

use crate::rig::{ADA, Ear, GENERAL, Rig};

async fn find(rig: &Rig, adapter: &dyn Adapter, outbound: Outbound) -> Result<Finding, ChannelError> {
    let since = rig.now() - Duration::from_secs(120);
    adapter
        .read_back()
        .unwrap()
        .find(&Lookup { outbound, since })
        .await
}

#[tokio::test]
async fn a_part_whose_reply_was_lost_is_found_in_the_channel_and_in_a_thread() {
    let rig = Rig::start().await;
    rig.discord.cap_pages(2);
    let adapter = rig.channel("support", &[GENERAL]).await;
    let root = rig.discord.post_silently(GENERAL, ADA, "hello");
    let thread = rig.discord.user_starts_thread(GENERAL, &root, ADA, "a thread");
    for (key, place) in [
        ("k1", Place::conversation(GENERAL)),
        ("k2", Place::thread(GENERAL, thread.as_str())),
    ] {
        let answer = rig.answer(place.clone(), key, "hi");
        rig.discord.fail_next("create_message", Fault::CutAfter);
        adapter.send(&answer).await.unwrap_err();
        let channel = place.thread.as_ref().map_or(GENERAL, |thread| thread.as_str());
        for _ in 0..5 {
            rig.discord.post_silently(channel, ADA, "meanwhile");
        }
        let found = find(&rig, &*adapter, answer).await.unwrap();
        assert!(matches!(found, Finding::Sent(receipt) if receipt.id.is_some()));
    }
}

#[tokio::test]
async fn what_came_back_by_the_gateway_is_known_by_its_nonce() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    let answer = rig.answer(Place::conversation(GENERAL), "k1", "hi");
    rig.discord.fail_next("create_message", Fault::CutAfter);
    adapter.send(&answer).await.unwrap_err();
    let ours = ear.page().await.remove(0);
    assert_eq!(ours.sender.id.as_str(), BOT_USER);
    rig.discord.user_posts(GENERAL, ADA, "next");
    ear.next().await;
    let found = find(&rig, &*adapter, answer).await.unwrap();
    assert!(matches!(found, Finding::Sent(receipt) if receipt.id == Some(ours.id)));
    assert!(rig.discord.calls("list_messages").is_empty());
}

#[tokio::test]
async fn a_part_that_never_arrived_is_absent_and_another_persons_words_are_not_ours() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let answer = rig.answer(Place::conversation(GENERAL), "k1", "hi");
    rig.discord.fail_next("create_message", Fault::CutBefore);
    adapter.send(&answer).await.unwrap_err();
    assert_eq!(
        find(&rig, &*adapter, answer.clone()).await.unwrap(),
        Finding::Absent
    );
    rig.discord.post_silently(GENERAL, ADA, "hi");
    assert_eq!(find(&rig, &*adapter, answer).await.unwrap(), Finding::Absent);
}

#[tokio::test]
async fn the_same_words_in_reply_to_another_message_are_another_answer() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let [one, two] = ["one", "two"].map(|text| rig.discord.post_silently(GENERAL, ADA, text));
    let to = |asked: &str, key: &str| Outbound {
        reply_to: Some(MessageId::new(asked)),
        ..rig.answer(Place::conversation(GENERAL), key, "yes")
    };
    adapter.send(&to(&one, "k1")).await.unwrap();
    assert_eq!(
        find(&rig, &*adapter, to(&two, "k2")).await.unwrap(),
        Finding::Absent
    );
    assert!(matches!(
        find(&rig, &*adapter, to(&one, "k3")).await,
        Ok(Finding::Sent(_))
    ));
}

#[tokio::test]
async fn a_look_that_fails_or_is_not_allowed_says_nothing() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let answer = rig.answer(Place::conversation(GENERAL), "k1", "hi");
    adapter.send(&answer).await.unwrap();
    rig.discord.fail_next("list_messages", Fault::Http(500));
    assert!(find(&rig, &*adapter, answer.clone()).await.is_err());
    rig.discord.set_readable(GENERAL, false);
    assert!(
        find(&rig, &*adapter, answer).await.is_err(),
        "an empty page is no answer"
    );
}
