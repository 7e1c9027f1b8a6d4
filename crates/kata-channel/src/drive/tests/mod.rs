//! Drivers on a paused clock, over a platform and a store that are data.

mod bench;
mod connecting;
mod platform;
mod polling;
mod reading;
mod subscribing;
