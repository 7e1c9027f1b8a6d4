use tower::ServiceExt;
use tower_test::mock::{self, Handle, Mock};

use super::*;
use crate::{
    egress::sample::{failed, out, rate_limited, receipt},
    error::Effect,
};

const SECOND: Duration = Duration::from_secs(1);

type Paced = Pace<Mock<Outbound, Receipt>>;

fn paced(sends_per_second: Option<f64>) -> (Paced, Handle<Outbound, Receipt>) {
    let (inner, handle) = mock::pair();
    (PaceLayer::new(sends_per_second).layer(inner), handle)
}

/// One send that reaches the platform, which answers with `answer`; says how long it waited before.
async fn send(
    service: &Paced,
    platform: &mut Handle<Outbound, Receipt>,
    conversation: &str,
    answer: Result<Receipt, Error>,
) -> Duration {
    let asked = Instant::now();
    let (_, waited) = tokio::join!(service.clone().oneshot(out(conversation)), async {
        let (_, respond) = platform.next_request().await.expect("the service is alive");
        match answer {
            Ok(receipt) => respond.send_response(receipt),
            Err(error) => respond.send_error(error),
        }
        asked.elapsed()
    });
    // Timers of tokio have a millisecond.
    Duration::from_millis(u64::try_from(waited.as_millis()).unwrap())
}

fn assert_about(waited: Duration, expected: Duration) {
    assert!(
        waited.abs_diff(expected) <= Duration::from_millis(5),
        "waited {waited:?}, not {expected:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn sending_is_free_until_the_platform_says_otherwise() {
    let (service, mut platform) = paced(None);
    for _ in 0..100 {
        assert_about(
            send(&service, &mut platform, "C1", Ok(receipt())).await,
            Duration::ZERO,
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_was_asked_for_holds_for_its_conversation_alone() {
    let (service, mut platform) = paced(None);
    send(&service, &mut platform, "C1", Err(rate_limited(Some(SECOND * 3)))).await;
    assert_about(
        send(&service, &mut platform, "C2", Ok(receipt())).await,
        Duration::ZERO,
    );
    assert_about(
        send(&service, &mut platform, "C1", Ok(receipt())).await,
        SECOND * 3,
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_limit_a_conversation_goes_slower_and_recovers() {
    let (service, mut platform) = paced(None);
    send(&service, &mut platform, "C1", Err(rate_limited(Some(SECOND)))).await;
    let mut waits = Vec::new();
    for _ in 0..10 {
        waits.push(send(&service, &mut platform, "C1", Ok(receipt())).await);
    }
    assert_about(waits[0], SECOND);
    assert_about(waits[1], SECOND);
    assert!(waits.windows(2).all(|pair| pair[0] >= pair[1]), "{waits:?}");
    assert_about(waits[9], Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_long_pause_goes_back_to_the_queue_without_asking_the_platform() {
    let (service, mut platform) = paced(None);
    send(
        &service,
        &mut platform,
        "C1",
        Err(rate_limited(Some(SECOND * 60))),
    )
    .await;
    tokio::time::advance(SECOND * 20).await;
    let refused = service.oneshot(out("C1")).await.unwrap_err();
    let refused = failed(&refused);
    assert_eq!(refused.effect, Effect::None);
    assert_about(refused.error.retry_after().unwrap(), SECOND * 40);
    // The platform saw nothing of it.
    assert!(platform.next_request().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_the_channel_spreads_what_exceeds_it() {
    let (service, mut platform) = paced(Some(2.0));
    let mut at = Vec::new();
    let started = Instant::now();
    for conversation in ["C1", "C2", "C3", "C4", "C5"] {
        send(&service, &mut platform, conversation, Ok(receipt())).await;
        at.push(started.elapsed());
    }
    let half = SECOND / 2;
    for (at, expected) in at
        .into_iter()
        .zip([Duration::ZERO, Duration::ZERO, half, half * 2, half * 3])
    {
        assert_about(at, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_quota_cannot_take_in_time_goes_back_to_the_queue() {
    let (service, mut platform) = paced(Some(0.1));
    send(&service, &mut platform, "C1", Ok(receipt())).await;
    let refused = service.oneshot(out("C2")).await.unwrap_err();
    assert_about(failed(&refused).error.retry_after().unwrap(), SECOND * 10);
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_no_number_is_none() {
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
        let (service, mut platform) = paced(Some(rate));
        for _ in 0..3 {
            assert_about(
                send(&service, &mut platform, "C1", Ok(receipt())).await,
                Duration::ZERO,
            );
        }
    }
}
