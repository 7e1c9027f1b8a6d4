//! What the channels of one token share: one socket ([`SharedSocket`]), commits side by side ([`Lanes`]), and who has which
//! conversation ([`Claims`]). A platform hands an event to *one* of a token's sockets, so they cannot each have their own (D5).
//!
//! An adapter brings what is its platform's: the *desk*, which says how one of its channels reads events, and the future that
//! serves a socket.

mod claims;
mod lanes;
mod run;
mod socket;

pub use claims::{Claims, Registration, Taken};
pub use lanes::Lanes;
pub use run::{Run, Seat};
pub use socket::SharedSocket;
