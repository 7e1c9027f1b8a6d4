//! Where Discord is, and which addresses may be called for its sake.

use std::{io, sync::Arc, time::Duration};

use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, crypto::ring};
use url::{Host, Url};

/// Names, TCP and TLS together; a call as a whole has its own, longer limit.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const DISCORD: &str = "https://discord.com/api/v10";
/// The version of the API that is spoken, where an address does not name one.
const VERSION: &str = "/api/v10";

/// Discord's gateways live below this: <https://docs.discord.com/developers/events/gateway#connecting>.
const GATEWAYS: &str = "discord.gg";
/// Where attachments lie: <https://docs.discord.com/developers/reference#cdn-endpoints>.
const FILES: [&str; 2] = ["cdn.discordapp.com", "media.discordapp.net"];

/// An address that we refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address for Discord: it must be https, or http to this very machine")]
pub(crate) struct BadEndpoint(String);

/// The root of the REST API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    base: String,
    /// The host it was moved to; none = Discord itself.
    moved: Option<String>,
    loopback: bool,
}

// === impl Endpoint ===

impl Endpoint {
    /// Discord itself, or where it was moved to. The version need not be named.
    ///
    /// # Errors
    /// Plain http to another machine would show the token to everyone on the way.
    pub(crate) fn new(moved_to: Option<&Url>) -> Result<Self, BadEndpoint> {
        let Some(url) = moved_to else {
            return Ok(Self {
                base: DISCORD.into(),
                moved: None,
                loopback: false,
            });
        };
        let loopback = is_loopback(url);
        let mut base = url.as_str().trim_end_matches('/').to_owned();
        if matches!(url.path(), "" | "/") {
            base.push_str(VERSION);
        }
        match (url.scheme(), url.host_str()) {
            ("https", Some(host)) => Ok(Self {
                base,
                moved: Some(host.into()),
                loopback,
            }),
            ("http", Some(host)) if loopback => Ok(Self {
                base,
                moved: Some(host.into()),
                loopback,
            }),
            // The address as a whole may hold a password: only its host is repeated.
            (_, host) => Err(BadEndpoint(host.unwrap_or("this").to_owned())),
        }
    }

    /// The root of the REST API, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// May a socket be opened there, and the token be said? Discord's gateways for Discord; for a place that it was moved to, that
    /// place. Nothing else, whoever names it.
    pub(crate) fn trusts_gateway(&self, url: &Url) -> bool {
        match (&self.moved, url.scheme()) {
            (_, "ws" | "wss") if self.loopback => is_loopback(url),
            (None, "wss") => url.host_str().is_some_and(|host| is_below(host, GATEWAYS)),
            (Some(moved), "wss") => url.host_str() == Some(moved),
            _ => false,
        }
    }

    /// May an attachment be fetched from there? It is fetched without the token.
    pub(crate) fn trusts_file(&self, url: &Url) -> bool {
        if self.loopback && is_loopback(url) {
            return matches!(url.scheme(), "http" | "https");
        }
        url.scheme() == "https"
            && url
                .host_str()
                .is_some_and(|host| FILES.contains(&host) || Some(host) == self.moved.as_deref())
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        // The url crate reads a host as a name in schemes that it does not know well.
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

/// The connector under the HTTP client.
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
        for (good, base) in [
            ("http://127.0.0.1:80", "http://127.0.0.1/api/v10"),
            ("http://localhost:9/api/v10/", "http://localhost:9/api/v10"),
            ("http://[::1]:9", "http://[::1]:9/api/v10"),
            ("https://proxy.example/discord", "https://proxy.example/discord"),
        ] {
            assert_eq!(Endpoint::new(Some(&url(good))).unwrap().base(), base);
        }
        for bad in ["http://discord.com/api", "http://10.0.0.1", "ftp://127.0.0.1/api"] {
            assert!(Endpoint::new(Some(&url(bad))).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_token_is_said_to_the_configured_gateway_only() {
        let discord = Endpoint::new(None).unwrap();
        assert!(discord.trusts_gateway(&url("wss://gateway.discord.gg/")));
        assert!(discord.trusts_gateway(&url("wss://gateway-us-east1-b.discord.gg")));
        for bad in [
            "ws://gateway.discord.gg",
            "wss://gateway.evildiscord.gg.example",
            "wss://evildiscord.gg",
            "ws://127.0.0.1:1",
        ] {
            assert!(!discord.trusts_gateway(&url(bad)), "{bad}");
        }
        let moved = Endpoint::new(Some(&url("http://127.0.0.1:9"))).unwrap();
        assert!(moved.trusts_gateway(&url("ws://127.0.0.1:7/gateway")));
        for bad in ["wss://gateway.discord.gg", "ws://10.0.0.1:7"] {
            assert!(!moved.trusts_gateway(&url(bad)), "{bad}");
        }
        let proxied = Endpoint::new(Some(&url("https://proxy.example/discord"))).unwrap();
        assert!(proxied.trusts_gateway(&url("wss://proxy.example/gateway")));
        assert!(!proxied.trusts_gateway(&url("wss://gateway.discord.gg")));
    }

    #[test]
    fn files_are_fetched_from_discord_only() {
        let discord = Endpoint::new(None).unwrap();
        assert!(discord.trusts_file(&url("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1")));
        for bad in [
            "http://cdn.discordapp.com/attachments/1/2/a.png",
            "https://evil.example/a",
            "http://127.0.0.1/a",
        ] {
            assert!(!discord.trusts_file(&url(bad)), "{bad}");
        }
        let moved = Endpoint::new(Some(&url("http://localhost:9"))).unwrap();
        assert!(moved.trusts_file(&url("http://127.0.0.1:7/attachments/a")));
    }
}
