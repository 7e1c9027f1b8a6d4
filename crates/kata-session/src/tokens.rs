//! How many tokens a text takes, where nobody counted them.

/// Tokens of a text, roughly: a token is four bytes of UTF-8 in Latin, Greek and Cyrillic text, three (one character) in
/// Chinese, Japanese and Korean, two in emoji.
///
/// It is meant to be too high rather than too low, and adds up: a longer text never takes less, and two texts never
/// take more together than apart. Each model counts in its own way; what an agent reports goes before this.
///
/// ```
/// use kata_session::estimate;
///
/// assert_eq!(estimate("four bytes a token, rounded up"), 8);
/// assert_eq!(estimate("会議は明日"), 5);
/// ```
#[must_use]
pub fn estimate(text: &str) -> u64 {
    // Every entry is counted before every turn, and most text is plain.
    let quarters = if text.is_ascii() {
        text.len() as u64
    } else {
        text.chars().map(quarters).sum()
    };
    quarters.div_ceil(4)
}

/// Quarters of a token that a character takes.
fn quarters(c: char) -> u64 {
    match c.len_utf8() {
        1 => 1,
        2 => 2,
        3 => 4,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scripts_take_what_models_take_for_them_or_more() {
        for (text, tokens) in [
            ("", 0),
            ("a", 1),
            ("word", 1),
            ("words", 2),
            ("größer", 2),
            ("привет", 3),
            ("你好", 2),
            ("🛑", 2),
        ] {
            assert_eq!(estimate(text), tokens, "{text}");
        }
    }

    proptest! {
        #[test]
        fn more_text_never_takes_less_and_two_texts_never_take_more_together(a in any::<String>(), b in any::<String>()) {
            let both = estimate(&format!("{a}{b}"));
            prop_assert!(both >= estimate(&a).max(estimate(&b)));
            prop_assert!(both <= estimate(&a) + estimate(&b));
        }
    }
}
