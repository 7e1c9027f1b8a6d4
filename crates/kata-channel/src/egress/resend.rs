//! Repeats what certainly did not arrive, for a few seconds. Over pace and timeout: every attempt pays and has its own time.

use std::time::Duration;

use tokio::time::Sleep;
use tower::retry::Policy;

use super::PATIENCE;
use crate::{
    error::{ChannelError, Effect, Error, SendError, cause_ref},
    outbound::{Outbound, Receipt},
};

/// After so many repetitions the queue takes over: it counts, it survives us, and it lets other conversations go first (D21).
const REPETITIONS: u32 = 3;

/// The policy of [`tower::retry`] for sends.
///
/// Repeated is only what had no effect for certain (D19) and may work in a moment: a lost connection or an unclassified refusal after
/// 1, 2 and 4 s (± 20 %), a rate limit whose pause is short. All else goes up at once: an unknown outcome is for the read-back (D20),
/// a refusal and a dead token are for a person, a long pause is for the queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resend {
    repeated: u32,
}

// === impl Resend ===

impl Resend {
    /// A policy that has repeated nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn pause(self, failed: &SendError) -> Option<Duration> {
        if failed.effect == Effect::Maybe || self.repeated >= REPETITIONS {
            return None;
        }
        match &failed.error {
            ChannelError::ConnectionLost(_) | ChannelError::Other(_) => {
                let jitter = rand::random_range(0.8..1.2);
                Some(Duration::from_secs(1 << self.repeated).mul_f64(jitter))
            }
            ChannelError::RateLimited { retry_after, .. } => retry_after.filter(|pause| *pause <= PATIENCE),
            ChannelError::AuthExpired(_) | ChannelError::Rejected(_) => None,
        }
    }
}

impl Policy<Outbound, Receipt, Error> for Resend {
    type Future = Sleep;

    fn retry(&mut self, _: &mut Outbound, result: &mut Result<Receipt, Error>) -> Option<Sleep> {
        let error = result.as_ref().err()?;
        let pause = self.pause(cause_ref(&**error)?)?;
        self.repeated += 1;
        Some(tokio::time::sleep(pause))
    }

    fn clone_request(&mut self, out: &Outbound) -> Option<Outbound> {
        Some(out.clone())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use tower::{Layer, ServiceExt, retry::RetryLayer};
    use tower_test::mock;

    use super::*;
    use crate::egress::sample::{failed, out, rate_limited, receipt};

    /// Sends once against a platform that fails with `errors` and then takes it; answers with the number of attempts, the
    /// time they took and the outcome.
    async fn send(errors: Vec<Error>) -> (usize, Duration, Result<Receipt, Error>) {
        let (inner, mut handle) = mock::pair::<Outbound, Receipt>();
        let service = RetryLayer::new(Resend::new()).layer(inner);
        let started = Instant::now();
        let platform = async {
            let mut errors = errors.into_iter();
            let mut attempts = 0;
            while let Some((_, respond)) = handle.next_request().await {
                attempts += 1;
                match errors.next() {
                    Some(error) => respond.send_error(error),
                    None => respond.send_response(receipt()),
                }
            }
            attempts
        };
        let (outcome, attempts) = tokio::join!(service.oneshot(out("C1")), platform);
        (attempts, started.elapsed(), outcome)
    }

    fn lost() -> Error {
        SendError::none(ChannelError::ConnectionLost("refused".into())).into()
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_left_is_repeated_with_growing_pauses() {
        let (attempts, took, outcome) = send(vec![lost(), lost(), lost()]).await;
        assert_eq!((attempts, outcome.unwrap()), (4, receipt()));
        assert!((5.6..8.5).contains(&took.as_secs_f64()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_few_repetitions_the_queue_takes_over() {
        let (attempts, _, outcome) = send(vec![lost(), lost(), lost(), lost(), lost()]).await;
        assert_eq!(attempts, 4);
        assert!(matches!(
            failed(&outcome.unwrap_err()).error,
            ChannelError::ConnectionLost(_)
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_pause_that_the_platform_asks_for_is_waited_out() {
        let (attempts, took, outcome) = send(vec![rate_limited(Some(Duration::from_secs(3)))]).await;
        assert_eq!((attempts, outcome.unwrap()), (2, receipt()));
        assert!((3.0..3.1).contains(&took.as_secs_f64()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn everything_else_goes_up_at_once() {
        let finals = [
            // D19: only effect None is ever repeated by a layer.
            SendError::maybe(ChannelError::ConnectionLost("reset".into())).into(),
            SendError::maybe(ChannelError::Other("500".into())).into(),
            SendError::none(ChannelError::AuthExpired("token revoked".into())).into(),
            SendError::none(ChannelError::Rejected("no such channel".into())).into(),
            rate_limited(Some(Duration::from_secs(6))),
            rate_limited(None),
            Error::from("not a send error"),
        ];
        for error in finals {
            let sentence = error.to_string();
            let (attempts, took, outcome) = send(vec![error]).await;
            assert_eq!((attempts, took), (1, Duration::ZERO), "{sentence}");
            assert_eq!(outcome.unwrap_err().to_string(), sentence);
        }
    }
}
