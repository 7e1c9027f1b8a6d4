//! Secrets masked in what outlives the turn that it was said in.
//!
//! What is kept for months and read by later agents masks more than a card on which a call is approved: there too large
//! a mask would hide what runs, here it costs a word of a summary.

use std::{borrow::Cow, sync::LazyLock};

use fancy_regex::Regex;

/// What stands where a secret was.
const MASK: &str = "•••";

/// A value behind a name, up to what ends one in a sentence, a list, a shell or a URL.
const VALUE: &str = r#"[^\s\\"'`,;&|<>)\]}]+"#;

/// What to keep is in the groups `keep` and `rest`; what is between them is a secret. No shape looks ahead or back, which the
/// engine would have to try out sign by sign. In this order: behind the mask of a token a word begins, which may be the
/// name of another secret.
static SHAPES: LazyLock<[Regex; 6]> = LazyLock::new(|| {
    let name = r"[a-z0-9_.-]*(?:token|secret|passw(?:or)?d|passphrase|passcode|(?:api|access|private|signing|encryption)[ _.-]?key|cookie|credential)";
    let quote = r#"\\?["'`]?"#;
    [
        // A private key, also where its end was cut off.
        r"(?<keep>)-----BEGIN [^\n-]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [^\n-]{0,40}-----|\z)".to_owned(),
        // What platforms give out: Slack, GitHub, GitLab, OpenAI and those that follow it, Stripe, AWS, Google, JSON Web Tokens.
        r"(?-i)(?<keep>\b)(?:xox[a-z](?:\.xox[a-z])?-[\w-]{8,}|xapp-[\w-]{8,}|gh[a-z]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{8,}|sk-[\w-]{16,}|[sr]k_(?:live|test)_\w{8,}|AIza[\w-]{16,}|ya29\.[\w.-]{8,}|(?:AKIA|ASIA)[A-Z0-9]{12,}\w*|eyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?)".to_owned(),
        // postgres://ada:secret@host
        r#"(?<keep>\b[a-z][a-z0-9+.-]*://[^\s/?#@:"'`]*:)[^\s/?#@"'`]+(?<rest>@)"#.to_owned(),
        // Authorization: Bearer …, Authorization: …
        format!(r"(?<keep>\bauthorization{quote}[ \t]*[:=][ \t]*{quote}(?:(?:bearer|basic|digest|token|apikey)[ \t]+)?){VALUE}"),
        // Bearer …, where nothing says that a header is meant: as long as no word is.
        r"(?<keep>\b(?:bearer|basic)[ \t]+)[a-z0-9._~+/=-]{16,}".to_owned(),
        // TOKEN=…, "token": "…", --token …
        format!(r"(?<keep>{name}{quote}[ \t]*[:=][ \t]*{quote}|(?:^|[^a-z0-9_.-])--?{name}[ \t]+{quote}){VALUE}"),
    ]
    .map(|shape| Regex::new(&format!("(?i){shape}")).expect("the pattern is a constant"))
});

/// The text without its secrets: private keys, tokens of known shapes, passwords in URLs, headers that authorise, and
/// values of names that say what they are (`API_KEY=…`, `"password": "…"`, `--token …`).
///
/// ```
/// assert_eq!(kata_session::redact("run with GH_TOKEN=abc123, please"), "run with GH_TOKEN=•••, please");
/// ```
#[must_use]
pub fn redact(text: &str) -> String {
    let mut text = Cow::Borrowed(text);
    for shape in &*SHAPES {
        match shape.try_replacen(&text, 0, format!("${{keep}}{MASK}${{rest}}")) {
            Ok(Cow::Borrowed(_)) => {}
            Ok(Cow::Owned(masked)) => text = masked.into(),
            // What cannot be looked through is not kept.
            Err(_) => return MASK.to_owned(),
        }
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Put together here, so that no token stands in the source for those who look for one.
    fn tokens() -> Vec<String> {
        let random = "A1b2C3d4E5f6G7h8I9j0";
        [
            ["xoxb-", "1234567890-", random],
            ["xoxe.xoxp-", "1-", random],
            ["xapp-", "1-A0B1-", random],
            ["ghp_", "", random],
            ["github_pat_", "", random],
            ["glpat-", "", random],
            ["sk-", "proj-", random],
            ["sk_live_", "", random],
            ["AKIA", "ABCDEFGH", "IJKLMNOP"],
            ["AIza", random, random],
            ["ya29.", "", random],
            ["eyJ", "hbGciOi.", random],
        ]
        .map(|parts| parts.concat())
        .to_vec()
    }

    #[test]
    fn tokens_of_known_shapes_are_masked() {
        for token in tokens() {
            assert_eq!(
                redact(&format!("use {token}, then go")),
                "use •••, then go",
                "{token}"
            );
        }
    }

    #[test]
    fn a_text_keeps_all_but_its_secrets() {
        for (text, expect) in [
            ("export GH_TOKEN=abc123; run", "export GH_TOKEN=•••; run"),
            ("mysql --password=hunter2 -h db", "mysql --password=••• -h db"),
            ("run --api-key 'k-1' --verbose", "run --api-key '•••' --verbose"),
            (r#"{"password":"hunter2","n":1}"#, r#"{"password":"•••","n":1}"#),
            (
                r#"{\"client_secret\": \"x1\"}"#,
                r#"{\"client_secret\": \"•••\"}"#,
            ),
            ("password: hunter2\nuser: ada", "password: •••\nuser: ada"),
            ("(the api key: k1)", "(the api key: •••)"),
            ("(api-key: k1)", "(api-key: •••)"),
            (&format!("{}--password a", tokens()[3]), "•••--password •••"),
            ("Authorization: Bearer abcdef123456", "Authorization: Bearer •••"),
            ("authorization=abc, x", "authorization=•••, x"),
            ("then Bearer abcdefghij0123456789.", "then Bearer •••"),
            ("postgres://ada:hunter2@db:5432/x", "postgres://ada:•••@db:5432/x"),
            ("https://db:5432/x", "https://db:5432/x"),
            ("basic questions, bearer shares", "basic questions, bearer shares"),
            ("a password is needed", "a password is needed"),
            (
                "max_tokens=100, token_url=https://x",
                "max_tokens=100, token_url=https://x",
            ),
            ("", ""),
        ] {
            assert_eq!(redact(text), expect, "{text}");
        }
    }

    #[test]
    fn a_private_key_is_masked_whole_even_without_its_end() {
        let begin = ["-----BEGIN RSA ", "PRIVATE KEY-----"].concat();
        let end = ["-----END RSA ", "PRIVATE KEY-----"].concat();
        assert_eq!(redact(&format!("a\n{begin}\nMIIE\nQIB=\n{end}\nb")), "a\n•••\nb");
        assert_eq!(redact(&format!("a\n{begin}\nMIIE\nb")), "a\n•••");
        let public = "-----BEGIN CERTIFICATE-----\nMIIE";
        assert_eq!(redact(public), public);
    }

    proptest! {
        #[test]
        fn what_was_masked_once_stays_as_it_is(
            pieces in proptest::collection::vec(
                prop_oneof![
                    any::<String>(),
                    Just("token=".to_owned()),
                    Just("--password ".to_owned()),
                    Just("Bearer ".to_owned()),
                    Just("authorization: ".to_owned()),
                    Just("a://b:c@".to_owned()),
                    Just("\n".to_owned()),
                    "[a-zA-Z0-9•]{1,20}",
                    proptest::sample::select(tokens()),
                ],
                0..8,
            ),
        ) {
            let once = redact(&pieces.concat());
            prop_assert_eq!(redact(&once), once.clone());
        }
    }
}
