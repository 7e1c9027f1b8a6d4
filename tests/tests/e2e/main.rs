//! The real binary between a fake host and a fake Slack.
//!
//! Needs `cargo build -p katad --features failpoints` first. One module a topic; every test has a directory and a
//! port of its own, and waits for events, never for time.

mod acp;
mod agent;
mod app_store;
mod approvals;
mod auth;
mod auth_gmail;
mod both;
mod channels;
mod control;
mod conversation;
mod discord;
mod disk;
mod framing;
mod gmail;
mod kill_gate;
mod legacy;
mod lifecycle;
mod outage;
mod pairing;
mod permissions;
mod piled_up;
mod platform;
mod plugins;
mod recovery;
mod refused;
mod serve;
mod sessions;
mod tasks;
mod tools;
mod turns;
