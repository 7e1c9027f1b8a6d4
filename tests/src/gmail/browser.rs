//! The browser of a person who signs in.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use url::{Position, Url};

use crate::wait::PATIENCE;

/// What a browser was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The status.
    pub status: u16,
    /// Where it was sent on to.
    pub location: Option<Url>,
    /// The page.
    pub page: String,
}

/// Goes to an address on this machine, with the many words that browsers say. Follows nothing.
///
/// # Panics
/// If nobody is there, or the answer is none.
pub async fn browse(to: &Url) -> Shown {
    let port = to.port().expect("an address with a port");
    let going = async {
        let mut tcp = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("somebody is there");
        let path = &to[Position::BeforePath..];
        let words = "x".repeat(3000);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\nCookie: a={words}\r\nConnection: close\r\n\r\n"
        );
        tcp.write_all(request.as_bytes()).await.expect("it listens");
        let mut reply = String::new();
        tcp.read_to_string(&mut reply).await.expect("it answers");
        reply
    };
    let reply = timeout(PATIENCE, going).await.expect("an answer in time");
    let (head, page) = reply.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let location = head.lines().find_map(|line| {
        line.split_once(": ")
            .filter(|(name, _)| name.eq_ignore_ascii_case("location"))
    });
    Shown {
        status: status.expect("a status"),
        location: location.map(|(_, to)| to.parse().expect("an address")),
        page: page.to_owned(),
    }
}
