//! A disk without room.

use std::fs::File;

use kata_testkit::{SLUG, Stage};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use serde_json::json;

const MB: u64 = 1 << 20;

#[tokio::test]
async fn without_room_nothing_is_acknowledged_and_with_room_nothing_is_lost() {
    let stage = Stage::set().await;
    let disk = statvfs(stage.home.path()).unwrap();
    let free_mb = disk.f_bavail * disk.f_frsize / MB;
    // The margins are wide: other programs use this disk too.
    stage.home.write_settings(&json!({"minFreeMb": free_mb - 1000}));
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "before");
    stage.slack.wait_text("before").await;

    let ballast = File::create(stage.home.path().join("ballast")).unwrap();
    fallocate(&ballast, FallocateFlags::empty(), 0, 2000 * MB).unwrap();
    let mark = host.mark();
    let ts = stage.slack.user_posts("C1", "U1", "without room");
    host.wait_event_since(mark, "degraded", |e| {
        e["type"] == "channel_status" && e["channelId"] == SLUG && e["status"] == "degraded"
    })
    .await;
    stage.slack.wait_disconnected().await;
    assert!(!stage.slack.is_acknowledged(&ts));
    assert_eq!(stage.said(), ["before"]);

    ballast.set_len(0).unwrap();
    stage.slack.wait_text("without room").await;
    assert_eq!(stage.said(), ["before", "without room"]);
}
