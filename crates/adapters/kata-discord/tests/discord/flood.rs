//! More than can be stored at once: memory stays bounded, and nothing is lost. Each test has one thread, which a socket that spun would
//! never give back.

use std::time::Duration;

use kata_channel::{Cursor, Place, PollRequest};
use kata_testkit::discord::ChannelKind;

use crate::rig::{ADA, Ear, GENERAL, Rig};

/// Events that the lanes hold at most.
const HELD: usize = 1_024;
const FLOOD: usize = 6_000;

#[tokio::test]
async fn a_flood_over_the_gateway_waits_in_the_socket_and_arrives_whole_and_in_order() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "ops", ChannelKind::Text);
    rig.discord.heartbeat_every(Duration::from_secs(2));
    let adapter = rig.channel("support", &[GENERAL, "2002"]).await;
    let mut ear = Ear::open(&adapter).await;
    ear.commits.forget_permits(usize::MAX);
    let said: Vec<String> = (0..FLOOD)
        .map(|n| rig.discord.user_posts(GENERAL, ADA, &n.to_string()))
        .collect();
    // A heart that beats on while nobody listens keeps the session. By then all that is read has been.
    rig.discord.wait_heartbeats(rig.discord.heartbeats() + 2).await;
    let aside = rig.discord.user_posts("2002", ADA, "aside");
    ear.commits.add_permits(tokio::sync::Semaphore::MAX_PERMITS / 2);
    let (mut arrived, mut largest) = (Vec::new(), 0);
    while arrived.len() < said.len() + 1 {
        let page = ear.page().await;
        largest = largest.max(page.len());
        arrived.extend(page.into_iter().map(|message| message.id.to_string()));
    }
    arrived.retain(|id| *id != aside);
    assert!(arrived == said, "{} of {}", arrived.len(), said.len());
    assert!(largest < HELD, "{largest}");
    assert!(largest > HELD / 2, "it was a flood: {largest}");
    assert_eq!(
        (rig.discord.connections(), rig.discord.identifies().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn a_flood_in_history_is_read_a_hundred_at_a_time() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let said: Vec<String> = (0..FLOOD)
        .map(|n| rig.discord.post_silently(GENERAL, ADA, &n.to_string()))
        .collect();
    let history = adapter.history().unwrap();
    let (mut read, mut page) = (Vec::new(), None);
    loop {
        let request = PollRequest {
            place: Place::conversation(GENERAL),
            cursor: Cursor("0".into()),
            page,
        };
        let found = history.poll(request).await.unwrap();
        assert!(found.messages.len() <= 100 && found.contiguous);
        read.extend(found.messages.into_iter().map(|message| message.id.to_string()));
        page = found.next;
        if page.is_none() {
            break;
        }
    }
    assert!(read == said, "{} of {}", read.len(), said.len());
}
