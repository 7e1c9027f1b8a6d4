//! A session's name, on the wire and on the disk.

use crate::digest::hex_digits;

/// Digits of the hash in a session key: part of the wire contract, since the app finds its session by this name.
const KEY_DIGITS: usize = 12;

/// The longest session key that is a directory's name as it is, in bytes. File systems take 255; the rest is left
/// to those who put something before or after it.
const FOLDER_BYTES: usize = 96;

/// The session key: `daemon-{slug}-{h}`, where `h` is the first 12 hexadecimal digits of the SHA-256 of
/// `{slug}:{workspace}:{thread_key}`, with `:r{generation}` appended once the conversation was reset.
///
/// The generation counts resets: 0 gives the key that Kata 0.7 gave.
#[must_use]
pub fn session_key(slug: &str, workspace: &str, thread_key: &str, generation: u32) -> String {
    let mut text = format!("{slug}:{workspace}:{thread_key}");
    if generation > 0 {
        text.push_str(&format!(":r{generation}"));
    }
    format!("daemon-{slug}-{}", hex_digits([text.as_bytes()], KEY_DIGITS))
}

/// A session key as the name of a directory: itself where it is short and plain, else what is plain of it and a
/// hash. Never empty, never hidden, never a path of more than one step, whatever the key is: a scheduled task may
/// name any.
#[must_use]
pub fn folder_name(session_key: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !session_key.is_empty() && session_key.len() <= FOLDER_BYTES && session_key.chars().all(is_plain) {
        return session_key.to_owned();
    }
    let hash = hex_digits([session_key.as_bytes()], KEY_DIGITS);
    let plain: String = session_key
        .chars()
        .filter(|c| is_plain(*c))
        .take(FOLDER_BYTES - KEY_DIGITS - 1)
        .collect();
    format!("{plain}_{hash}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Computed with Python's hashlib from the text of the contract, not with this code.
    #[test]
    fn session_keys_are_those_that_the_app_knows() {
        let check = |slug, workspace, thread, generation, expect| {
            assert_eq!(session_key(slug, workspace, thread, generation), expect);
        };
        check("slack", "ws_1", "slack", 0, "daemon-slack-6652954e7f11");
        check("slack", "ws_1", "C0123456789", 0, "daemon-slack-3e5c096c9589");
        check(
            "slack",
            "ws_1",
            "1700000000.000100",
            0,
            "daemon-slack-914beb5fc1ff",
        );
        check("slack", "ws_1", "C0123456789", 1, "daemon-slack-fc5de4b3776f");
        check("slack", "ws_1", "C0123456789", 12, "daemon-slack-4e7103fd9c4e");
        check(
            "büro",
            "ws-ü",
            "49170@s.whatsapp.net:名",
            0,
            "daemon-büro-412b96a33625",
        );
        check("", "", "", 0, "daemon--71546855d627");
    }

    #[test]
    fn a_plain_key_is_its_own_folder() {
        assert_eq!(
            folder_name("daemon-slack-6652954e7f11"),
            "daemon-slack-6652954e7f11"
        );
    }

    #[test]
    fn keys_that_differ_only_in_what_a_folder_cannot_hold_have_two_folders() {
        assert_ne!(folder_name("a/b"), folder_name("a.b"));
        assert_ne!(folder_name(&"a".repeat(300)), folder_name(&"a".repeat(301)));
    }

    proptest! {
        #[test]
        fn a_folder_is_one_plain_step_whatever_the_key(key in any::<String>()) {
            let name = folder_name(&key);
            prop_assert!(!name.is_empty() && name.len() <= FOLDER_BYTES);
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        }
    }
}
