//! Discord's text made readable: <https://docs.discord.com/developers/reference#message-formatting>.

use kata_channel::{Text, Timestamp};

use super::{Reader, Scene, message::shown};
use crate::rest::wire::Mention;

/// A piece of a text. What Discord shows in another form stands between `<` and `>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Plain(&'a str),
    User(&'a str),
    Role(&'a str),
    Channel(&'a str),
    /// A custom emoji, a command, a time: by what stands there.
    Emoji(&'a str),
    Command(&'a str),
    Time(i64),
}

/// The text three ways, and whether it mentions us.
pub(super) fn read(raw: &str, mentions: &[Mention], reader: &Reader<'_>, scene: Scene<'_>) -> (Text, bool) {
    let (mut readable, mut prompt, mut mentioned) = (String::new(), String::new(), false);
    for piece in Pieces(raw) {
        let shown = show(piece, mentions, reader, scene);
        readable.push_str(&shown);
        if is_us(piece, reader, scene) {
            mentioned = true;
        } else if mentioned && prompt.is_empty() {
            // The gap that a mention leaves is closed; so is the comma after an address at the start.
            prompt.push_str(shown.trim_start_matches([' ', ',', ':']));
        } else if prompt.ends_with(' ') {
            prompt.push_str(shown.trim_start_matches(' '));
        } else {
            prompt.push_str(&shown);
        }
    }
    if !mentioned {
        prompt.clone_from(&readable);
    }
    let text = Text {
        raw: raw.to_owned(),
        readable,
        prompt: prompt.trim().to_owned(),
    };
    (text, mentioned)
}

/// A role of ours stands for us: whoever takes it from Discord's list of suggestions means the bot.
fn is_us(piece: Piece<'_>, reader: &Reader<'_>, scene: Scene<'_>) -> bool {
    match piece {
        Piece::User(id) => id == reader.me.user,
        Piece::Role(id) => scene
            .guild
            .is_some_and(|guild| reader.atlas.is_ours(guild, &[id.to_owned()])),
        _ => false,
    }
}

fn show(piece: Piece<'_>, mentions: &[Mention], reader: &Reader<'_>, scene: Scene<'_>) -> String {
    match piece {
        Piece::Plain(text) => text.to_owned(),
        Piece::User(id) if id == reader.me.user => format!("@{}", reader.me.name),
        Piece::User(id) => {
            let found = mentions.iter().find(|mention| mention.user.id == id);
            let name = found.map(|mention| {
                let nick = mention.member.as_ref().and_then(|member| member.nick.as_deref());
                shown(nick, &mention.user)
            });
            format!(
                "@{}",
                name.filter(|name| !name.is_empty())
                    .unwrap_or_else(|| id.to_owned())
            )
        }
        Piece::Role(id) => {
            let name = scene.guild.and_then(|guild| reader.atlas.role(guild, id));
            format!("@{}", name.unwrap_or_else(|| id.to_owned()))
        }
        Piece::Channel(id) => {
            let name = reader.atlas.spot(id).and_then(|spot| spot.name);
            format!("#{}", name.unwrap_or_else(|| id.to_owned()))
        }
        Piece::Emoji(name) => format!(":{name}:"),
        Piece::Command(name) => format!("/{name}"),
        Piece::Time(seconds) => Timestamp::from_millis(seconds.saturating_mul(1_000)).to_iso(),
    }
}

struct Pieces<'a>(&'a str);

// === impl Pieces ===

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0;
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(open) = rest[from..].find('<').map(|at| from + at) {
            if let Some((piece, length)) = marked(&rest[open..]) {
                if open > 0 {
                    self.0 = &rest[open..];
                    return Some(Piece::Plain(&rest[..open]));
                }
                self.0 = &rest[length..];
                return Some(piece);
            }
            from = open + 1;
        }
        self.0 = "";
        Some(Piece::Plain(rest))
    }
}

/// What begins with `<` and is no mere character, with its length.
fn marked(text: &str) -> Option<(Piece<'_>, usize)> {
    let close = text.find('>')?;
    let inner = &text[1..close];
    let id = |id: &'_ str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    let piece = if let Some(role) = inner.strip_prefix("@&") {
        id(role).then_some(Piece::Role(role))
    } else if let Some(user) = inner.strip_prefix('@') {
        let user = user.strip_prefix('!').unwrap_or(user);
        id(user).then_some(Piece::User(user))
    } else if let Some(channel) = inner.strip_prefix('#') {
        id(channel).then_some(Piece::Channel(channel))
    } else if let Some(command) = inner.strip_prefix('/') {
        command
            .rsplit_once(':')
            .filter(|(_, n)| id(n))
            .map(|(name, _)| Piece::Command(name))
    } else if let Some(time) = inner.strip_prefix("t:") {
        let seconds = time.split(':').next().and_then(|seconds| seconds.parse().ok());
        seconds.map(Piece::Time)
    } else {
        let emoji = inner.strip_prefix("a:").or_else(|| inner.strip_prefix(':'))?;
        emoji
            .split_once(':')
            .filter(|(_, n)| id(n))
            .map(|(name, _)| Piece::Emoji(name))
    };
    piece.map(|piece| (piece, close + 1))
}

#[cfg(test)]
mod tests {
    use kata_channel::{ChannelKey, Place, settings::ReplyIn};
    use proptest::prelude::*;

    use super::*;
    use crate::{account::Me, atlas::Atlas};

    fn read_it(raw: &str) -> (Text, bool) {
        let atlas = Atlas::default();
        let guild = r#"{"id": "1", "roles": [{"id": "7", "name": "Kata"}, {"id": "8", "name": "mods"}],
            "members": [{"user": {"id": "900"}, "roles": ["7"]}], "channels": [{"id": "20", "name": "general"}]}"#;
        atlas.chart_guild(&serde_json::from_str(guild).unwrap(), "900");
        let (key, place) = (ChannelKey::new("w", "a"), Place::conversation("20"));
        let me = Me {
            user: "900".into(),
            name: "kata".into(),
            application: "901".into(),
        };
        let reader = Reader {
            channel: &key,
            reply_in: ReplyIn::Auto,
            me: &me,
            atlas: &atlas,
        };
        let ada = r#"{"id": "5", "username": "ada99", "global_name": "Ada", "member": {"nick": "Countess"}}"#;
        let mentions = [serde_json::from_str(ada).unwrap()];
        let scene = Scene {
            place: &place,
            guild: Some("1"),
        };
        read(raw, &mentions, &reader, scene)
    }

    fn check(raw: &str, readable: &str, prompt: &str, mentioned: bool) {
        let (text, found) = read_it(raw);
        assert_eq!(
            (&*text.readable, &*text.prompt, found),
            (readable, prompt, mentioned),
            "{raw}"
        );
        assert_eq!(text.raw, raw);
    }

    #[test]
    fn ids_become_names() {
        let same = |raw: &str, shown: &str| check(raw, shown, shown, false);
        same("hi <@5>, see <#20>", "hi @Countess, see #general");
        same("<@!5> <@6> <#21> <@&8> <@&9>", "@Countess @6 #21 @mods @9");
        same("<:wave:12> <a:party:13> </ask now:14>", ":wave: :party: /ask now");
        same("<t:1618953630:R>", "2021-04-20T21:20:30.000Z");
    }

    #[test]
    fn our_mention_is_kept_for_readers_and_taken_from_the_prompt() {
        check("<@900> hello", "@kata hello", "hello", true);
        check(
            "<@!900>, what is <@5> doing?",
            "@kata, what is @Countess doing?",
            "what is @Countess doing?",
            true,
        );
        check("please <@&7> help", "please @Kata help", "please help", true);
        check("<@900>", "@kata", "", true);
    }

    #[test]
    fn what_merely_looks_like_markup_stays() {
        for text in [
            "a < b > c",
            "<@ada>",
            "<#>",
            "<https://a.example>",
            "<b>",
            "1 <",
            "<<@x>",
            "<t:soon>",
            "<:x:>",
        ] {
            check(text, text, text, false);
        }
        check("<<@5>>", "<@Countess>", "<@Countess>", false);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_read(raw in "[<>@#!&:/ta0-9 é]{0,60}") {
            let (text, _) = read_it(&raw);
            prop_assert!(text.prompt.len() <= text.readable.len());
        }

        #[test]
        fn plain_text_stays_what_it_is(raw in "[a-zA-Z0-9 .,:\n]{0,60}") {
            let (text, mentioned) = read_it(&raw);
            prop_assert_eq!(text.readable, raw);
            prop_assert!(!mentioned);
        }
    }
}
