//! Asking the platform who we are, before anything depends on it.

use tokio::time::sleep;

use super::{backoff::Backoff, call, driver::Parts, report::Final};
use crate::{adapter::Identity, error::ChannelError};

/// Tries until the platform knows us or refuses for good.
pub(super) async fn connect(parts: &Parts) -> Result<Identity, Final> {
    let mut backoff = Backoff::of_driver(parts.jitter);
    parts.report.connecting().await;
    loop {
        let error = match call::patiently(&parts.report, parts.jitter, || parts.adapter.connect()).await {
            Ok(identity) => return Ok(identity),
            Err(error @ ChannelError::AuthExpired(_)) => return Err(Final::AuthExpired(error)),
            Err(error @ ChannelError::Rejected(_)) => return Err(Final::Refused(error)),
            Err(error) => error,
        };
        parts.report.degraded(error).await;
        sleep(backoff.pause()).await;
    }
}
