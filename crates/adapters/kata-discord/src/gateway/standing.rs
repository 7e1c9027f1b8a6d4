//! Which reaction is which. Discord gives a reaction neither an id nor a time, and each counts once; taken off and put on again, it
//! is another one (`docs/discord.md`). So it is named by the event that told of it, which a resumed session tells again by the same
//! number.

use hashlink::LruCache;

use crate::rest::wire::Reaction;

/// Reactions that are remembered to stand: told twice, one is the same all the same.
const MOST: usize = 1_000;

/// Under which message, who, and which emoji.
type Key = (String, String, String);

/// The reactions that were put on in a session and not taken off.
#[derive(Debug)]
pub(super) struct Standing(LruCache<Key, String>);

// === impl Standing ===

impl Default for Standing {
    fn default() -> Self {
        Self(LruCache::new(MOST))
    }
}

impl Standing {
    /// The reaction was put on by the event `seq` of a session. Returns its name.
    pub(super) fn put_on(&mut self, reaction: &Reaction, session: &str, seq: u64) -> String {
        let name = || format!("{session}/{seq}");
        let entry = self.0.entry(key(reaction)).or_insert_with(name);
        entry.clone()
    }

    /// It was taken off. An event that names nobody takes off everybody's, one that names no emoji all of them.
    pub(super) fn take_off(&mut self, gone: &Reaction) {
        let (on, by, emoji) = key(gone);
        self.0.retain(|(message, user, which), _| {
            let same =
                *message == on && (by.is_empty() || *user == by) && (emoji.is_empty() || *which == emoji);
            !same
        });
    }
}

fn key(reaction: &Reaction) -> Key {
    let emoji = reaction.emoji.id.as_ref().or(reaction.emoji.name.as_ref());
    (
        reaction.message_id.clone(),
        reaction.user_id.clone(),
        emoji.cloned().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn by(user: &str, emoji: &str) -> Reaction {
        serde_json::from_value(json!({"user_id": user, "message_id": "7", "emoji": {"name": emoji}})).unwrap()
    }

    #[test]
    fn what_is_put_on_again_is_another_and_what_is_told_again_is_not() {
        let mut standing = Standing::default();
        let first = standing.put_on(&by("5", "🔁"), "s", 3);
        assert_eq!(standing.put_on(&by("5", "🔁"), "s", 4), first, "told twice");
        assert_ne!(standing.put_on(&by("6", "🔁"), "s", 5), first);
        standing.take_off(&by("5", "🔁"));
        let again = standing.put_on(&by("5", "🔁"), "s", 7);
        assert_ne!(again, first);
        // A resumed session tells all of it anew.
        standing.take_off(&by("5", "🔁"));
        assert_eq!(standing.put_on(&by("5", "🔁"), "s", 3), first);
        standing.take_off(&by("5", "🔁"));
        assert_eq!(standing.put_on(&by("5", "🔁"), "s", 7), again);
    }

    #[test]
    fn a_moderator_takes_off_one_emoji_or_all() {
        let mut standing = Standing::default();
        let put = |standing: &mut Standing, seq| {
            [by("5", "🔁"), by("6", "🛑")].map(|r| standing.put_on(&r, "s", seq))
        };
        let [repeat, stop] = put(&mut standing, 1);
        standing.take_off(&by("", "🔁"));
        let [again, same] = put(&mut standing, 2);
        assert!(again != repeat && same == stop);
        standing.take_off(&by("", ""));
        assert!(put(&mut standing, 3) != [again, same]);
    }
}
