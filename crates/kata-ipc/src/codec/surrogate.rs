//! Lone surrogate escapes, as JavaScript's `slice` leaves them in the middle of an emoji: `"\ud83d"`.
//!
//! JavaScript writes them, no UTF-8 text can hold them, serde_json refuses the whole line for them. They are read
//! as U+FFFD, as a browser's `TextEncoder` does.

/// The length of `\uXXXX`.
const ESCAPE: usize = 6;

/// Replaces each lone surrogate escape by `\ufffd`, which is as long.
pub(super) fn replace_lone(json: &mut [u8]) {
    let mut at = 0;
    // Outside of strings JSON has no backslash, so that strings need not be told from the rest.
    while let Some(found) = json[at..].iter().position(|&b| b == b'\\') {
        at += found;
        at += match escaped_unit(&json[at..]) {
            Some(0xD800..=0xDBFF) if matches!(escaped_unit(&json[at + ESCAPE..]), Some(0xDC00..=0xDFFF)) => {
                2 * ESCAPE
            }
            Some(0xD800..=0xDFFF) => {
                json[at..at + ESCAPE].copy_from_slice(b"\\ufffd");
                ESCAPE
            }
            // Another escape: its second character may be a backslash, which then begins nothing.
            _ => 2.min(json.len() - at),
        };
    }
}

/// The UTF-16 unit that stands at the beginning as `\uXXXX`, if one does.
fn escaped_unit(json: &[u8]) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = json.get(..ESCAPE)? else {
        return None;
    };
    digits.iter().try_fold(0, |unit, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use std::fmt::Write;

    fn replaced(json: &str) -> String {
        let mut bytes = json.as_bytes().to_vec();
        replace_lone(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_escaped_backslash_begins_no_escape() {
        assert_eq!(replaced(r#""\\ud83d""#), r#""\\ud83d""#);
        assert_eq!(replaced(r#""\\\ud83d""#), r#""\\\ufffd""#);
    }

    #[test]
    fn a_cut_off_escape_is_left_to_the_parser() {
        for json in [r"\", r"\u", r"\ud83", r"\ud83d\", r"\ud83d\ude0", r"\u00zz"] {
            assert_eq!(replaced(json).len(), json.len());
        }
    }

    proptest! {
        #[test]
        fn any_units_read_as_a_lossy_decoder_reads_them(
            units in vec(prop_oneof![any::<u16>(), 0xD800_u16..=0xDFFF, Just(0x5C)], 0..40),
            upper in any::<bool>(),
        ) {
            let mut json = String::from('"');
            for unit in &units {
                if upper { write!(json, "\\u{unit:04X}") } else { write!(json, "\\u{unit:04x}") }.unwrap();
            }
            json.push('"');
            let text: String = serde_json::from_str(&replaced(&json)).unwrap();
            prop_assert_eq!(text, String::from_utf16_lossy(&units));
        }

        #[test]
        fn no_bytes_make_it_fail_or_change_the_length(mut bytes in vec(prop_oneof![Just(b'\\'), Just(b'u'), Just(b'd'), any::<u8>()], 0..60)) {
            let length = bytes.len();
            replace_lone(&mut bytes);
            prop_assert_eq!(bytes.len(), length);
        }
    }
}
