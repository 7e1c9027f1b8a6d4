//! What is a secret, by its name or by its looks.

use std::sync::LazyLock;

use fancy_regex::{Captures, Regex};
use serde_json::Value;

use super::MASK;
use crate::text::folded;

/// Words in the names of secrets, without separators.
const SECRET: [&str; 14] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "authorization",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "cookie",
    "credential",
];
/// What names end with that speak of a secret and do not hold it.
const ABOUT: [&str; 9] = [
    "file", "path", "dir", "name", "type", "url", "count", "limit", "length",
];

/// Signs that are hidden behind a name: none of them begins or ends anything for a shell.
const PLAIN: &str = r"[A-Za-z0-9_./+=:@%~!#?*^-]";
/// A run of base64 in a private key is at least this long. Its last line may be shorter, and is then seen.
const KEY_LINE: usize = 32;

/// A way to say a secret in a text.
struct Shape {
    /// Finds it. What begins the secret is in the group `hide`, a name that decides in the group `name`.
    regex: Regex,
    /// Which signs behind that belong to it.
    belongs: fn(u8) -> bool,
    /// Whether it is a secret, by its name and value.
    is_secret: fn(Option<&str>, &str) -> bool,
}

/// In this order: what is more than a name and a value comes before those.
static SHAPES: LazyLock<[Shape; 7]> = LazyLock::new(|| {
    let any = |_: Option<&str>, _: &str| true;
    let by_name = |name: Option<&str>, _: &str| name.is_some_and(is_name);
    let names = r"(?<name>[a-z0-9_.-]*(?:token|secret|passw(?:or)?d|passphrase|passcode|authorization|(?:api|access|private|signing|encryption)[_.-]?key|cookie|credential)[a-z0-9_.-]*)";
    let quote = r#"\\?["']?"#;
    [
        // https://ada:secret@host
        shape(
            r#"[a-z][a-z0-9+.-]*://[^\s/?#@:"'`]*:(?<hide>[a-z0-9_.+=~%!*^-]+)@"#,
            |_| false,
            any,
        ),
        // Authorization: Bearer …
        shape(
            &format!(r"\b(?:bearer|basic|digest|token|apikey)[ \t]+(?<hide>{PLAIN}{{8}})"),
            is_plain,
            |_, value| looks_random(value),
        ),
        // --token …
        shape(
            &format!(r#"(?:^|[^a-z0-9_.-])--?{names}[ \t]+["']?(?<hide>{PLAIN})"#),
            is_plain,
            by_name,
        ),
        // TOKEN=…, "token": "…", token: …
        shape(
            &format!("{names}{quote}[ \t]*[:=][ \t]*{quote}(?<hide>{PLAIN})"),
            is_plain,
            |name, value| {
                let is_scheme = ["bearer", "basic", "digest", "token", "apikey"]
                    .iter()
                    .any(|scheme| value.eq_ignore_ascii_case(scheme));
                !is_scheme && name.is_some_and(is_name)
            },
        ),
        // curl -u ada:secret
        shape(
            &format!(r#"(?:^|[\s"'])(?:-u|--user|--proxy-user)[ =]?["']?[a-z0-9_.@+-]*:(?<hide>{PLAIN})"#),
            is_plain,
            any,
        ),
        // ?sig=…
        shape(
            r"[?&#](?:key|sig|signature|auth|code|x-amz-signature|x-goog-signature)=(?<hide>[a-z0-9_./+=:@%~-])",
            is_part_of_query,
            any,
        ),
        // What platforms give out.
        shape(TOKENS, is_token, any),
    ]
});

/// Slack, GitHub, GitLab, OpenAI and those that follow it, Stripe, AWS, Google, JSON Web Tokens.
const TOKENS: &str = r"(?-i)(?:(?:\bxox[a-z](?:\.xox[a-z])?-|\bxapp-|\bgh[a-z]_|\bgithub_pat_|\bglpat-|\bsk-|\b[sr]k_(?:live|test)_|\bAIza|\bya29\.|\b1//)(?<hide>[A-Za-z0-9_-]{8})|\b(?:AKIA|ASIA)(?<hide_key>[A-Z0-9]{12})|\beyJ(?<hide_jwt>[A-Za-z0-9_-]{6,512}\.[A-Za-z0-9_-]))";

fn shape(regex: &str, belongs: fn(u8) -> bool, is_secret: fn(Option<&str>, &str) -> bool) -> Shape {
    Shape {
        regex: Regex::new(&format!("(?i){regex}")).expect("the pattern is a constant"),
        belongs,
        is_secret,
    }
}

/// The text without its secrets.
pub(super) fn masked(text: &str) -> String {
    let mut masked = private_keys(text);
    for shape in &*SHAPES {
        masked = shape.masked(&masked);
    }
    masked
}

/// A text that is a secret by its name: each run of signs that begin and end nothing is hidden.
pub(super) fn hidden(text: &str) -> String {
    let is_of_word = |c: char| c.is_alphanumeric() || u8::try_from(c).is_ok_and(is_plain);
    let mut hidden = String::new();
    let mut is_within = false;
    for c in text.chars() {
        if !is_of_word(c) {
            hidden.push(c);
        } else if !is_within {
            hidden.push_str(MASK);
        }
        is_within = is_of_word(c);
    }
    hidden
}

/// A name that says that its value is a secret.
pub(super) fn is_name(name: &str) -> bool {
    let plain: String = folded(name).chars().filter(|c| c.is_alphanumeric()).collect();
    SECRET.iter().any(|word| plain.contains(word)) && !ABOUT.iter().any(|end| plain.ends_with(end))
}

/// The same, where the value is known: a number of tokens is no secret.
pub(super) fn is_name_of(name: &str, value: &Value) -> bool {
    let is_number = value.is_number() && name.to_ascii_lowercase().ends_with("tokens");
    is_name(name) && !is_number
}

/// An option of a program, of which the value comes next.
pub(super) fn is_option(text: &str) -> bool {
    text.starts_with('-') && !text.contains(['=', ' ']) && is_name(text)
}

// === impl Shape ===

impl Shape {
    fn masked(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let (mut done, mut from) = (0, 0);
        loop {
            let found = match self.regex.captures_from_pos(text, from) {
                Ok(Some(found)) => found,
                Ok(None) => break,
                // A text that cannot be looked through is not shown.
                Err(_) => return MASK.to_owned(),
            };
            let Some((start, end)) = self.secret(text, &found) else {
                // Behind the name, or the whole: a secret may begin in what was taken for a value.
                from = found
                    .name("name")
                    .or(found.get(0))
                    .map_or(text.len(), |part| part.end());
                continue;
            };
            masked.push_str(&text[done..start]);
            masked.push_str(MASK);
            (done, from) = (end, end);
        }
        masked.push_str(&text[done..]);
        masked
    }

    /// Where the secret lies that was found, if it is one.
    fn secret(&self, text: &str, found: &Captures<'_, str>) -> Option<(usize, usize)> {
        let begins = ["hide", "hide_key", "hide_jwt"]
            .iter()
            .find_map(|group| found.name(group))?;
        let rest = &text.as_bytes()[begins.end()..];
        let more = rest.iter().take_while(|byte| (self.belongs)(**byte)).count();
        let (start, end) = (begins.start(), begins.end() + more);
        let name = found.name("name").map(|name| name.as_str());
        (self.is_secret)(name, &text[start..end]).then_some((start, end))
    }
}

/// The lines of private keys, which are long runs of base64. Other lines between the marks are kept: they may be anything.
fn private_keys(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("-----BEGIN ") {
        let (before, block) = rest.split_at(at);
        let (block, next) = block.split_at(block.find("-----END").unwrap_or(block.len()));
        let label = block.lines().next().unwrap_or_default();
        masked.push_str(before);
        if label.contains("PRIVATE KEY") {
            mask_runs(block, &mut masked);
        } else {
            masked.push_str(block);
        }
        rest = next;
    }
    masked.push_str(rest);
    masked
}

fn mask_runs(text: &str, masked: &mut String) {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|c| !is_base64(c)).unwrap_or(rest.len());
        let (line, after) = rest.split_at(run);
        masked.push_str(if line.len() >= KEY_LINE { MASK } else { line });
        let other = after.find(is_base64).unwrap_or(after.len());
        let (between, next) = after.split_at(other);
        masked.push_str(between);
        rest = next;
    }
}

/// What [`PLAIN`] names.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./+=:@%~!#?*^-".contains(&byte)
}

fn is_part_of_query(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./+=:@%~-".contains(&byte)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)
}

/// `Bearer authentication` names no secret.
fn looks_random(value: &str) -> bool {
    value.len() >= 20 || value.bytes().any(|byte| byte.is_ascii_digit())
}
