//! The time that a turn has used. It stands still while the turn waits for a person (D12).

use std::{fmt, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// Time awake, less the time in which the turn waited for a person. Clones are handles on one stopwatch.
#[derive(Clone)]
pub struct Stopwatch {
    holds: watch::Sender<usize>,
}

/// Holds a stopwatch until it is dropped. Holds may overlap.
#[must_use]
pub struct Hold(Stopwatch);

/// Returns once there was no progress for the limit, counted on `watch`; without a limit never.
pub(crate) async fn silence(progress: &Notify, limit: Option<Duration>, watch: &Stopwatch) -> Duration {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    loop {
        tokio::select! {
            biased;
            () = progress.notified() => {}
            () = watch.passed(limit) => return limit,
        }
    }
}

// === impl Stopwatch ===

impl Stopwatch {
    /// A stopwatch that runs.
    #[must_use]
    pub fn new() -> Self {
        Self {
            holds: watch::Sender::new(0),
        }
    }

    /// Stops it until the answer is dropped.
    pub fn hold(&self) -> Hold {
        self.holds.send_modify(|holds| *holds += 1);
        Hold(self.clone())
    }

    /// Whether it stands still.
    #[must_use]
    pub fn is_held(&self) -> bool {
        *self.holds.borrow() > 0
    }

    /// Returns once `limit` has passed since the call, without the time in which it stood still.
    ///
    /// # Cancel safety
    /// Cancel safe: a new call counts from its own beginning.
    pub async fn passed(&self, limit: Duration) {
        let mut holds = self.holds.subscribe();
        let mut left = limit;
        loop {
            // A sender of its own lives in `self`: the channel is never closed.
            let _ = holds.wait_for(|holds| *holds == 0).await;
            let since = Instant::now();
            tokio::select! {
                biased;
                _ = holds.wait_for(|holds| *holds > 0) => left = left.saturating_sub(since.elapsed()),
                () = tokio::time::sleep(left) => return,
            }
        }
    }
}

impl Default for Stopwatch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Stopwatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopwatch")
            .field("is_held", &self.is_held())
            .finish_non_exhaustive()
    }
}

// === impl Hold ===

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.holds.send_modify(|holds| *holds -= 1);
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn it_stands_still_while_it_is_held() {
        let watch = Stopwatch::new();
        let mut passed = Box::pin(watch.passed(LIMIT));
        assert!(passed.as_mut().now_or_never().is_none());
        tokio::time::advance(LIMIT / 2).await;
        let hold = watch.hold();
        assert!(passed.as_mut().now_or_never().is_none());
        tokio::time::advance(10 * LIMIT).await;
        assert!(passed.as_mut().now_or_never().is_none(), "held");
        drop(hold);
        assert!(passed.as_mut().now_or_never().is_none());
        let resumed = Instant::now();
        passed.await;
        assert_eq!(resumed.elapsed(), LIMIT / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_of_several_holds_lets_it_run() {
        let watch = Stopwatch::new();
        let (one, two) = (watch.hold(), watch.hold());
        drop(one);
        assert!(watch.is_held());
        drop(two);
        assert!(!watch.is_held());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_not_counted_while_the_turn_waits_for_a_person() {
        let (watch, progress) = (Stopwatch::new(), Notify::new());
        let mut silence = Box::pin(silence(&progress, Some(LIMIT), &watch));
        let hold = watch.hold();
        assert!(silence.as_mut().now_or_never().is_none());
        tokio::time::advance(10 * LIMIT).await;
        assert!(silence.as_mut().now_or_never().is_none());
        drop(hold);
        assert_eq!(silence.await, LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn progress_begins_the_silence_anew() {
        let (watch, progress) = (Stopwatch::new(), Notify::new());
        let mut silence = Box::pin(silence(&progress, Some(LIMIT), &watch));
        for _ in 0..3 {
            assert!(silence.as_mut().now_or_never().is_none());
            tokio::time::advance(LIMIT / 2).await;
            progress.notify_one();
        }
        let since = Instant::now();
        silence.await;
        assert_eq!(since.elapsed(), LIMIT);
    }
}
