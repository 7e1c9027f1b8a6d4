//! Durations, and what lies in their middle and at their end.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

/// Nanoseconds, to three digits.
pub(crate) struct Samples(Histogram<u64>);

impl Samples {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Histogram::new(3)?))
    }

    pub(crate) fn record(&mut self, took: Duration) -> Result<()> {
        Ok(self.0.record(u64::try_from(took.as_nanos())?)?)
    }

    /// Milliseconds that so many in a hundred stay below.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        Duration::from_nanos(self.0.value_at_percentile(percent)).as_secs_f64() * 1e3
    }

    pub(crate) fn median(&self) -> f64 {
        self.percentile(50.0)
    }

    pub(crate) fn max(&self) -> f64 {
        Duration::from_nanos(self.0.max()).as_secs_f64() * 1e3
    }
}
