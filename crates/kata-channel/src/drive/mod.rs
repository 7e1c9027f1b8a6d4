//! The ingress drivers: connecting, polling, subscribing and catching up, written once for every platform.
//!
//! A [`Driver`] runs one channel. Where the platform pushes, it subscribes for speed; in any case it reads history for
//! truth: after each connect, after each thaw, and every so often. It moves cursors through the ingress stack (D3), says
//! what happens as [`DriverEvent`]s, and leaves every platform detail to the [`Adapter`](crate::Adapter).
//!
//! It refuses to know where cursors are kept ([`Cursors`]) and who listens to its events.

mod backoff;
mod call;
mod connect;
mod cursors;
mod driver;
mod event;
mod flow;
mod hold;
mod look_back;
mod poll;
mod read;
mod reconcile;
mod report;
mod room;
mod sink;
mod subscribe;
#[cfg(test)]
mod tests;

pub use backoff::{Backoff, InvalidBackoff, Jitter};
pub use cursors::Cursors;
pub use driver::{DriveSettings, Driver};
pub use event::DriverEvent;
pub use sink::{Ingress, Pulse, Sink};
