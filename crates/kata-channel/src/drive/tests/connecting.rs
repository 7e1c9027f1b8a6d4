use std::time::Duration;

use super::{bench::Bench, platform::Platform};
use crate::error::ChannelError;

fn lost() -> ChannelError {
    ChannelError::ConnectionLost("no route".into())
}

fn platform(connects: impl IntoIterator<Item = Result<(), ChannelError>>) -> Platform {
    let platform = Platform::new();
    platform.state().connects.extend(connects);
    platform
}

#[tokio::test(start_paused = true)]
async fn connecting_backs_off_and_is_said_once() {
    let mut bench = Bench::start(platform([Err(lost()), Err(lost()), Err(lost()), Ok(())]));
    bench
        .expect(&["connecting", "degraded", "connected", "holding", "reconciled"])
        .await;
    let times = bench.platform.times("connect");
    let gaps: Vec<_> = times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs())
        .collect();
    assert_eq!(gaps[..3], [1, 2, 4]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final_until_there_is_a_new_driver() {
    for (error, said) in [
        (
            ChannelError::AuthExpired("renew the token".into()),
            "auth expired",
        ),
        (ChannelError::Rejected("add the scope".into()), "refused"),
    ] {
        let mut bench = Bench::start(platform([Err(error)]));
        bench.expect(&["connecting", said]).await;
        bench.thaw();
        bench.quiet(Duration::from_secs(3600)).await;
        assert_eq!(bench.platform.state().log.len(), 1, "nothing more is called");
        bench.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_platform_asks_for_is_kept() {
    let limited = ChannelError::RateLimited {
        what: "auth.test".into(),
        retry_after: Some(Duration::from_secs(17)),
    };
    let mut bench = Bench::start(platform([Err(limited.clone()), Err(limited), Ok(())]));
    bench
        .expect(&["connecting", "rate limited", "connecting", "connected"])
        .await;
    let times = bench.platform.times("connect");
    assert_eq!(times[2] - times[0], Duration::from_secs(34));
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_thaw_tries_again_at_once() {
    let mut bench = Bench::start(platform(std::iter::repeat_n(Err(lost()), 8).chain([Ok(())])));
    bench.expect(&["connecting", "degraded"]).await;
    // Seven failures in, it waits a minute.
    tokio::time::sleep(Duration::from_secs(70)).await;
    let before = tokio::time::Instant::now();
    bench.thaw();
    bench.expect(&["holding"]).await;
    tokio::task::yield_now().await;
    let tried = bench.platform.times("connect");
    assert_eq!(*tried.last().expect("it was tried"), before);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_adapter_without_a_way_in_is_refused() {
    let mut bench = Bench::start(Platform {
        polls: false,
        ..Platform::new()
    });
    bench.expect(&["connecting", "refused"]).await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_listener_learns_that_the_driver_has_ended() {
    let bench = Bench::start(Platform::new());
    assert!(
        bench.stop().await.len() <= 4,
        "and the channel of events is closed"
    );
}
