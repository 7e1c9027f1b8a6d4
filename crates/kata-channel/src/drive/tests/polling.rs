use std::time::Duration;

use tokio::time::Instant;

use super::{
    bench::{Bench, Ledger},
    platform::{NOW, Platform},
};
use crate::{drive::DriverEvent, error::ChannelError, id::Place, inbound::Cursor};

fn c(name: &str) -> Place {
    Place::conversation(name)
}

/// A platform with these conversations, and a ledger that has read them up to an hour ago.
fn read_before(names: &[&str]) -> (Platform, Ledger) {
    let (platform, ledger) = (Platform::new(), Ledger::default());
    for name in names {
        platform.state().places.insert(c(name), Vec::new());
        ledger
            .book()
            .cursors
            .insert(c(name), Cursor((NOW - 3600).to_string()));
    }
    (platform, ledger)
}

#[tokio::test(start_paused = true)]
async fn lanes_wait_for_the_first_pass_and_no_later_one() {
    let (platform, ledger) = read_before(&["C1"]);
    platform.said(&c("C1"), "hello", 60);
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "reconciled"])
        .await;
    assert_eq!(bench.ledger.texts(), ["hello"]);
    bench.quiet(Duration::from_secs(60)).await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_warning_is_told_once_for_each_sentence() {
    let (platform, ledger) = read_before(&["C1"]);
    platform.state().warning = Some("the sign-in ends tomorrow".into());
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "warning", "reconciled"])
        .await;
    bench.quiet(Duration::from_secs(25)).await;
    bench.platform.state().warning = Some("the sign-in ends today".into());
    bench.expect(&["warning"]).await;
    bench.platform.state().warning = None;
    bench.quiet(Duration::from_secs(25)).await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn passes_are_ten_seconds_apart_and_write_nothing_when_nothing_happened() {
    let (platform, ledger) = read_before(&["C1"]);
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "reconciled"])
        .await;
    bench.quiet(Duration::from_secs(35)).await;
    let polls = bench.platform.times("poll C1");
    assert_eq!(polls.len(), 4);
    assert!(
        polls
            .windows(2)
            .all(|pair| pair[1] - pair[0] == Duration::from_secs(10))
    );
    assert_eq!(bench.ledger.book().pages, 0);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_said_between_passes_is_found_by_the_next() {
    let (platform, ledger) = read_before(&["C1"]);
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "reconciled"])
        .await;
    bench.platform.said(&c("C1"), "later", 0);
    bench.quiet(Duration::from_secs(11)).await;
    assert_eq!(bench.ledger.texts(), ["later"]);
    assert_eq!(bench.ledger.book().cursors[&c("C1")], Cursor(NOW.to_string()));
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_pauses_the_channel_and_the_read_goes_on_where_it_was() {
    let (platform, ledger) = read_before(&["C1", "C2"]);
    (0..5).for_each(|n| platform.said(&c("C2"), &n.to_string(), 60 - n));
    let limited = ChannelError::RateLimited {
        what: "history".into(),
        retry_after: Some(Duration::from_secs(20)),
    };
    platform
        .state()
        .refusals
        .extend([(Some(c("C2")), limited.clone()), (Some(c("C2")), limited)]);
    let mut bench = Bench::start_with(platform, ledger);
    let started = Instant::now();
    bench
        .expect(&["connecting", "connected", "holding", "rate limited"])
        .await;
    bench.expect(&["reconciled", "recovered"]).await;
    assert_eq!(
        started.elapsed(),
        Duration::from_secs(40),
        "lanes waited thirty of them"
    );
    bench.quiet(Duration::from_secs(5)).await;
    assert_eq!(bench.ledger.texts(), ["0", "1", "2", "3", "4"]);
    assert_eq!(
        bench.platform.times("poll C1").len(),
        1,
        "what was read is not read again"
    );
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_place_stops_no_other_and_is_said_once() {
    let (platform, ledger) = read_before(&["C1", "C2"]);
    platform.said(&c("C2"), "hello", 60);
    platform
        .state()
        .always_refuse
        .insert(c("C1"), ChannelError::Rejected("not in channel".into()));
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "unreadable", "reconciled"])
        .await;
    assert_eq!(bench.ledger.texts(), ["hello"]);
    bench.quiet(Duration::from_secs(60)).await;
    bench.platform.state().always_refuse.clear();
    bench.quiet(Duration::from_secs(11)).await;
    bench
        .platform
        .state()
        .always_refuse
        .insert(c("C1"), ChannelError::Rejected("not in channel".into()));
    bench.expect(&["unreadable"]).await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_backs_off_and_the_others_are_read_first_when_one_place_stays_bad() {
    let (platform, ledger) = read_before(&["C1", "C2"]);
    platform
        .state()
        .always_refuse
        .insert(c("C1"), ChannelError::Other("bad gateway".into()));
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "degraded"])
        .await;
    bench.platform.said(&c("C2"), "hello", 0);
    bench.quiet(Duration::from_millis(1500)).await;
    assert_eq!(
        bench.ledger.texts(),
        ["hello"],
        "C2 is read although C1 stays bad"
    );
    bench.platform.state().always_refuse.clear();
    bench.expect(&["recovered", "reconciled"]).await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_said_once_and_nothing_is_asked_or_lost() {
    let (platform, ledger) = read_before(&["C1"]);
    platform.said(&c("C1"), "hello", 60);
    ledger.book().full = true;
    let mut bench = Bench::start_with(platform, ledger);
    bench.expect(&["connecting", "connected", "holding"]).await;
    let said = bench.next().await;
    assert_eq!(
        said,
        DriverEvent::Degraded(ChannelError::Other("the disk is full".into()))
    );
    let asked = bench.platform.state().log.len();
    bench.expect(&["reconciled"]).await;
    bench.platform.said(&c("C1"), "is anybody there", 30);
    bench.quiet(Duration::from_secs(600)).await;
    assert_eq!(bench.platform.state().log.len(), asked);
    bench.ledger.book().full = false;
    bench.expect(&["recovered"]).await;
    assert_eq!(bench.ledger.texts(), ["hello", "is anybody there"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_ends_the_calls() {
    let (platform, ledger) = read_before(&["C1"]);
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "reconciled"])
        .await;
    bench
        .platform
        .state()
        .refusals
        .push_back((None, ChannelError::AuthExpired("renew the token".into())));
    bench.expect(&["auth expired"]).await;
    let calls = bench.platform.state().log.len();
    bench.quiet(Duration::from_secs(600)).await;
    assert_eq!(bench.platform.state().log.len(), calls);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_thaw_drops_a_read_that_hangs_and_reads_at_once() {
    let (platform, ledger) = read_before(&["C1"]);
    platform.state().hang = true;
    let mut bench = Bench::start_with(platform, ledger);
    bench.expect(&["connecting", "connected", "holding"]).await;
    bench.platform.state().hang = false;
    bench.platform.said(&c("C1"), "in the night", 60);
    bench.thaw();
    let thawed = Instant::now();
    bench.expect(&["holding", "reconciled"]).await;
    assert_eq!(thawed.elapsed(), Duration::ZERO);
    assert_eq!(bench.ledger.texts(), ["in the night"]);
    assert_eq!(bench.platform.times("connect").len(), 1, "who we are is known");
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_read_that_hangs_ends_by_itself() {
    let (platform, ledger) = read_before(&["C1"]);
    platform.state().hang = true;
    let mut bench = Bench::start_with(platform, ledger);
    bench.expect(&["connecting", "connected", "holding"]).await;
    let (first, second) = (bench.next().await, bench.next().await);
    assert!(matches!(
        (&first, &second),
        (DriverEvent::Reconciled, DriverEvent::Degraded(_))
            | (DriverEvent::Degraded(_), DriverEvent::Reconciled)
    ));
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_somebody_opens_is_found() {
    let platform = Platform::new();
    platform.state().named = false;
    let mut bench = Bench::start(platform);
    bench
        .expect(&["connecting", "connected", "holding", "reconciled"])
        .await;
    bench.platform.said(&c("D1"), "hello", 5);
    bench.quiet(Duration::from_secs(200)).await;
    assert_eq!(bench.ledger.texts(), ["hello"]);
    bench.stop().await;
}
