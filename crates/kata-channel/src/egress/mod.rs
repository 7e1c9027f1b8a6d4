//! The egress layers: retry, pace, attempt timeout.
