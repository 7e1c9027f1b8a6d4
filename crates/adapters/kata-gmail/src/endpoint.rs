//! Where Google is, and the HTTP client for it.

use std::{io, sync::Arc, time::Duration};

use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, crypto::ring};
use url::{Host, Url};

/// Names, TCP and TLS together; a call as a whole has its own, longer limit.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const GMAIL: &str = "https://gmail.googleapis.com/";
const TOKEN: &str = "https://oauth2.googleapis.com/token";

/// The connector under every client of this crate.
pub(crate) type Connector = HttpsConnector<HttpConnector>;

/// An address that we refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address for Google: it must be https, or http to this very machine")]
pub(crate) struct BadEndpoint(String);

/// The root of the Gmail API, with a trailing slash.
///
/// # Errors
/// Plain http to another machine would show the token to everyone on the way.
pub(crate) fn gmail(moved_to: Option<&Url>) -> Result<String, BadEndpoint> {
    let root = checked(moved_to, GMAIL)?;
    Ok(format!("{}/", root.trim_end_matches('/')))
}

/// Google's token endpoint.
///
/// # Errors
/// As [`gmail`].
pub(crate) fn token(moved_to: Option<&Url>) -> Result<String, BadEndpoint> {
    checked(moved_to, TOKEN)
}

fn checked(moved_to: Option<&Url>, usual: &str) -> Result<String, BadEndpoint> {
    let Some(url) = moved_to else {
        return Ok(usual.to_owned());
    };
    match url.scheme() {
        "https" => Ok(url.as_str().to_owned()),
        "http" if is_loopback(url) => Ok(url.as_str().to_owned()),
        // The address as a whole may hold a password: only its host is repeated.
        _ => Err(BadEndpoint(url.host_str().unwrap_or("this").to_owned())),
    }
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

pub(crate) fn connector(tls: &ClientConfig) -> Connector {
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

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        let url = |text: &str| Some(text.parse::<Url>().unwrap());
        for (good, root) in [
            ("http://127.0.0.1:9", "http://127.0.0.1:9/"),
            ("http://localhost/a/", "http://localhost/a/"),
            ("https://proxy.example/gmail", "https://proxy.example/gmail/"),
        ] {
            assert_eq!(gmail(url(good).as_ref()).as_deref(), Ok(root));
        }
        for bad in [
            "http://gmail.googleapis.com",
            "http://10.0.0.1/token",
            "ftp://127.0.0.1/",
        ] {
            let bad = url(bad);
            assert!(
                gmail(bad.as_ref()).is_err() && token(bad.as_ref()).is_err(),
                "{bad:?}"
            );
        }
        assert_eq!(gmail(None).unwrap(), GMAIL);
    }
}
