//! The codes that questions are answered by in a conversation.

use std::time::Duration;

use rand::seq::IndexedRandom as _;

use crate::{ChannelId, StoreError, tx::Tx};

/// Without `0`, `O`, `1` and `I`, which look alike.
pub(crate) const ALPHABET: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const LENGTH: usize = 3;
/// For so long a code means one question in its channel.
const UNIQUE_FOR: Duration = Duration::from_secs(24 * 3600);
/// There are some 18,000 codes: so many misses in a row mean that nearly all are taken.
const TRIES: usize = 200;

/// A code that names no other question of the channel.
pub(super) fn fresh(tx: &Tx<'_>, channel: ChannelId) -> Result<String, StoreError> {
    for _ in 0..TRIES {
        let code = roll();
        let is_taken: bool = tx.one(
            "SELECT EXISTS (SELECT 1 FROM kata_approvals WHERE channel = ?1 AND code = ?2
               AND (asked_ms > ?3 OR state = 'open'))",
            (channel, &code, tx.now.minus(UNIQUE_FOR)),
        )?;
        if !is_taken {
            return Ok(code);
        }
    }
    Err(StoreError::Codes)
}

/// With at least one digit and one letter: neither a number nor a word that somebody says anyway.
fn roll() -> String {
    let mut rng = rand::rng();
    loop {
        let code: Vec<u8> = (0..LENGTH)
            .filter_map(|_| ALPHABET.choose(&mut rng).copied())
            .collect();
        if code.iter().any(u8::is_ascii_digit) && code.iter().any(u8::is_ascii_alphabetic) {
            return String::from_utf8_lossy(&code).into_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_three_characters_that_do_not_look_alike_with_a_digit_and_a_letter() {
        for _ in 0..2_000 {
            let code = roll();
            assert_eq!(code.len(), 3, "{code}");
            assert!(code.bytes().all(|c| ALPHABET.contains(&c)), "{code}");
            assert!(code.contains(|c: char| c.is_ascii_digit()), "{code}");
            assert!(code.contains(|c: char| c.is_ascii_uppercase()), "{code}");
        }
    }
}
