//! Markdown, parsed once, rendered in a platform's own markup and split where it hurts least.
//!
//! Nothing is ever cut. What a platform cannot show is shown as text: a table as aligned lines in a block of code, a link that
//! cannot be followed as its address, HTML as it was written. (The one thing left out is a link's title, which no reader sees
//! without pointing at it.)
//!
//! The way: Markdown → lines of styled runs (`read`) → pieces between which a split is possible (`atom`) → parts
//! (`split`), each written by a writer (`write`) that closes at a part's end what is open and opens it again in the next.
//!
//! ```
//! use kata_channel::{Length, Unit, markdown::{Dialect, render}};
//!
//! let length = Length { unit: Unit::Chars, limit: 40 };
//! let parts = render("# Rain\n\nIt will rain at noon. Take the *large* umbrella.", &Dialect::PLAIN, length);
//! assert_eq!(parts, ["Rain\n\nIt will rain at noon.", "Take the large umbrella."]);
//! ```

mod atom;
mod dialect;
mod inline;
mod layout;
mod line;
mod nest;
mod read;
mod references;
mod split;
mod table;
#[cfg(test)]
mod tests;
mod write;

pub use dialect::{Dialect, Fence, Label, Marks};

use crate::adapter::Length;

/// The smallest limit that is honoured; a smaller one is read as this.
pub const MIN_LIMIT: usize = 40;

/// Renders `markdown` in the platform's markup, in parts of at most `length`.
///
/// Every part is complete in itself (fences, styles and links that a split falls into are closed and opened again) and says
/// something. Read one after the other they say all that `markdown` says; only the white space at a split is gone. Nothing to
/// say gives no parts.
#[must_use]
pub fn render(markdown: &str, dialect: &Dialect, length: Length) -> Vec<String> {
    let length = Length {
        limit: length.limit.max(MIN_LIMIT),
        ..length
    };
    split::parts(&read::lines(markdown, dialect, length), dialect, length)
}
