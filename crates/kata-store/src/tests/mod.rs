//! The store on real SQLite in a temporary folder.

mod queue;
mod support;
