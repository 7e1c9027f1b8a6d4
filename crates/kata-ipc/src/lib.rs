//! The wire between a Kata host and the daemon: commands, events, framing, stdio threads.
