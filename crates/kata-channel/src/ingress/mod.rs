//! The ingress layers: who may speak, what answers a question, what is for us, what must wait.
//!
//! Nothing in the ingress stack waits (D1), so nearly every layer is a [`Step`]: a synchronous look at one message that may
//! change its [`Disposition`](crate::Disposition). [`EachLayer`] makes a tower layer of a step. The order that the
//! steps are meant for:
//!
//! 1. [`SenderGate`]: strangers, bots and our own messages get nowhere (D27), but for what a [`Door`] gives strangers;
//! 2. [`Controls`]: reactions that stop or retry, by one table for all platforms;
//! 3. [`ApprovalRouter`]: an answer to a question about a tool call, which must not queue behind the turn that asks;
//! 4. [`Addressed`]: what is said in passing, where others talk, is nothing to us;
//! 5. [`ChatCommands`]: `/reset` and its like, which count with or without the trigger;
//! 6. [`Trigger`]: a text without the trigger is nothing to us;
//! 7. [`CatchUpLayer`]: what history brings too late leaves a row and gets no turn. A layer of pages and no step, since what is
//!    pushed does not come late;
//! 8. [`Quota`]: stamps `not_before`. Here, so that only what asks for a turn is metered, by a message, an edit or a reaction;
//! 9. [`Coalesce`]: stamps it too, where a channel waits for more of what somebody has to say (D14).
//!
//! ```
//! use kata_channel::{Admitted, Clock, Error, Page, drive::Ingress, ingress::*, settings::{Filter, Settings}};
//! use tower::{ServiceBuilder, service_fn};
//!
//! # fn main() -> Result<(), PatternError> {
//! let (filter, settings) = (Filter::default(), Settings::default());
//! let (questions, clock) = (Questions::default(), Clock::system());
//! let trigger = Trigger::compile(filter.patterns())?;
//! let admit = service_fn(|page: Page| async move {
//!     Ok::<_, Error>(Admitted { new: page.messages.len(), ..Admitted::default() })
//! });
//! let ingress: Ingress = ServiceBuilder::new()
//!     .layer(Ingress::layer())
//!     .layer(EachLayer::new(SenderGate::new(&filter, &settings, [])))
//!     .layer(EachLayer::new(Controls))
//!     .layer(EachLayer::new(ApprovalRouter::new(questions.clone(), trigger.clone())))
//!     .layer(EachLayer::new(Addressed::new(&filter)))
//!     .layer(EachLayer::new(ChatCommands::new(trigger.clone())))
//!     .layer(EachLayer::new(trigger))
//!     .layer(CatchUpLayer::new(&settings.catch_up, clock.clone()))
//!     .layer(EachLayer::new(Quota::new(&settings.quota, clock.clone())))
//!     .layer(EachLayer::new(Coalesce::new(&settings.coalesce, clock)))
//!     .service(admit);
//! # let _ = ingress;
//! # Ok(())
//! # }
//! ```

mod addressed;
mod approval;
mod catch_up;
mod coalesce;
mod command;
mod controls;
mod each;
mod gate;
mod meter;
mod paired;
mod quota;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
mod trigger;

pub use addressed::Addressed;
pub use approval::{ApprovalRouter, Questions};
pub use catch_up::{CatchUp, CatchUpLayer};
pub use coalesce::Coalesce;
pub use command::ChatCommands;
pub use controls::Controls;
pub use each::{Each, EachLayer, Step};
pub use gate::SenderGate;
pub use kata_regex::PatternError;
pub use paired::{Door, Paired};
pub use quota::Quota;
pub use trigger::Trigger;
