//! A disk without room, and a queue without.

use std::{fs::File, time::Duration};

use kata_testkit::{
    SLUG, Stage,
    host::{FakeHost, Home, Policy},
    slack::FakeSlack,
};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

const MB: u64 = 1 << 20;
/// That nothing happens shows in time alone. A channel that tried again would have done so twice by then.
const A_WHILE: Duration = Duration::from_secs(4);
/// What a channel that comes back calls.
const CALLS: [&str; 5] = [
    "auth.test",
    "apps.connections.open",
    "users.conversations",
    "conversations.history",
    "conversations.replies",
];

/// There is one disk: a test that fills it is felt by the others.
static DISK: Mutex<()> = Mutex::const_new(());

/// A disk with just enough room for the daemon that starts on it next.
struct Disk {
    ballast: File,
    _alone: MutexGuard<'static, ()>,
}

// === impl Disk ===

impl Disk {
    async fn of(home: &Home) -> Self {
        let alone = DISK.lock().await;
        let disk = statvfs(home.path()).expect("the home is on a disk");
        let free_mb = disk.f_bavail * disk.f_frsize / MB;
        // The margins are wide: other programs use this disk too.
        home.write_settings(&json!({"minFreeMb": free_mb - 1000}));
        Self {
            ballast: File::create(home.path().join("ballast")).expect("the disk takes a file"),
            _alone: alone,
        }
    }

    fn fill(&self) {
        fallocate(&self.ballast, FallocateFlags::empty(), 0, 2000 * MB).expect("the disk has 2 GB free");
    }

    fn empty(&self) {
        self.ballast.set_len(0).expect("a file can be emptied");
    }
}

impl Drop for Disk {
    /// A test that fails leaves the next one the room that it found.
    fn drop(&mut self) {
        let _ = self.ballast.set_len(0);
    }
}

async fn degraded_since(host: &FakeHost, mark: usize) {
    host.wait_event_since(mark, "degraded", |e| {
        e["type"] == "channel_status" && e["channelId"] == SLUG && e["status"] == "degraded"
    })
    .await;
}

fn statuses_since(host: &FakeHost, mark: usize) -> Vec<String> {
    let events = host.events().split_off(mark);
    let said = events.iter().filter(|e| e["type"] == "channel_status");
    said.map(|e| e["status"].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn calls(slack: &FakeSlack) -> [usize; CALLS.len()] {
    CALLS.map(|method| slack.calls(method).len())
}

#[tokio::test]
async fn without_room_nothing_is_acknowledged_and_with_room_nothing_is_lost() {
    let stage = Stage::set().await;
    let disk = Disk::of(&stage.home).await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "before");
    stage.slack.wait_text("before").await;

    disk.fill();
    let mark = host.mark();
    let ts = stage.slack.user_posts("C1", "U1", "without room");
    degraded_since(&host, mark).await;
    stage.slack.wait_disconnected().await;
    assert!(!stage.slack.is_acknowledged(&ts));
    assert_eq!(stage.said(), ["before"]);

    disk.empty();
    stage.slack.wait_text("without room").await;
    assert_eq!(stage.said(), ["before", "without room"]);
}

#[tokio::test]
async fn while_there_is_no_room_the_channel_is_degraded_once_and_slack_is_not_called() {
    let stage = Stage::set().await;
    let disk = Disk::of(&stage.home).await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "before");
    stage.slack.wait_text("before").await;

    disk.fill();
    let mark = host.mark();
    stage.slack.user_posts("C1", "U1", "without room");
    degraded_since(&host, mark).await;
    stage.slack.wait_disconnected().await;
    let before = calls(&stage.slack);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(calls(&stage.slack), before, "{CALLS:?}");
    assert_eq!(statuses_since(&host, mark), ["degraded"]);

    disk.empty();
    stage.slack.wait_text("without room").await;
    assert_eq!(statuses_since(&host, mark), ["degraded", "connected"]);
}

#[tokio::test]
async fn while_its_queue_is_full_a_channel_is_degraded_once_and_slack_is_not_called() {
    let stage = Stage::set().await;
    stage.home.write_settings(&json!({"maxWaitingRows": 2}));
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.slack.user_posts("C1", "U1", "first");
    let first = host.wait_turn("first").await;
    let second = stage.slack.user_posts("C1", "U1", "second");
    stage.slack.wait_acknowledged(&second).await;

    let mark = host.mark();
    let third = stage.slack.user_posts("C1", "U1", "third");
    degraded_since(&host, mark).await;
    stage.slack.wait_disconnected().await;
    let before = calls(&stage.slack);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(calls(&stage.slack), before, "{CALLS:?}");
    assert_eq!(statuses_since(&host, mark), ["degraded"]);
    assert!(!stage.slack.is_acknowledged(&third));

    host.set_policy(Policy::echo());
    host.answer(first.message_id, "first");
    stage.slack.wait_text("third").await;
    assert_eq!(stage.said(), ["first", "second", "third"]);
    assert_eq!(statuses_since(&host, mark), ["degraded", "connected"]);
}
