//! The rules of the house that no compiler holds: who may use whom, how long a file may be, what is never written, and
//! that what the documentation says is there is there.

mod dependencies;
mod documents;
mod files;
mod rules;
mod source;
