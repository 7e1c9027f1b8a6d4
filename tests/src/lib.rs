//! Fake platforms, a fake host and fake agents for the end-to-end tests of katad.
