//! Markdown, parsed once, rendered in a platform's own markup and split where it hurts least.

mod dialect;

pub use dialect::{Dialect, Fence, Marks};

/// The smallest limit that is honoured; a smaller one is read as this.
pub const MIN_LIMIT: usize = 40;
