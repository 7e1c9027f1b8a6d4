//! Direct conversations, which Discord lists to no bot.

use std::sync::Arc;

use kata_channel::{Adapter, Place, settings::Settings};
use kata_plugin::ChannelContext;
use kata_testkit::discord::Fault;

use crate::rig::{ADA, GENERAL, Rig};

const BOB: &str = "1002";

/// A channel that names no conversation, and these people.
async fn open(rig: &Rig, owners: &[&str], senders: &[&str]) -> Arc<dyn Adapter> {
    rig.discord.add_user(BOB, "bob");
    let context = rig.context("open", &[]);
    let senders = senders.iter().map(|&id| id.to_owned()).collect();
    rig.connected(ChannelContext {
        owners: owners.iter().map(|&id| id.into()).collect(),
        settings: Settings {
            senders: Some(senders),
            ..context.settings.clone()
        },
        ..context
    })
    .await
}

async fn found(adapter: &Arc<dyn Adapter>, known: &[Place]) -> Vec<Place> {
    adapter.history().unwrap().directs(known).await.unwrap()
}

#[tokio::test]
async fn owners_and_senders_have_a_conversation_before_they_say_a_word() {
    let rig = Rig::start().await;
    let adapter = open(&rig, &[BOB], &[ADA, BOB, "a name"]).await;
    let places = [BOB, ADA].map(|person| Place::conversation(rig.discord.add_dm(person)));
    assert_eq!(found(&adapter, &[]).await, places);
    assert_eq!(found(&adapter, &[]).await, places);
    assert_eq!(rig.discord.calls("create_dm").len(), 2, "each is opened once");
}

#[tokio::test]
async fn a_conversation_that_is_read_already_is_not_opened_by_the_next_process() {
    let rig = Rig::start().await;
    let dm = Place::conversation(rig.discord.add_dm(ADA));
    let adapter = open(&rig, &[], &[ADA]).await;
    let gone = Place::conversation("2999");
    let known = [Place::conversation(GENERAL), gone, dm.clone()];
    assert_eq!(found(&adapter, &known).await, [dm]);
    assert!(rig.discord.calls("create_dm").is_empty());
}

#[tokio::test]
async fn whoever_takes_no_messages_hides_nobody_else() {
    let rig = Rig::start().await;
    let adapter = open(&rig, &["1999"], &[ADA]).await;
    let dm = Place::conversation(rig.discord.add_dm(ADA));
    for _ in 0..2 {
        assert_eq!(found(&adapter, &[]).await, std::slice::from_ref(&dm));
    }
    assert_eq!(rig.discord.calls("create_dm").len(), 2, "a refusal is remembered");
}

#[tokio::test]
async fn a_limit_on_opening_is_waited_out_and_stops_nothing_else() {
    let rig = Rig::start().await;
    let adapter = open(&rig, &[], &[ADA]).await;
    rig.discord.fail_next("create_dm", Fault::Refused(400, 40003));
    assert!(found(&adapter, &[]).await.is_empty());
    assert_eq!(found(&adapter, &[]).await.len(), 1);
}

#[tokio::test]
async fn where_channels_are_named_nobody_is_written_to() {
    let rig = Rig::start().await;
    let context = rig.context("support", &[GENERAL]);
    let adapter = rig
        .connected(ChannelContext {
            owners: vec![ADA.into()],
            ..context
        })
        .await;
    assert!(found(&adapter, &[]).await.is_empty());
    assert!(rig.discord.calls("create_dm").is_empty());
}
