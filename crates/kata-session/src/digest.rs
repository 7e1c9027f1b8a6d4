//! SHA-256 as lower-case hexadecimal digits.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The first `digits` hexadecimal digits of the SHA-256 of `parts`, one after the other.
pub(crate) fn hex_digits<'a>(parts: impl IntoIterator<Item = &'a [u8]>, digits: usize) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part);
    }
    let mut hex = String::with_capacity(64);
    for byte in sha.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(digits);
    hex
}
