//! URLs by scheme, host and path; paths of an HTTP API.

use globset::GlobMatcher;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    path::matcher,
    stance::{Stance, Truth},
    text::LONGEST,
    written::{FromText, Written},
};

/// Which URLs are meant. What is left out is not looked at, but for `schemes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Url")]
pub(crate) struct UrlTest {
    /// `https` alone where a rule allows, any scheme where it denies or asks.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    schemes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    hosts: Option<Vec<Written<Host>>>,
    /// Globs over the path, `/` first. A query is not part of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    paths: Option<Vec<Written<TextGlob>>>,
}

/// A URL that is an argument.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    url: Url,
    /// Every reader of the text sees this URL in it.
    is_plain: bool,
    /// Every reader at least sees this host in it.
    has_plain_host: bool,
}

/// A host, and whether the hosts below it are meant instead.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    name: String,
    below: bool,
    port: Option<u16>,
}

/// A glob over a text that is no path of the file system.
#[derive(Clone, Debug)]
pub(crate) struct TextGlob(GlobMatcher);

// === impl UrlTest ===

impl UrlTest {
    /// Refuses a test that looks at nothing.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.hosts.is_none() && self.paths.is_none() && self.schemes.is_none() {
            return Err("`url` needs `schemes`, `hosts` or `paths`".to_owned());
        }
        Ok(())
    }

    pub(crate) fn is_match(&self, address: &Address, stance: Stance) -> Truth {
        let Address { url, is_plain, .. } = address;
        if stance == Stance::Grants && !is_plain {
            return Truth::Unknown;
        }
        let scheme = match &self.schemes {
            Some(schemes) => Truth::from(schemes.iter().any(|scheme| scheme == url.scheme())),
            None => Truth::from(stance == Stance::Restricts || url.scheme() == "https"),
        };
        let host = |hosts: &Vec<Written<Host>>| {
            Truth::any(hosts.iter().map(|host| host.value.is_match(url, stance)))
        };
        let path = |paths: &Vec<Written<TextGlob>>| is_path_match(paths, url.path(), stance);
        let host = self.hosts.as_ref().map_or(Truth::Yes, host);
        let place = host.and(self.paths.as_ref().map_or(Truth::Yes, path));
        if stance == Stance::Restricts && !address.has_plain_host {
            return scheme.and(place.or(Truth::Unknown));
        }
        scheme.and(place)
    }
}

// === impl Address ===

impl Address {
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let has_plain_host = has_plain_host(text, &url);
        Some(Self {
            is_plain: has_plain_host && is_plain(text, &url),
            has_plain_host,
            url,
        })
    }
}

/// Whether every reader of the text takes the same part of it for the host. To some a backslash is a slash, and `%61` a
/// letter; some take the name of a user for the host, some leave out white space.
fn has_plain_host(text: &str, url: &Url) -> bool {
    // `https:host` and `https:///host` are that host to browsers alone.
    let after = text
        .get(url.scheme().len()..)
        .and_then(|rest| rest.strip_prefix("://"));
    let host = after.and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'@' | b'%');
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(is_plain))
        && !text
            .bytes()
            .any(|byte| byte == b'\\' || byte.is_ascii_control() || byte == b' ')
}

/// Whether every reader of the text sees the same URL in it. The host was looked at.
fn is_plain(text: &str, url: &Url) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic()) && !has_hidden_signs(url.path())
}

/// Signs that some servers read as separators, dots or ends only after they have decoded them: in one way, twice, or from
/// bytes that are one byte too many for the sign.
fn has_hidden_signs(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let signs = [
        "%2f", "%5c", "%2e", "%25", "%0", "%1", "%7f", "%c0", "%c1", "%e0%8", "%e0%9", "%f0%8",
    ];
    signs.iter().any(|sign| lower.contains(sign))
}

fn is_path_match(globs: &[Written<TextGlob>], path: &str, stance: Stance) -> Truth {
    let matched = Truth::any(globs.iter().map(|glob| Truth::from(glob.value.is_match(path))));
    // `/%61dmin` is `/admin` to most servers.
    if matched == Truth::No && stance == Stance::Restricts && path.contains('%') {
        return Truth::Unknown;
    }
    matched
}

// === impl Host ===

impl Host {
    fn is_match(&self, url: &Url, stance: Stance) -> Truth {
        let Some(host) = url.host_str() else {
            return Truth::Unknown;
        };
        let mapped = mapped(url);
        // Without a port of its own an entry that allows means the port of the scheme alone.
        let port = match (self.port, stance) {
            (None, Stance::Grants) => url.port().is_none(),
            (None, Stance::Restricts) => true,
            (Some(port), _) => url.port_or_known_default() == Some(port),
        };
        let host = match stance {
            Stance::Grants => host,
            // A full stop at the end names the same host.
            Stance::Restricts => mapped.as_deref().unwrap_or(host).trim_end_matches('.'),
        };
        let named = if self.below {
            let above = host.strip_suffix(&*self.name);
            above.is_some_and(|above| above.len() > 1 && above.ends_with('.'))
        } else {
            host == self.name
        };
        Truth::from(named && port)
    }
}

/// The IPv4 address that an IPv6 address stands for: a connection to `[::ffff:127.0.0.1]` goes to `127.0.0.1`.
fn mapped(url: &Url) -> Option<String> {
    match url.host()? {
        url::Host::Ipv6(address) => address.to_ipv4_mapped().map(|address| address.to_string()),
        url::Host::Ipv4(_) | url::Host::Domain(_) => None,
    }
}

impl FromText for Host {
    const SCHEMA: &'static str = "A host, or `*.` and a host for all below it; a port may follow.";

    fn from_text(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is no host");
        let (below, host) = text.strip_prefix("*.").map_or((false, text), |host| (true, host));
        // Read as the URLs will be, so that both have one form.
        let url = Url::parse(&format!("https://{host}/")).map_err(|_| refuse())?;
        let name = url
            .host_str()
            .filter(|name| !name.contains('*'))
            .ok_or_else(refuse)?;
        if url.path() != "/"
            || !url.username().is_empty()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(refuse());
        }
        // The port of https is left out by the parser, and is what an entry without one means.
        Ok(Self {
            name: name.to_owned(),
            below,
            port: url.port(),
        })
    }
}

// === impl TextGlob ===

impl TextGlob {
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl FromText for TextGlob {
    const SCHEMA: &'static str = "A glob over a text: `*` stays between slashes, `**` does not.";

    fn from_text(text: &str) -> Result<Self, String> {
        matcher(text)
            .map(Self)
            .map_err(|error| format!("the glob `{text}` cannot be used: {error}"))
    }
}

/// Whether every server reads the path of an API call alike.
pub(crate) fn is_plain_api_path(path: &str) -> bool {
    let route = path.split(['?', '#']).next().unwrap_or_default();
    path.len() <= LONGEST
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && !route.contains("//")
        && !has_hidden_signs(route)
        && !route.split('/').any(|part| matches!(part, "." | ".."))
}

#[cfg(test)]
mod tests;
