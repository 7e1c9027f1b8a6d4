//! The ingress drivers: polling and subscribing, written once for every platform.

mod sink;

pub use sink::{Ingress, Pulse, Sink};
