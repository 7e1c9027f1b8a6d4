use std::time::Duration;

use proptest::prelude::*;

use super::{
    bench::{Bench, Ledger},
    platform::{NOW, Platform},
};
use crate::{
    drive::DriverEvent,
    error::ChannelError,
    id::Place,
    inbound::{Consumed, Cursor, Disposition},
};

fn c(name: &str) -> Place {
    Place::conversation(name)
}

/// Reads everything once and hands the ledger back.
async fn read_once(platform: Platform, ledger: Ledger) -> (Ledger, Vec<DriverEvent>) {
    let mut bench = Bench::start_with(platform, ledger.clone());
    let mut events = Vec::new();
    while events.last() != Some(&DriverEvent::Reconciled) {
        events.push(bench.next().await);
    }
    bench.stop().await;
    (ledger, events)
}

fn stands_at(ledger: &Ledger, place: &Place) -> i64 {
    ledger.book().cursors[place]
        .0
        .parse()
        .expect("cursors are seconds")
}

#[tokio::test(start_paused = true)]
async fn a_named_conversation_starts_from_now() {
    let platform = Platform::new();
    platform.said(&c("C1"), "old", 60);
    let (ledger, _) = read_once(platform, Ledger::default()).await;
    assert!(ledger.texts().is_empty());
    assert_eq!(stands_at(&ledger, &c("C1")), NOW);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_before_the_first_look_is_news_if_the_driver_had_begun() {
    let platform = Platform::new();
    platform.said(&c("C1"), "old", 60);
    platform.said(&c("C1"), "said to a connected channel", -10);
    platform.state().late = 20;
    let mut bench = Bench::start_with(platform, Ledger::default());
    bench
        .expect(&["connecting", "connected", "holding", "reconciled"])
        .await;
    assert_eq!(bench.ledger.texts(), ["said to a connected channel"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_we_were_let_in_is_old_work() {
    let platform = Platform::new();
    platform.said(&c("C1"), "said without us", -10);
    let refused = ChannelError::Rejected("not in channel".into());
    platform.state().always_refuse.insert(c("C1"), refused);
    let mut bench = Bench::start_with(platform, Ledger::default());
    bench
        .expect(&["connecting", "connected", "holding", "unreadable", "reconciled"])
        .await;
    bench.platform.state().late = 20;
    bench.platform.state().always_refuse.clear();
    bench.quiet(Duration::from_secs(30)).await;
    assert!(bench.ledger.texts().is_empty());
    assert_eq!(stands_at(&bench.ledger, &c("C1")), NOW + 20);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_nobody_named_starts_when_the_channel_was_configured() {
    let platform = Platform::new();
    platform.state().named = false;
    platform.said(&c("D1"), "before", 3700);
    platform.said(&c("D1"), "after", 60);
    platform.state().places.insert(c("D2"), Vec::new());
    let (ledger, _) = read_once(platform, Ledger::default()).await;
    assert_eq!(ledger.texts(), ["after"]);
    assert_eq!(
        stands_at(&ledger, &c("D2")),
        NOW - 3600,
        "even an empty one has a cursor now"
    );
}

#[tokio::test(start_paused = true)]
async fn a_direct_conversation_that_no_list_has_starts_when_the_channel_was_configured() {
    let (platform, ledger) = (Platform::new(), Ledger::default());
    platform.state().directs.push(c("D1"));
    platform.said(&c("D1"), "before", 3700);
    platform.said(&c("D1"), "after", 60);
    let (ledger, _) = read_once(platform, ledger).await;
    assert_eq!(ledger.texts(), ["after"]);
    // The next process says what is known.
    let mut again = Bench::start_with(Platform::new(), ledger);
    while again.next().await != DriverEvent::Reconciled {}
    assert_eq!(again.platform.times("directs beside D1").len(), 1);
    again.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_thread_starts_at_its_root_but_not_before_the_channel_was_configured() {
    let (young, old) = (NOW - 600, NOW - 9000);
    let (platform, ledger) = (Platform::new(), Ledger::default());
    platform.state().places.insert(c("C1"), Vec::new());
    ledger
        .book()
        .cursors
        .insert(c("C1"), Cursor((NOW - 700).to_string()));
    let [young, old] = [young, old].map(|root| Place::thread("C1", root.to_string()));
    platform.said(&young, "young", 500);
    platform.said(&old, "too early", 8000);
    platform.said(&old, "late enough", 400);
    // One is known from its rows, the other is pointed out by the conversation.
    ledger.book().threads.push(old);
    platform.state().threads.insert(c("C1"), vec![young]);
    let (ledger, _) = read_once(platform, ledger).await;
    assert_eq!(ledger.texts(), ["late enough", "young"]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_under_a_message_that_was_read_before_is_found() {
    let (platform, ledger, [first, quiet, old]) = read_before([600, 700, 8 * 86_400]);
    platform.said(&first, "first reply", 50);
    platform.said(&quiet, "read before", 60);
    ledger
        .book()
        .cursors
        .insert(quiet, Cursor((NOW - 60).to_string()));
    platform.said(&old, "too old a thread to be looked at", 40);
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "reconciled"])
        .await;
    assert_eq!(bench.ledger.texts(), ["first reply"]);
    assert_eq!(
        bench.platform.times("poll").len(),
        2,
        "the conversation, and the one thread that stirred"
    );
    bench.platform.said(&first, "second reply", 10);
    bench.quiet(Duration::from_secs(61)).await;
    assert_eq!(bench.ledger.texts(), ["first reply", "second reply"]);
    assert_eq!(bench.platform.times("threads").len(), 2, "asked once a minute");
    bench.stop().await;
}

/// A conversation that was read up to 100 s ago, and the roots of threads in it that are older than that.
fn read_before<const N: usize>(roots: [i64; N]) -> (Platform, Ledger, [Place; N]) {
    let (platform, ledger) = (Platform::new(), Ledger::default());
    platform.state().places.insert(c("C1"), Vec::new());
    ledger
        .book()
        .cursors
        .insert(c("C1"), Cursor((NOW - 100).to_string()));
    let threads = roots.map(|ago| Place::thread("C1", (NOW - ago).to_string()));
    (platform, ledger, threads)
}

/// The conversation's cursor moves over the reply, and the process dies before it has read the thread.
#[tokio::test(start_paused = true)]
async fn a_reply_survives_a_crash_between_the_conversation_and_its_thread() {
    let (platform, ledger, [thread]) = read_before([600]);
    platform.said(&thread, "first reply", 50);
    platform.said(&c("C1"), "later", 40);
    platform.state().always_refuse.insert(
        thread.clone(),
        ChannelError::ConnectionLost("and then the lights went out".into()),
    );
    let mut bench = Bench::start_with(platform, ledger.clone());
    bench
        .expect(&["connecting", "connected", "holding", "degraded"])
        .await;
    bench.stop().await;
    assert_eq!(
        (ledger.texts(), stands_at(&ledger, &c("C1"))),
        (vec!["later".into()], NOW - 40),
        "the cursor has passed a reply that was not read"
    );
    let (platform, _, _) = read_before([]);
    platform.said(&thread, "first reply", 50);
    let (ledger, _) = read_once(platform, ledger).await;
    assert_eq!(ledger.texts(), ["later", "first reply"]);
    assert_eq!(stands_at(&ledger, &thread), NOW - 50);
}

#[tokio::test(start_paused = true)]
async fn replies_are_no_old_work_in_a_conversation_that_was_just_named() {
    let (platform, ledger, [lively, silent]) = read_before([600, 700]);
    ledger.book().cursors.clear();
    platform.said(&lively, "before we came", 500);
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "reconciled"])
        .await;
    bench.platform.said(&lively, "after we came", 10);
    bench.platform.said(&silent, "a first reply after we came", 5);
    bench.quiet(Duration::from_secs(61)).await;
    let mut texts = bench.ledger.texts();
    texts.sort();
    assert_eq!(texts, ["a first reply after we came", "after we came"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_in_a_look_back_costs_no_page_twice() {
    let (platform, ledger, threads) = read_before([600, 700, 800, 900, 1000]);
    threads
        .iter()
        .for_each(|thread| platform.said(thread, "reply", 50));
    platform.state().thread_refusals.extend((0..2).map(|_| {
        let retry_after = Some(Duration::from_secs(20));
        ChannelError::RateLimited {
            what: "threads".into(),
            retry_after,
        }
    }));
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "rate limited"])
        .await;
    bench.expect(&["reconciled", "recovered"]).await;
    bench.quiet(Duration::from_secs(5)).await;
    let asked = |page: &str| bench.platform.times(&format!("threads C1 {page}")).len();
    assert_eq!([asked("0"), asked("2"), asked("4")], [1, 3, 1]);
    assert_eq!(bench.ledger.book().cursors.len(), 6, "every thread was read");
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn threads_beyond_fifty_wait_for_the_next_look() {
    let (platform, ledger, _) = read_before([]);
    platform.state().page_size = 100;
    for n in 0..60 {
        platform.said(&Place::thread("C1", (NOW - 600 - n).to_string()), "reply", 50);
    }
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "reconciled"])
        .await;
    assert_eq!(bench.ledger.book().cursors.len(), 51);
    bench.quiet(Duration::from_secs(61)).await;
    assert_eq!(bench.ledger.book().cursors.len(), 61);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn only_the_conversations_that_are_named_are_read() {
    let (platform, ledger) = (Platform::new(), Ledger::default());
    platform.state().places.insert(c("C1"), Vec::new());
    ledger.book().cursors.insert(c("C2"), Cursor("0".into()));
    ledger.book().threads.push(Place::thread("C2", "7"));
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "reconciled"])
        .await;
    assert!(bench.platform.times("poll C2").is_empty() && bench.platform.times("poll 7").is_empty());
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn newest_first_pages_are_ready_once_the_gap_is_closed() {
    let (platform, ledger) = (Platform::new(), Ledger::default());
    ledger
        .book()
        .cursors
        .insert(c("C1"), Cursor((NOW - 100).to_string()));
    (0..5).for_each(|n| platform.said(&c("C1"), &n.to_string(), 60 - n));
    platform.state().newest_first = true;
    let (ledger, _) = read_once(platform, ledger).await;
    assert_eq!(ledger.texts().len(), 5);
    assert_eq!(stands_at(&ledger, &c("C1")), NOW - 56);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_read_moves_no_cursor_over_its_gap() {
    let (platform, ledger) = (Platform::new(), Ledger::default());
    ledger
        .book()
        .cursors
        .insert(c("C1"), Cursor((NOW - 100).to_string()));
    (0..5).for_each(|n| platform.said(&c("C1"), &n.to_string(), 60 - n));
    platform.state().newest_first = true;
    platform.state().outage = 3..4;
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "degraded"])
        .await;
    assert_eq!(bench.ledger.book().rows.len(), 4, "two pages were stored");
    assert!(bench.ledger.texts().is_empty(), "rows over a gap are not ready");
    assert_eq!(stands_at(&bench.ledger, &c("C1")), NOW - 100);
    bench.expect(&["recovered", "reconciled"]).await;
    assert_eq!(bench.ledger.texts().len(), 5);
    assert_eq!(
        bench.ledger.book().rows.len(),
        5,
        "what was stored before is known"
    );
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_reach_is_recorded_and_counted() {
    let (platform, ledger) = (Platform::new(), Ledger::default());
    ledger.book().cursors.insert(c("C1"), Cursor("0".into()));
    platform.said(&c("C1"), "four days ago", 4 * 86_400);
    platform.said(&c("C1"), "three days and a bit ago", 3 * 86_400 + 60);
    platform.said(&c("C1"), "two days ago", 2 * 86_400);
    let (ledger, events) = read_once(platform, ledger).await;
    assert_eq!(ledger.texts(), ["two days ago"]);
    let skipped =
        |row: &&crate::Inbound| matches!(row.disposition, Disposition::Consumed(Consumed::Skipped(_)));
    assert_eq!(ledger.book().rows.iter().filter(skipped).count(), 2);
    assert!(events.contains(&DriverEvent::Skipped { count: 2 }));
}

#[tokio::test(start_paused = true)]
async fn a_history_without_end_is_an_error_and_not_a_loop() {
    let (platform, ledger) = (Platform::new(), Ledger::default());
    ledger
        .book()
        .cursors
        .insert(c("C1"), Cursor((NOW - 100).to_string()));
    platform.said(&c("C1"), "hello", 60);
    platform.state().endless = true;
    let mut bench = Bench::start_with(platform, ledger);
    bench
        .expect(&["connecting", "connected", "holding", "degraded"])
        .await;
    bench.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the pages and from whichever end: everything after the cursor, each once, and the cursor on the newest.
    #[test]
    fn any_paging_reads_everything_once(count in 0_i64..30, page_size in 1_usize..8, newest_first: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let (platform, ledger) = (Platform::new(), Ledger::default());
            ledger.book().cursors.insert(c("C1"), Cursor((NOW - 100).to_string()));
            platform.state().places.insert(c("C1"), Vec::new());
            (0..count).for_each(|n| platform.said(&c("C1"), &format!("{n:02}"), 60 - n));
            platform.state().newest_first = newest_first;
            platform.state().page_size = page_size;
            let (ledger, _) = read_once(platform, ledger).await;
            let mut texts = ledger.texts();
            texts.sort();
            assert_eq!(texts, (0..count).map(|n| format!("{n:02}")).collect::<Vec<_>>());
            let newest = if count == 0 { NOW - 100 } else { NOW - 60 + count - 1 };
            assert_eq!(stands_at(&ledger, &c("C1")), newest);
        });
    }
}
