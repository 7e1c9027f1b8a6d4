//! Where Slack is, and which addresses may be called for its sake.

use std::{io, sync::Arc, time::Duration};

use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, crypto::ring};
use url::{Host, Url};

/// Names, TCP and TLS together; a call as a whole has its own, longer limit.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const SLACK: &str = "https://slack.com/api";

/// Slack's own domains: files, `response_url` and sockets live below them.
const DOMAINS: [&str; 2] = ["slack.com", "slack-gov.com"];

/// An address that we refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address for Slack: it must be https, or http to this very machine")]
pub(crate) struct BadEndpoint(String);

/// The root of the Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    base: String,
    host: String,
    loopback: bool,
}

// === impl Endpoint ===

impl Endpoint {
    /// Slack itself, or where it was moved to.
    ///
    /// # Errors
    /// Plain http to another machine would show the token to everyone on the way.
    pub(crate) fn new(moved_to: Option<&Url>) -> Result<Self, BadEndpoint> {
        let Some(url) = moved_to else {
            return Ok(Self {
                base: SLACK.into(),
                host: "slack.com".into(),
                loopback: false,
            });
        };
        let loopback = is_loopback(url);
        let base = url.as_str().trim_end_matches('/').to_owned();
        match (url.scheme(), url.host_str()) {
            ("https", Some(host)) => Ok(Self {
                base,
                host: host.into(),
                loopback,
            }),
            ("http", Some(host)) if loopback => Ok(Self {
                base,
                host: host.into(),
                loopback,
            }),
            // The address as a whole may hold a password: only its host is repeated.
            (_, host) => Err(BadEndpoint(host.unwrap_or("this").to_owned())),
        }
    }

    /// The root of the Web API, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// May a file be fetched from there with our token, or an answer be posted there?
    pub(crate) fn trusts(&self, url: &Url) -> bool {
        if self.loopback && is_loopback(url) {
            return matches!(url.scheme(), "http" | "https");
        }
        url.scheme() == "https"
            && url
                .host_str()
                .is_some_and(|host| host == self.host || is_slack(host))
    }

    /// May a socket be opened there? Slack names the host in its answer to an authenticated call, so any host will
    /// do as long as it proves its name by TLS.
    pub(crate) fn trusts_socket(&self, url: &Url) -> bool {
        match url.scheme() {
            "wss" => true,
            "ws" => self.loopback && is_loopback(url),
            _ => false,
        }
    }
}

fn is_slack(host: &str) -> bool {
    DOMAINS.iter().any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// TLS as all of this crate's connections use it: one provider, the system's roots.
///
/// # Errors
/// The system's certificates cannot be read.
pub(crate) fn tls() -> io::Result<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_native_roots()?
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The connector under both HTTP clients.
pub(crate) fn connector(tls: &ClientConfig) -> HttpsConnector<HttpConnector> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    HttpsConnectorBuilder::new()
        .with_tls_config(tls.clone())
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(tcp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for good in [
            "http://127.0.0.1:80/api/",
            "http://localhost/api",
            "http://[::1]:9/api",
            "https://proxy.example/slack",
        ] {
            let endpoint = Endpoint::new(Some(&url(good))).unwrap();
            assert!(!endpoint.base().ends_with('/'), "{good}");
        }
        for bad in [
            "http://slack.com/api",
            "http://10.0.0.1/api",
            "ftp://127.0.0.1/api",
        ] {
            assert!(Endpoint::new(Some(&url(bad))).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_token_goes_to_slack_only() {
        let slack = Endpoint::new(None).unwrap();
        assert!(slack.trusts(&url("https://files.slack.com/files-pri/T1-F1/a.png")));
        assert!(slack.trusts(&url("https://hooks.slack.com/commands/T1/2/3")));
        for bad in [
            "http://files.slack.com/a",
            "https://evilslack.com/a",
            "https://slack.com.evil.example/a",
            "http://127.0.0.1/a",
        ] {
            assert!(!slack.trusts(&url(bad)), "{bad}");
        }
        let moved = Endpoint::new(Some(&url("http://127.0.0.1:9/api"))).unwrap();
        assert!(moved.trusts(&url("http://127.0.0.1:7/files/a")));
        assert!(!moved.trusts(&url("http://10.0.0.1/a")));
    }

    #[test]
    fn a_socket_is_encrypted_unless_it_stays_on_this_machine() {
        let slack = Endpoint::new(None).unwrap();
        assert!(slack.trusts_socket(&url("wss://wss-primary.slack.com/link/?ticket=1")));
        assert!(!slack.trusts_socket(&url("ws://127.0.0.1:1/link")));
        let moved = Endpoint::new(Some(&url("http://localhost:9/api"))).unwrap();
        assert!(moved.trusts_socket(&url("ws://127.0.0.1:1/link")));
        assert!(!moved.trusts_socket(&url("ws://slack.com/link")));
    }
}
