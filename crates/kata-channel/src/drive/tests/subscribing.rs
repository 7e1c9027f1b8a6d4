use std::time::Duration;

use tokio::time::Instant;

use super::{
    bench::{Bench, Ledger},
    platform::{Act, NOW, Platform, pushes},
};
use crate::{drive::DriverEvent, error::ChannelError, id::Place, inbound::Cursor};

const UP: [&str; 4] = ["connecting", "connected", "holding", "reconciled"];

fn c1() -> Place {
    Place::conversation("C1")
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn lost() -> Result<(), ChannelError> {
    Err(ChannelError::ConnectionLost("cut".into()))
}

/// A platform that pushes by these sockets (and by healthy ones after them), with `C1` read up to an hour ago.
fn bench(sockets: impl IntoIterator<Item = Vec<Act>>) -> Bench {
    let (platform, ledger) = (
        Platform {
            pushes: true,
            ..Platform::new()
        },
        Ledger::default(),
    );
    platform.state().places.insert(c1(), Vec::new());
    platform.state().sockets.extend(sockets);
    ledger
        .book()
        .cursors
        .insert(c1(), Cursor((NOW - 3600).to_string()));
    Bench::start_with(platform, ledger)
}

fn gaps(bench: &Bench) -> Vec<u64> {
    bench
        .platform
        .times("subscribe")
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs())
        .collect()
}

async fn up(bench: &mut Bench) {
    // The order of the middle two is that of the hold and the status: lanes wait before anything is said to work.
    let mut names = Vec::new();
    for _ in 0..UP.len() {
        names.push(
            format!("{:?}", bench.next().await)
                .split('(')
                .next()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    names.sort();
    assert_eq!(names, ["Connected", "Connecting", "Holding", "Reconciled"]);
}

#[tokio::test(start_paused = true)]
async fn after_each_connect_history_brings_what_the_socket_missed() {
    let mut bench = bench([vec![Act::Ready, Act::Wait(secs(5)), Act::End(Ok(()))]]);
    up(&mut bench).await;
    bench.platform.said(&c1(), "while away", 1);
    bench.expect(&["holding", "reconciled"]).await;
    assert_eq!(bench.ledger.texts(), ["while away"]);
    assert_eq!(
        bench.platform.times("connect").len(),
        1,
        "who we are is asked once"
    );
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_pushed_message_is_stored_and_moves_no_cursor() {
    let mut bench = bench([vec![Act::Ready, Act::Wait(secs(1)), pushes(&c1(), "pushed")]]);
    up(&mut bench).await;
    bench.quiet(secs(2)).await;
    assert_eq!(bench.ledger.texts(), ["pushed"]);
    assert_eq!(
        bench.ledger.book().cursors[&c1()],
        Cursor((NOW - 3600).to_string())
    );
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn lanes_wait_before_the_first_pushed_message_is_stored() {
    // This platform pushes before it says that it is ready.
    let mut bench = bench([vec![pushes(&c1(), "early"), Act::Ready]]);
    bench.expect(&["connecting", "holding"]).await;
    bench.expect(&["connected", "reconciled"]).await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn history_is_read_beside_a_healthy_socket() {
    let mut bench = bench([]);
    up(&mut bench).await;
    bench.quiet(secs(650)).await;
    assert_eq!(
        bench.platform.times("poll").len(),
        3,
        "once at the start and every five minutes"
    );
    assert_eq!(bench.platform.times("subscribe").len(), 1);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_asks_for_new_connections_gets_one_a_second() {
    let mut bench = bench(std::iter::repeat_n(vec![Act::Ready, Act::End(Ok(()))], 5));
    tokio::time::sleep(secs(10)).await;
    assert_eq!(gaps(&bench), [1; 5]);
    let mut degraded = false;
    while let Ok(event) = tokio::time::timeout(secs(1), bench.next()).await {
        degraded |= matches!(event, DriverEvent::Degraded(_));
    }
    assert!(!degraded, "a connection that was asked for is no failure");
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn lost_connections_back_off_until_one_was_stable() {
    let short = || vec![Act::Ready, Act::End(lost())];
    let stable = vec![
        Act::Ready,
        Act::Wait(secs(30)),
        Act::Beat,
        Act::Wait(secs(30)),
        Act::End(lost()),
    ];
    let bench = bench([short(), short(), short(), stable, short()]);
    tokio::time::sleep(secs(100)).await;
    assert_eq!(gaps(&bench)[..5], [1, 2, 4, 60 + 1, 2]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_socket_is_dropped() {
    let mut bench = bench([vec![Act::Ready, Act::Wait(secs(40)), Act::Beat, Act::Hang]]);
    up(&mut bench).await;
    let before = Instant::now();
    bench.expect(&["degraded"]).await;
    assert_eq!(before.elapsed(), secs(40 + 45));
    bench.expect(&["holding", "recovered", "reconciled"]).await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_never_gets_ready_is_dropped() {
    let mut bench = bench([vec![Act::Hang]]);
    bench.expect(&["connecting", "degraded"]).await;
    bench.expect(&["holding", "connected", "reconciled"]).await;
    assert_eq!(gaps(&bench), [31]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_before_it_is_ready_is_a_failure() {
    let mut bench = bench([vec![Act::End(Ok(()))], vec![Act::End(Ok(()))]]);
    bench
        .expect(&["connecting", "degraded", "holding", "connected", "reconciled"])
        .await;
    assert_eq!(gaps(&bench), [1, 2]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_thaw_drops_the_socket_and_reads_everything() {
    let mut bench = bench([]);
    up(&mut bench).await;
    bench.platform.said(&c1(), "in the night", 5);
    let before = Instant::now();
    bench.thaw();
    bench.expect(&["holding", "reconciled"]).await;
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(bench.ledger.texts(), ["in the night"]);
    assert_eq!(bench.platform.times("subscribe").len(), 2);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_nothing_closes_the_socket() {
    let mut bench = bench([vec![Act::Ready, Act::Wait(secs(1)), pushes(&c1(), "pushed")]]);
    up(&mut bench).await;
    bench.ledger.book().full = true;
    bench.platform.said(&c1(), "pushed", 0);
    let said = bench.next().await;
    assert_eq!(
        said,
        DriverEvent::Degraded(ChannelError::Other("the disk is full".into())),
        "in the store's words"
    );
    bench.ledger.book().full = false;
    bench.expect(&["holding", "recovered", "reconciled"]).await;
    assert_eq!(
        bench.ledger.texts(),
        ["pushed"],
        "history brings what was not acknowledged"
    );
    bench.stop().await;
}

/// A channel that was up until the store refused what its socket pushed.
async fn without_room() -> Bench {
    let mut bench = bench([vec![Act::Ready, Act::Wait(secs(1)), pushes(&c1(), "pushed")]]);
    up(&mut bench).await;
    bench.ledger.book().full = true;
    bench.platform.said(&c1(), "pushed", 0);
    bench.expect(&["degraded"]).await;
    bench
}

#[tokio::test(start_paused = true)]
async fn while_there_is_no_room_nothing_is_said_again_and_nothing_is_called() {
    let mut bench = without_room().await;
    let calls = bench.platform.state().log.len();
    bench.platform.said(&c1(), "said to a closed socket", -5);
    bench.quiet(secs(3600)).await;
    assert_eq!(bench.platform.state().log.len(), calls);
    bench.ledger.book().full = false;
    bench.expect(&["holding", "recovered", "reconciled"]).await;
    assert_eq!(bench.ledger.texts(), ["pushed", "said to a closed socket"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_thaw_asks_for_room_anew_and_makes_none() {
    let mut bench = without_room().await;
    let calls = bench.platform.state().log.len();
    bench.thaw();
    bench.expect(&["holding", "reconciled"]).await;
    bench.quiet(secs(600)).await;
    assert_eq!(bench.platform.state().log.len(), calls);
    bench.ledger.book().full = false;
    let before = Instant::now();
    bench.thaw();
    bench.expect(&["holding", "recovered", "reconciled"]).await;
    assert_eq!(before.elapsed(), Duration::ZERO, "the wait was cut short");
    assert_eq!(bench.ledger.texts(), ["pushed"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_for_room() {
    let mut bench = without_room().await;
    bench.quiet(secs(5)).await;
    let before = Instant::now();
    assert_eq!(bench.stop().await, []);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_has_room_and_refuses_is_backed_off_from() {
    let bench = bench([]);
    bench.ledger.book().locked = true;
    bench.platform.said(&c1(), "hello", 0);
    tokio::time::sleep(secs(20)).await;
    assert_eq!(gaps(&bench), [1, 2, 4, 8]);
    bench.ledger.book().locked = false;
    tokio::time::sleep(secs(20)).await;
    assert_eq!(bench.ledger.texts(), ["hello"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_socket_whose_own_token_is_bad_is_final_after_one_more_try() {
    let refused = || {
        vec![Act::End(Err(ChannelError::AuthExpired(
            "renew the app token".into(),
        )))]
    };
    let mut bench = bench([refused(), refused()]);
    bench.expect(&["connecting", "auth expired"]).await;
    assert_eq!(bench.platform.times("connect").len(), 2);
    bench.quiet(secs(600)).await;
    assert_eq!(bench.platform.times("subscribe").len(), 2);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_and_goes_holds_lanes_once() {
    let mut sockets: Vec<_> =
        std::iter::repeat_n(vec![Act::Ready, Act::Wait(secs(9)), Act::End(Ok(()))], 20).collect();
    sockets.push(vec![Act::Ready]);
    let mut bench = bench(sockets);
    bench.platform.state().hang = true;
    bench
        .expect(&["connecting", "holding", "connected", "reconciled"])
        .await;
    bench.quiet(secs(100)).await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn without_history_lanes_wait_for_nothing() {
    let platform = Platform {
        pushes: true,
        polls: false,
        ..Platform::new()
    };
    let mut bench = Bench::start(platform);
    let before = Instant::now();
    up(&mut bench).await;
    assert_eq!(before.elapsed(), Duration::ZERO);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_limited_socket_waits_as_long_as_it_is_told() {
    let limited = ChannelError::RateLimited {
        what: "apps.connections.open".into(),
        retry_after: Some(secs(25)),
    };
    let mut bench = bench([vec![Act::End(Err(limited))]]);
    bench
        .expect(&["connecting", "rate limited", "holding", "connected", "reconciled"])
        .await;
    assert_eq!(gaps(&bench), [25]);
    bench.stop().await;
}
