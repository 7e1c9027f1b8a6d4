//! Mail that no person wrote: newsletters, lists, bounces, answering machines. It never starts a turn unless it is asked
//! for: two machines that answer each other do not stop.

use mail_parser::{Message, MimeHeaders};

use super::{Person, raw_header};

/// What in the mail says that no person wrote it.
pub(super) fn sign_of(message: &Message<'_>, from: Option<&Person>) -> Option<&'static str> {
    by_header(message)
        .or_else(|| is_report(message).then_some("a delivery report"))
        .or_else(|| from.and_then(by_address))
}

fn by_header(message: &Message<'_>) -> Option<&'static str> {
    let first = |name: &str| raw_header(message, name).next().map(str::to_lowercase);
    // RFC 3834: everything but "no" is automatic.
    if first("Auto-Submitted").is_some_and(|said| word(&said) != "no") {
        return Some("Auto-Submitted");
    }
    if first("Precedence").is_some_and(|said| matches!(word(&said), "bulk" | "junk" | "list" | "auto_reply"))
    {
        return Some("Precedence");
    }
    for name in ["List-Id", "List-Unsubscribe", "List-Post", "Feedback-ID"] {
        if first(name).is_some() {
            return Some("a mailing list or newsletter");
        }
    }
    for name in [
        "X-Autoreply",
        "X-Autorespond",
        "X-Auto-Response-Suppress",
        "X-Failed-Recipients",
    ] {
        if first(name).is_some_and(|said| !matches!(word(&said), "no" | "none")) {
            return Some("an answering machine");
        }
    }
    // RFC 5321: what must not be answered is sent from nobody.
    first("Return-Path")
        .is_some_and(|path| path.split_whitespace().collect::<String>() == "<>")
        .then_some("a bounce")
}

fn is_report(message: &Message<'_>) -> bool {
    message.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart")
            && kind
                .subtype()
                .is_some_and(|subtype| subtype.eq_ignore_ascii_case("report"))
    })
}

fn by_address(from: &Person) -> Option<&'static str> {
    let local = from.address.rsplit_once('@').map_or("", |(local, _)| local);
    let plain: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
    if matches!(&*plain, "mailerdaemon" | "postmaster") || local.starts_with("bounce") {
        return Some("a bounce");
    }
    ["noreply", "donotreply", "dontreply", "autoreply"]
        .iter()
        .any(|word| plain.contains(word))
        .then_some("an address that takes no answers")
}

fn word(said: &str) -> &str {
    said.split([';', ' ', '(']).next().unwrap_or_default().trim()
}
