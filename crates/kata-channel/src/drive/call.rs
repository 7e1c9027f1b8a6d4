//! Asking the platform: each question has its time, and a pause that the platform asks for is kept.

use std::{future::Future, time::Duration};

use tokio::time::{sleep, timeout};

use super::{
    backoff::{Backoff, Jitter},
    report::Report,
};
use crate::error::ChannelError;

/// No question takes longer. Adapters have shorter limits of their own; this one holds when they fail.
const LONGEST: Duration = Duration::from_secs(30);

/// One question, within its time.
pub(super) async fn in_time<T>(
    question: impl Future<Output = Result<T, ChannelError>>,
) -> Result<T, ChannelError> {
    timeout(LONGEST, question).await.unwrap_or_else(|_| {
        Err(ChannelError::ConnectionLost(format!(
            "the platform did not answer within {} s",
            LONGEST.as_secs()
        )))
    })
}

/// Asks until the answer is something else than "not now". The whole channel pauses meanwhile, and what was being read
/// goes on where it was.
pub(super) async fn patiently<T, Q>(
    report: &Report,
    jitter: Jitter,
    mut question: impl FnMut() -> Q,
) -> Result<T, ChannelError>
where
    Q: Future<Output = Result<T, ChannelError>>,
{
    let mut backoff = Backoff::of_driver(jitter);
    loop {
        let limited = match in_time(question()).await {
            Err(error @ ChannelError::RateLimited { .. }) => error,
            answer => {
                report.pause_over().await;
                return answer;
            }
        };
        let pause = limited.retry_after().unwrap_or_else(|| backoff.pause());
        report.limited(limited).await;
        sleep(pause).await;
    }
}
