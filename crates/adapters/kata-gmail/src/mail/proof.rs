//! Is the sender who the mail says? Anybody may write any name behind `From:`; what counts is what Google's own server
//! found out when it took the mail in (RFC 8601).

use mail_parser::Message;

use super::{Person, raw_header};

/// Google's server, as it signs its findings.
const GOOGLE: &str = "mx.google.com";

/// What is known of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The domain says that it sent the mail.
    Proven,
    /// Nobody says anything.
    Unproven,
    /// The domain says that it did not.
    Refuted,
}

/// One finding: `dkim=pass header.i=@example.org`.
struct Finding {
    method: String,
    result: String,
    /// The domains that it speaks for.
    domains: Vec<String>,
}

pub(super) fn of(message: &Message<'_>, from: &Person) -> Proof {
    // Fetched from a mailbox elsewhere: Google looked at nothing, and the topmost findings are whoever's.
    if raw_header(message, "X-Gmail-Fetch-Info").next().is_some() {
        return Proof::Unproven;
    }
    // The topmost is the last server's. What stands below it came with the mail, and may say anything.
    let Some(findings) = raw_header(message, "Authentication-Results")
        .next()
        .and_then(findings)
    else {
        return Proof::Unproven;
    };
    let domain = from.address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let found = |method: &str, result: &str| {
        let mut of_method = findings.iter().filter(|finding| finding.method == method);
        of_method.any(|finding| {
            finding.result == result && finding.domains.iter().any(|says| is_aligned(says, domain))
        })
    };
    // Gmail says for which domain it asked, and that is the one behind From.
    if findings
        .iter()
        .any(|finding| finding.method == "dmarc" && finding.result == "fail")
    {
        return Proof::Refuted;
    }
    if found("dmarc", "pass") || found("dkim", "pass") || found("spf", "pass") {
        return Proof::Proven;
    }
    if found("spf", "fail") || found("dkim", "fail") {
        return Proof::Refuted;
    }
    Proof::Unproven
}

fn findings(header: &str) -> Option<Vec<Finding>> {
    let header = without_comments(header).to_lowercase();
    let mut parts = header.split(';');
    let server = parts.next()?.split_whitespace().next()?;
    (server == GOOGLE).then(|| parts.filter_map(finding).collect())
}

fn finding(part: &str) -> Option<Finding> {
    let mut words = part.split_whitespace();
    let (method, result) = words.next()?.split_once('=')?;
    let domains = words.filter_map(|word| {
        let (what, value) = word.split_once('=')?;
        let is_domain = matches!(what, "header.from" | "header.i" | "header.d" | "smtp.mailfrom");
        let value = value.trim_matches('"');
        is_domain.then(|| {
            value
                .rsplit_once('@')
                .map_or(value, |(_, domain)| domain)
                .to_owned()
        })
    });
    Some(Finding {
        method: method.to_owned(),
        result: result.to_owned(),
        domains: domains.collect(),
    })
}

/// The sender's domain is the one that speaks, or lies below it. A name without a dot speaks for nobody else.
fn is_aligned(speaks: &str, domain: &str) -> bool {
    speaks == domain
        || speaks.contains('.')
            && domain
                .strip_suffix(speaks)
                .is_some_and(|rest| rest.ends_with('.'))
}

fn without_comments(header: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(header.len());
    for c in header.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}
