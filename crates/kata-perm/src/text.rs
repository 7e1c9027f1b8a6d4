//! What holds for every text that a rule looks at.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// The longest text that a rule looks at, bytes. A longer one matches nothing that allows, and everything that denies.
pub(crate) const LONGEST: usize = 64 << 10;

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// Characters that a person who reads the text does not see, or that read as another: controls, white space that is not
/// ASCII, invisible characters, and those that change the direction of writing.
pub(crate) fn hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// The form in which what denies compares names: file systems that fold case and Unicode forms take all of these for one.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    // Once more at the end: lower case may leave the normal form.
    let lower = NFKC.normalize(text).to_lowercase();
    Cow::Owned(NFKC.normalize(&lower).into_owned())
}
