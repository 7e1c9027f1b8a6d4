//! A mark that data cannot forge.

use crate::digest::hex_digits;

/// Digits of a fence. 64 bits: a writer cannot hit one by chance, and cannot aim, since the fence is a hash of what is
/// written, times and ids included.
const DIGITS: usize = 16;

/// A word that occurs nowhere in `data`. The same data gives the same word, so that a turn that is tried again
/// reads the same prompt.
pub(crate) fn around(data: &[&str]) -> String {
    let candidates = (0u64..).map(|n| {
        let salt = n.to_le_bytes();
        // The length keeps ["ab", "c"] and ["a", "bc"] apart.
        let lengths: Vec<[u8; 8]> = data
            .iter()
            .map(|part| (part.len() as u64).to_le_bytes())
            .collect();
        let parts = data
            .iter()
            .zip(&lengths)
            .flat_map(|(part, length)| [length.as_slice(), part.as_bytes()]);
        hex_digits(std::iter::once(salt.as_slice()).chain(parts), DIGITS)
    });
    absent_from(data, candidates)
}

/// The first candidate that no part contains, in either case of its letters: to a reader `A1` is `a1`.
fn absent_from(data: &[&str], candidates: impl Iterator<Item = String>) -> String {
    let lower: Vec<String> = data.iter().map(|part| part.to_ascii_lowercase()).collect();
    let mut absent = candidates.filter(|word| !lower.iter().any(|part| part.contains(word)));
    // INVARIANT: finite data holds finitely many words, and `around` offers 2^64 of them.
    absent.next().expect("finite data cannot contain every candidate")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(words: &[&str]) -> impl Iterator<Item = String> {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
            .into_iter()
    }

    #[test]
    fn a_word_that_the_data_contains_in_any_case_is_passed_over() {
        assert_eq!(absent_from(&["xxaAyy", "bb"], words(&["aa", "bb", "cc"])), "cc");
    }

    #[test]
    fn where_one_part_ends_and_the_next_begins_counts() {
        assert_ne!(around(&["ab", "c"]), around(&["a", "bc"]));
    }

    proptest! {
        #[test]
        fn a_fence_is_absent_from_its_data_and_from_data_that_quotes_it(data in any::<Vec<String>>()) {
            let mut parts: Vec<&str> = data.iter().map(String::as_str).collect();
            let fence = around(&parts);
            prop_assert!(parts.iter().all(|part| !part.contains(&fence)));
            parts.push(&fence);
            prop_assert_ne!(around(&parts), fence.clone());
        }
    }
}
