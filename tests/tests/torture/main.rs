//! The shipped binary killed at random times, and asleep for a while: `just torture`.
//!
//! `KATA_TORTURE_ROUNDS` rounds (3), from `KATA_TORTURE_SEED` (random, and printed when a round fails).

mod asleep;
mod killed;
