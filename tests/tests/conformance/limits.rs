//! What the platform allows, and what the daemon allows itself.

use std::{fs, time::Instant};

use kata_testkit::{
    SLUG, WORKSPACE,
    host::{Answer, Config, FakeHost, Policy},
};
use serde_json::json;

use crate::fake::{Fake, Scene, Trouble, received, turn_of};

pub(crate) async fn a_pause_that_the_platform_asks_for_is_kept_and_nothing_overtakes<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let _host = scene.play().await;
    scene.fake.trouble(Trouble::Pause(2));
    for text in ["one", "two", "three"] {
        scene.fake.says(here, text);
    }
    scene.fake.wait_text("three").await;
    assert_eq!(scene.said(), ["one", "two", "three"]);
    let tried = scene.fake.tried();
    let pause = tried[1].duration_since(tried[0]);
    assert!(pause.as_secs_f64() >= 1.9, "{pause}");
    assert_eq!(tried.len(), 4);
}

pub(crate) async fn a_revoked_token_stops_the_calls_until_there_is_another<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    scene.fake.says(here, "hello");
    let turn = turn_of::<F>(&host, "hello").await;
    scene.fake.revokes_token();
    host.answer(turn.message_id, "hello");
    host.wait_channel(SLUG, "auth_expired").await;
    let error = host
        .wait_event("a sentence for the user", |e| {
            e["type"] == "plugin_error" && e["pluginId"] == SLUG
        })
        .await;
    let sentence = error["error"].as_str().unwrap_or_default();
    assert!(sentence.to_lowercase().contains(F::TOKEN), "{error}");
    let tried = scene.fake.tried().len();
    scene.fake.says_unheard(here, "missed");
    host.set_policy(Policy::echo());
    assert_eq!(scene.fake.tried().len(), tried);
    let channel = scene.fake.renewed(F::channel(SLUG));
    host.configure(Config::new().channel(WORKSPACE, channel));
    scene.fake.wait_text("missed").await;
    assert_eq!(scene.said(), ["hello", "missed"]);
}

/// A message that no turn can be made of is given up, and the next one is answered.
async fn gives_up<F: Fake>() -> Scene<F> {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    scene.home.write_settings(&json!({"attempts": 1}));
    let policy = Policy::script(|turn| match turn.content.ends_with("poison") {
        true => Answer::Fail("the agent choked".into()),
        false => Answer::Say("well".into()),
    });
    let host = scene.up(scene.start().policy(policy)).await;
    scene.fake.says(here, "poison");
    // The person at the desk is told on every platform.
    host.wait_event("a sentence for the user", |e| {
        e["type"] == "plugin_error" && e["pluginId"] == SLUG
    })
    .await;
    scene.fake.says(here, "hello");
    scene.fake.wait_text("well").await;
    scene
}

pub(crate) async fn what_is_given_up_is_said_once_where_it_was_said<F: Fake>() {
    let scene = gives_up::<F>().await;
    scene.fake.wait_posted(2).await;
    let said = scene.said();
    assert_eq!(said.len(), 2, "{said:#?}");
    assert_eq!(said.iter().filter(|text| *text != "well").count(), 1, "{said:#?}");
}

/// Where anybody writes any sender, a notice would go to whoever was named.
pub(crate) async fn what_is_given_up_is_said_at_the_desk_alone<F: Fake>() {
    let scene = gives_up::<F>().await;
    assert_eq!(scene.said(), ["well"]);
}

/// The flood comes in so many waves, after a first one that shows what a daemon at work needs.
const WAVES: usize = 12;
/// MiB that the daemon may grow by. What waits is in the database; the texts alone are 8 MiB, their events several times that.
const GROWTH: u64 = 24;

/// A flood while nobody answers: three turns are open and all else waits.
pub(crate) async fn a_flood_is_stored_and_not_held_in_memory<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, there, _] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    let (count, length) = F::FLOOD;
    let wave = count / WAVES;
    let padding = "x".repeat(length);
    let say = |n: usize| {
        let place = if n.is_multiple_of(2) { here } else { there };
        scene.fake.says(place, &format!("{n} {padding}"))
    };
    let mut last = String::new();
    for n in 0..wave {
        last = say(n);
    }
    received(&host, &last).await;
    let before = resident(&host);
    let since = Instant::now();
    for begun in 1..=WAVES {
        for n in 0..wave {
            last = say(begun * wave + n);
        }
        received(&host, &last).await;
    }
    let (after, took) = (resident(&host), since.elapsed());
    let grown = after.saturating_sub(before);
    assert!(grown < GROWTH, "grew by {grown} MiB to {after} MiB in {took:?}");
}

/// MiB of the daemon's own memory, without files.
fn resident(host: &FakeHost) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", host.pid())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}
