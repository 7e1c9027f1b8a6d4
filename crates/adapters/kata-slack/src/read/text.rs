//! Slack's text made readable: <https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages>.

use std::collections::BTreeSet;

use kata_channel::Text;

use crate::{account::Me, names::Lexicon};

/// A piece of a text. Everything that is not plain stands between `<` and `>`; a literal `<` comes as `&lt;`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Plain(&'a str),
    User {
        id: &'a str,
        label: Option<&'a str>,
    },
    Conversation {
        id: &'a str,
        label: Option<&'a str>,
    },
    /// `<!here>`, `<!subteam^S1|@team>`, `<!date^…|fallback>`.
    Special {
        what: &'a str,
        label: Option<&'a str>,
    },
    Link {
        url: &'a str,
        label: Option<&'a str>,
    },
}

/// Adds the ids in `raw` that have a name and do not bring it along.
pub(super) fn ids(raw: &str, into: &mut BTreeSet<String>) {
    for piece in Pieces(raw) {
        if let Piece::User { id, label: None } | Piece::Conversation { id, label: None } = piece {
            into.insert(id.to_owned());
        }
    }
}

/// The text three ways, and whether it mentions us.
pub(super) fn read(raw: &str, me: &Me, names: &Lexicon) -> (Text, bool) {
    let (mut readable, mut prompt, mut mentioned) = (String::new(), String::new(), false);
    for piece in Pieces(raw) {
        let shown = show(piece, me, names);
        readable.push_str(&shown);
        match piece {
            Piece::User { id, .. } if id == me.user => mentioned = true,
            // The gap that a mention leaves is closed; so is the comma after an address at the start.
            _ if mentioned && prompt.is_empty() => prompt.push_str(shown.trim_start_matches([' ', ',', ':'])),
            _ if prompt.ends_with(' ') => prompt.push_str(shown.trim_start_matches(' ')),
            _ => prompt.push_str(&shown),
        }
    }
    if !mentioned {
        prompt.clone_from(&readable);
    }
    let prompt = prompt.trim().to_owned();
    (
        Text {
            raw: raw.to_owned(),
            readable,
            prompt,
        },
        mentioned,
    )
}

fn show(piece: Piece<'_>, me: &Me, names: &Lexicon) -> String {
    match piece {
        Piece::Plain(text) => decode(text),
        Piece::User { id, .. } if id == me.user => format!("@{}", me.name),
        Piece::User { id, label } => format!("@{}", name(id, label, names)),
        Piece::Conversation { id, label } => format!("#{}", name(id, label, names)),
        Piece::Special {
            label: Some(label), ..
        } => decode(label),
        Piece::Special { what, label: None } => format!("@{}", what.split('^').nth(1).unwrap_or(what)),
        Piece::Link { url, label } => link(&decode(url), label.map(decode)),
    }
}

fn name(id: &str, label: Option<&str>, names: &Lexicon) -> String {
    names
        .get(id)
        .cloned()
        .or_else(|| label.map(decode))
        .unwrap_or_else(|| id.to_owned())
}

fn link(url: &str, label: Option<String>) -> String {
    let plain = url
        .strip_prefix("mailto:")
        .or_else(|| url.strip_prefix("tel:"))
        .unwrap_or(url);
    match label {
        Some(label) if label != plain && !url.ends_with(&format!("//{label}")) => {
            format!("{label} ({plain})")
        }
        _ => plain.to_owned(),
    }
}

/// Slack escapes these three and no other.
fn decode(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
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
        let Some(open) = rest.find('<') else {
            self.0 = "";
            return Some(Piece::Plain(rest));
        };
        if open > 0 {
            self.0 = &rest[open..];
            return Some(Piece::Plain(&rest[..open]));
        }
        let Some(close) = rest.find('>') else {
            self.0 = "";
            return Some(Piece::Plain(rest));
        };
        self.0 = &rest[close + 1..];
        Some(marked(&rest[1..close]))
    }
}

fn marked(inner: &str) -> Piece<'_> {
    let (what, label) = match inner.split_once('|') {
        Some((what, label)) => (what, Some(label).filter(|label| !label.is_empty())),
        None => (inner, None),
    };
    match what.split_at_checked(1) {
        Some(("@", id)) => Piece::User { id, label },
        Some(("#", id)) => Piece::Conversation { id, label },
        Some(("!", what)) => Piece::Special { what, label },
        _ => Piece::Link { url: what, label },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn me() -> Me {
        Me {
            user: "UBOT".into(),
            name: "kata".into(),
            ..Me::default()
        }
    }

    fn check(raw: &str, readable: &str, prompt: &str, mentioned: bool) {
        let names = Lexicon::from([("U1".into(), "Ada".into()), ("C1".into(), "general".into())]);
        let (text, found) = read(raw, &me(), &names);
        assert_eq!(
            (&*text.readable, &*text.prompt, found),
            (readable, prompt, mentioned),
            "{raw}"
        );
        assert_eq!(text.raw, raw);
    }

    #[test]
    fn ids_become_names() {
        check(
            "hi <@U1>, see <#C1>",
            "hi @Ada, see #general",
            "hi @Ada, see #general",
            false,
        );
        check(
            "<@U9> <@U8|bob> <#C9> <#C8|ops> <#C7|>",
            "@U9 @bob #C9 #ops #C7",
            "@U9 @bob #C9 #ops #C7",
            false,
        );
        check(
            "<!here> <!subteam^S1|@team> <!subteam^S2> <!date^1^{date}|today>",
            "@here @team @S2 today",
            "@here @team @S2 today",
            false,
        );
    }

    #[test]
    fn our_mention_is_kept_for_readers_and_taken_from_the_prompt() {
        check("<@UBOT> hello", "@kata hello", "hello", true);
        check(
            "<@UBOT>, what is <@U1> doing?",
            "@kata, what is @Ada doing?",
            "what is @Ada doing?",
            true,
        );
        check("please <@UBOT> help", "please @kata help", "please help", true);
        check("<@UBOT>", "@kata", "", true);
    }

    #[test]
    fn links_are_readable() {
        check(
            "<https://a.example/x?a=1&amp;b=2>",
            "https://a.example/x?a=1&b=2",
            "https://a.example/x?a=1&b=2",
            false,
        );
        check(
            "<https://a.example|the page>",
            "the page (https://a.example)",
            "the page (https://a.example)",
            false,
        );
        check(
            "<http://a.example|a.example>",
            "http://a.example",
            "http://a.example",
            false,
        );
        check(
            "<mailto:a@b.example|a@b.example>",
            "a@b.example",
            "a@b.example",
            false,
        );
    }

    #[test]
    fn entities_are_decoded_once() {
        check(
            "1 &lt; 2 &amp;&amp; &amp;lt;",
            "1 < 2 && &lt;",
            "1 < 2 && &lt;",
            false,
        );
        check("an open < stays", "an open < stays", "an open < stays", false);
    }

    #[test]
    fn only_ids_without_a_label_are_asked_for() {
        let mut found = BTreeSet::new();
        ids(
            "<@U1> <@U2|two> <#C1|> <#C2|two> <https://a|b> <!here>",
            &mut found,
        );
        assert_eq!(found, BTreeSet::from(["U1".into(), "C1".into()]));
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_read(raw in "[<>@#!|^&;a-zU1 é]{0,60}") {
            let (text, _) = read(&raw, &me(), &Lexicon::new());
            prop_assert!(text.prompt.len() <= text.readable.len());
        }

        #[test]
        fn plain_text_stays_what_it_is(raw in "[a-zA-Z0-9 .,:\n]{0,60}") {
            let (text, mentioned) = read(&raw, &me(), &Lexicon::new());
            prop_assert_eq!(text.readable, raw);
            prop_assert!(!mentioned);
        }
    }
}
