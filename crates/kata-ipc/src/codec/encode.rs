//! Events to lines.

use crate::Outgoing;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, Write};

/// Appends one line to `out`: JSON in ASCII, with its `\n`.
///
/// ASCII since the 0.7 app decodes each read of the pipe alone, and breaks a character that straddles two.
///
/// # Panics
/// Never: no shape of the protocol can fail to be written to memory.
pub fn encode(event: &Outgoing, out: &mut Vec<u8>) {
    event
        .serialize(&mut Serializer::with_formatter(&mut *out, Ascii))
        .expect("writing to memory cannot fail, and every key of an event is a string");
    out.push(b'\n');
}

/// JSON without spaces, every character beyond ASCII as `\uXXXX`.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(start) = rest.find(|c: char| !c.is_ascii()) {
            out.write_all(&rest.as_bytes()[..start])?;
            let mut chars = rest[start..].chars();
            let mut units = [0; 2];
            for unit in chars.next().map_or(&mut [][..], |c| c.encode_utf16(&mut units)) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}
