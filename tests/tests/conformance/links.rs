//! The link to the platform: lost, ended, dead, let go.

use std::time::{Duration, Instant};

use kata_testkit::{
    SLUG,
    host::{Config, FakeHost, Policy},
};

use crate::fake::{Fake, Polled, Pushes, Scene, turn_of};

pub(crate) async fn a_cut_and_a_farewell_lose_nothing<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let _host = scene.play().await;
    let mut texts = Vec::new();
    for round in 0..4 {
        for n in 0..5 {
            texts.push(format!("round {round} message {n}"));
            scene.fake.says(here, &texts[texts.len() - 1]);
        }
        let links = scene.fake.links();
        if round % 2 == 0 {
            scene.fake.farewell();
        } else {
            scene.fake.cut();
        }
        scene.fake.wait_links(links + 1).await;
    }
    scene.fake.wait_posted(texts.len()).await;
    assert_eq!(scene.said(), texts);
}

pub(crate) async fn what_was_never_told_is_found_in_history_after_the_next_connect<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let _host = scene.play().await;
    scene.fake.says(here, "hello");
    scene.fake.wait_text("hello").await;
    scene.fake.says_unheard(here, "never told");
    let links = scene.fake.links();
    scene.fake.cut();
    scene.fake.wait_links(links + 1).await;
    scene.fake.wait_text("never told").await;
}

pub(crate) async fn the_platform_is_down_for_a_while_and_nothing_is_lost_or_said_twice<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    scene.fake.says(here, "before");
    let turn = turn_of::<F>(&host, "before").await;
    scene.fake.down().await;
    let mark = host.mark();
    host.answer(turn.message_id, "before");
    host.wait_event_since(mark, "a status that says so", |e| {
        e["type"] == "channel_status" && e["status"] != "connected"
    })
    .await;
    scene.fake.forgets();
    for text in ["missed 1", "missed 2"] {
        scene.fake.says_unheard(here, text);
    }
    host.set_policy(Policy::echo());
    scene.fake.up().await;
    scene.fake.wait_text("missed 2").await;
    assert_eq!(scene.said(), ["before", "missed 1", "missed 2"]);
}

pub(crate) async fn a_frozen_daemon_goes_on<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.play().await;
    host.freeze();
    scene.fake.says(here, "while frozen");
    host.thaw();
    scene.fake.wait_text("while frozen").await;
    scene.fake.says(here, "after");
    scene.fake.wait_text("after").await;
    assert_eq!(scene.said(), ["while frozen", "after"]);
}

/// Takes the channel away; it must have let go in time.
async fn lets_go(host: &FakeHost) {
    let (mark, asked) = (host.mark(), Instant::now());
    host.configure(Config::new());
    host.wait_event_since(mark, "the channel stopped", |e| {
        e["type"] == "channel_status" && e["channelId"] == SLUG && e["status"] == "stopped"
    })
    .await;
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}\n{}", host.dump());
}

pub(crate) async fn a_channel_that_is_not_wanted_any_more_lets_go_within_two_seconds<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let host = scene.play().await;
    lets_go(&host).await;
}

pub(crate) async fn a_channel_lets_go_within_two_seconds_of_a_platform_that_has_died<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let host = scene.play().await;
    scene.fake.falls_silent().await;
    lets_go(&host).await;
}

/// Nothing says that the link is dead, but that nothing comes over it.
pub(crate) async fn a_link_that_is_open_and_silent_is_noticed<F: Pushes>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    scene.fake.hurries();
    let host = scene.play().await;
    let (links, mark) = (scene.fake.links(), host.mark());
    scene.fake.falls_silent().await;
    scene.fake.says(here, "into the void");
    host.wait_event_since(mark, "a status that says so", |e| {
        e["type"] == "channel_status" && e["status"] == "degraded"
    })
    .await;
    scene.fake.wait_links(links + 1).await;
    scene.fake.wait_text("into the void").await;
    assert_eq!(scene.said(), ["into the void"]);
}

/// As a link that is open and silent, where there is none but the calls.
pub(crate) async fn a_call_that_is_never_answered_is_given_up<F: Polled>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.play().await;
    let mark = host.mark();
    scene.fake.falls_silent().await;
    scene.fake.says(here, "into the void");
    host.wait_event_since(mark, "a status that says so", |e| {
        e["type"] == "channel_status" && e["status"] == "degraded"
    })
    .await;
    scene.fake.speaks();
    scene.fake.wait_text("into the void").await;
    assert_eq!(scene.said(), ["into the void"]);
}
