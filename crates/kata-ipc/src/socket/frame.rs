//! The lines of the socket, and how they are read and written.

use super::{LINE_BYTES, Secret, WRITE};
use crate::{
    Mismatch,
    event::view::{GrantView, PairingView, PluginView, ToolView},
    field,
};
use futures_util::SinkExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, io};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec};

/// A client's first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Opening {
    Hello {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<Secret>,
    },
}

/// The daemon's first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Greeting {
    Hello,
    Error { message: String },
}

/// What a client asks for, and the number under which it expects the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Unique among the connection's requests that are open.
    pub id: u64,
    /// What is asked for.
    #[serde(flatten)]
    pub ask: Ask,
}

/// What a client may ask for.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Ask {
    /// The tools that the session may see.
    List,
    /// One call of a tool, through the gate. A person may be asked: the answer may take minutes.
    Call {
        /// The tool's name; case counts.
        tool: String,
        /// Its arguments.
        input: Value,
    },
    /// The grants that are in force.
    Grants,
    /// The plugins, what they bring, and how their services stand.
    Plugins,
    /// Ends a grant before its time.
    RevokeGrant {
        /// The grant's row.
        grant_id: i64,
    },
    /// Lets the sender in whose code it is.
    Pair {
        /// The code.
        code: String,
    },
    /// Makes a paired sender a stranger again, or takes a code back.
    Unpair {
        /// The pairing.
        pairing_id: i64,
    },
}

/// What an answer holds; which one follows from the request.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Data {
    /// To `list`.
    Tools(Vec<ToolView>),
    /// To `call`: what the tool said.
    Output(Value),
    /// To `grants`.
    Grants(Vec<GrantView>),
    /// To `plugins`.
    Plugins(Vec<PluginView>),
    /// To `revoke_grant`: whether there was such a grant in force.
    Revoked(bool),
    /// To `pair` and `unpair`: whose it was.
    Pairing(PairingView),
}

/// The daemon's answer to one request. Either data or one sentence.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer<D> {
    pub(super) id: u64,
    pub(super) ok: bool,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<D>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// So that an answer can be read whatever its data is.
fn none<D>() -> Option<D> {
    None
}

/// Names the tool and shows nothing of its arguments.
impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List => f.write_str("List"),
            Self::Call { tool, .. } => f.debug_struct("Call").field("tool", tool).finish_non_exhaustive(),
            Self::Grants => f.write_str("Grants"),
            Self::Plugins => f.write_str("Plugins"),
            Self::RevokeGrant { grant_id } => {
                f.debug_struct("RevokeGrant").field("grant_id", grant_id).finish()
            }
            Self::Pair { .. } => f.write_str("Pair"),
            Self::Unpair { pairing_id } => f.debug_struct("Unpair").field("pairing_id", pairing_id).finish(),
        }
    }
}

/// A line that cannot be written: the peer would not take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line of {bytes} bytes is longer than the {LINE_BYTES} bytes that are taken")]
pub(super) struct TooLong {
    bytes: usize,
}

pub(super) type LineReader<R> = FramedRead<R, LinesCodec>;
pub(super) type LineWriter<W> = FramedWrite<W, LinesCodec>;

pub(super) fn reader<R: AsyncRead>(read: R) -> LineReader<R> {
    FramedRead::new(read, LinesCodec::new_with_max_length(LINE_BYTES))
}

pub(super) fn writer<W: AsyncWrite>(write: W) -> LineWriter<W> {
    FramedWrite::new(write, LinesCodec::new_with_max_length(LINE_BYTES))
}

pub(super) fn line(frame: &impl Serialize) -> Result<String, TooLong> {
    let line = serde_json::to_string(frame)
        .expect("writing to memory cannot fail, and every key of a frame is a string");
    if line.len() > LINE_BYTES {
        return Err(TooLong { bytes: line.len() });
    }
    Ok(line)
}

/// Writes one line. Dropped midway, the rest of the line goes out with the next one: the stream stays whole.
pub(super) async fn write<W: AsyncWrite + Unpin>(to: &mut LineWriter<W>, line: String) -> io::Result<()> {
    timeout(WRITE, to.send(line))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
        .map_err(|error| io::Error::other(error.to_string()))
}

/// Reads a frame out of a line. What is wrong is named without its value.
pub(super) fn read<T: serde::de::DeserializeOwned>(line: &str) -> Result<T, Mismatch> {
    let value: Value = serde_json::from_str(line).map_err(|_| Mismatch::not_json())?;
    field::read(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check<T: Serialize>(frame: &T, expected: &str) {
        assert_eq!(line(frame).unwrap(), expected);
    }

    #[test]
    fn every_line_is_as_it_is_written_down() {
        check(
            &Opening::Hello {
                secret: Some("s".to_owned().into()),
            },
            r#"{"type":"hello","secret":"s"}"#,
        );
        check(&Opening::Hello { secret: None }, r#"{"type":"hello"}"#);
        check(&Greeting::Hello, r#"{"type":"hello"}"#);
        let message = "no".to_owned();
        check(&Greeting::Error { message }, r#"{"type":"error","message":"no"}"#);
        let asks = [
            (Ask::List, r#"{"id":7,"type":"list"}"#),
            (
                Ask::Call {
                    tool: "slack_react".into(),
                    input: json!({"name": "eyes"}),
                },
                r#"{"id":7,"type":"call","tool":"slack_react","input":{"name":"eyes"}}"#,
            ),
            (Ask::Grants, r#"{"id":7,"type":"grants"}"#),
            (
                Ask::RevokeGrant { grant_id: 4 },
                r#"{"id":7,"type":"revoke_grant","grantId":4}"#,
            ),
            (
                Ask::Pair {
                    code: "7Q4K2M".into(),
                },
                r#"{"id":7,"type":"pair","code":"7Q4K2M"}"#,
            ),
            (
                Ask::Unpair { pairing_id: 4 },
                r#"{"id":7,"type":"unpair","pairingId":4}"#,
            ),
        ];
        for (ask, expected) in asks {
            let request = Request { id: 7, ask };
            check(&request, expected);
            assert_eq!(read::<Request>(expected).unwrap(), request);
        }
        let answer = |data, error: Option<String>| Answer {
            id: 7,
            ok: error.is_none(),
            data,
            error,
        };
        check(
            &answer(Some(Data::Output(json!({"n": 1}))), None),
            r#"{"id":7,"ok":true,"data":{"n":1}}"#,
        );
        check(
            &answer(None, Some("no".to_owned())),
            r#"{"id":7,"ok":false,"error":"no"}"#,
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_without_its_value() {
        let error = read::<Request>(r#"{"id":"xoxb-1","type":"list"}"#).unwrap_err();
        assert!(!error.to_string().contains("xoxb"), "{error}");
        assert!(read::<Opening>(r#"{"type":"list","id":1}"#).is_err());
        assert!(read::<Opening>("xoxb-1").is_err_and(|e| !e.to_string().contains("xoxb")));
    }

    #[test]
    fn a_call_shows_nothing_of_its_arguments() {
        let call = Ask::Call {
            tool: "slack_post".into(),
            input: json!({"token": "xoxb-1"}),
        };
        assert!(!format!("{call:?}").contains("xoxb"));
    }

    #[test]
    fn a_line_that_the_peer_would_not_take_is_not_written() {
        assert!(line(&"x".repeat(LINE_BYTES)).is_err());
        assert!(line(&"x".repeat(LINE_BYTES - 2)).is_ok());
    }
}
