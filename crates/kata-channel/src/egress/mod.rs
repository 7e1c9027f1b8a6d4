//! The egress layers. A stack sends one rendered part of an answer, once; what cannot be done within seconds goes back to the
//! queue, which is durable and knows how to wait.
//!
//! Outermost first, the stack is: span · rescue · [`Resend`] · [`Pace`] · [`AttemptTimeout`] · [`AdapterService`]. The rescue is the
//! binary's. Retry stands over pace, so that every attempt pays; pace stands over the timeout, so that waiting for a slot is no part
//! of an attempt.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use kata_channel::{Adapter, egress::{AdapterService, AttemptTimeoutLayer, Egress, PaceLayer, Resend}};
//! use tower::{ServiceBuilder, util::BoxCloneSyncService};
//!
//! fn egress(adapter: Arc<dyn Adapter>) -> Egress {
//!     ServiceBuilder::new()
//!         .layer(BoxCloneSyncService::layer())
//!         .retry(Resend::new())
//!         .layer(PaceLayer::new(None))
//!         .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
//!         .service(AdapterService::new(adapter))
//! }
//! ```

mod adapter_service;
mod attempt_timeout;
mod pace;
mod resend;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tower::util::BoxCloneSyncService;

pub use adapter_service::AdapterService;
pub use attempt_timeout::{AttemptTimeout, AttemptTimeoutLayer};
pub use pace::{Pace, PaceLayer};
pub use resend::Resend;

use crate::{
    error::Error,
    outbound::{Outbound, Receipt},
};

/// The egress stack of one channel.
pub type Egress = BoxCloneSyncService<Outbound, Receipt, Error>;

/// A longer pause is not waited for here: a part that waits in memory holds its place among the parts in flight, one that waits in
/// the queue holds nothing.
const PATIENCE: Duration = Duration::from_secs(5);
