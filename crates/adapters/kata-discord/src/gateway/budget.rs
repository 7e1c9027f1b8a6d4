//! Sessions that are begun. Discord allows a thousand a day, and takes the token away from whoever needs more:
//! <https://docs.discord.com/developers/events/gateway#session-start-limit-object>.

use std::time::Duration;

use tokio::time::Instant;

/// So many at once, after a quiet day.
const BURST: f64 = 50.0;
/// One more every so often: with the burst 770 in a day, whatever happens. The rest is the user's, for other programs with this token.
const EVERY: Duration = Duration::from_secs(120);

/// A day's worth of sessions, in drops.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: f64,
    since: Option<Instant>,
}

// === impl Budget ===

impl Default for Budget {
    fn default() -> Self {
        Self {
            left: BURST,
            since: None,
        }
    }
}

impl Budget {
    /// Takes one session.
    ///
    /// # Errors
    /// There is none: the next one is there in so long.
    pub(super) fn take(&mut self) -> Result<(), Duration> {
        let now = Instant::now();
        let passed = self
            .since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.left = (self.left + passed.as_secs_f64() / EVERY.as_secs_f64()).min(BURST);
        self.since = Some(now);
        if self.left < 1.0 {
            return Err(EVERY.mul_f64(1.0 - self.left));
        }
        self.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_day_of_trouble_stays_below_what_discord_allows() {
        let mut budget = Budget::default();
        let (mut begun, mut waited) = (0, Duration::ZERO);
        while waited < Duration::from_secs(24 * 3600) {
            match budget.take() {
                Ok(()) => begun += 1,
                Err(pause) => {
                    waited += pause;
                    tokio::time::advance(pause).await;
                }
            }
        }
        assert!((700..800).contains(&begun), "{begun}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_now_and_then_is_never_refused() {
        let mut budget = Budget::default();
        for _ in 0..1_000 {
            assert_eq!(budget.take(), Ok(()));
            tokio::time::advance(EVERY).await;
        }
    }
}
