//! The loop over one open socket: frames in, acknowledgements out.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use kata_channel::{ChannelError, Error, shared::Lanes};
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message as WsMessage;

use super::{
    Run,
    deliver::deliver,
    envelope::{self, Event, Farewell, Frame},
    link::Socket,
};

/// Slack pings us, but how often is its affair. After so long without a word we ask for one.
const QUIET: Duration = Duration::from_secs(12);
/// A word comes by then, or the connection is half-open: it stands, and nothing will ever come over it.
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// A peer that takes no acknowledgement for this long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Signs of life are passed on this often at most: each wakes a driver.
const BEAT: Duration = Duration::from_secs(1);
/// What was read before Slack said good-bye may still be committed and acknowledged.
const LAST_COMMITS: Duration = Duration::from_secs(2);

type Commits = Lanes<Event, Result<Vec<String>, Error>>;

struct Pump {
    writer: SplitSink<Socket, WsMessage>,
    run: Arc<Run>,
    commits: Commits,
    last_beat: Option<Instant>,
    heard: Instant,
    /// We asked for a word since.
    has_asked: bool,
    unreadable: u64,
}

/// Runs until the socket ends. `Ok` = Slack asked for a new one.
pub(super) async fn pump(socket: Socket, run: &Arc<Run>) -> Result<(), ChannelError> {
    let (writer, mut reader) = socket.split();
    let committing = run.clone();
    let commits = Lanes::new(move |batch| Box::pin(deliver(committing.seats(), batch)));
    let mut pump = Pump {
        writer,
        run: run.clone(),
        commits,
        last_beat: None,
        heard: Instant::now(),
        has_asked: false,
        unreadable: 0,
    };
    loop {
        let patient_until = pump.patient_until();
        let farewell = tokio::select! {
            biased;
            Some(done) = pump.commits.next() => pump.acknowledge(done).await.map(|()| None)?,
            frame = reader.next(), if pump.commits.has_room() => match frame {
                Some(Ok(frame)) => pump.take(frame).await?,
                Some(Err(_)) | None => return Err(lost()),
            },
            // Where nothing is read, nothing can be heard.
            () = sleep_until(patient_until), if pump.commits.has_room() => pump.ask().await.map(|()| None)?,
        };
        if let Some(farewell) = farewell {
            return pump.leave(farewell).await;
        }
    }
}

// === impl Pump ===

impl Pump {
    async fn take(&mut self, frame: WsMessage) -> Result<Option<Farewell>, ChannelError> {
        self.hear();
        self.beat();
        let text = match &frame {
            WsMessage::Text(text) => text.as_str(),
            WsMessage::Close(_) => return Err(lost()),
            _ => return Ok(None),
        };
        match envelope::read(text, Instant::now()) {
            Frame::Hello => self.run.ready(),
            Frame::Disconnect(farewell) => return Ok(Some(farewell)),
            Frame::Event(event) => self.commits.add(event.conversation.clone(), *event),
            Frame::Ignored(envelope) => self.write(vec![acknowledgement(&envelope)]).await?,
            Frame::Unreadable(envelope) => {
                self.unreadable += 1;
                tracing::debug!(
                    count = self.unreadable,
                    bytes = text.len(),
                    "a frame from slack cannot be read"
                );
                if let Some(envelope) = envelope {
                    self.write(vec![acknowledgement(&envelope)]).await?;
                }
            }
        }
        Ok(None)
    }

    fn hear(&mut self) {
        self.heard = Instant::now();
        self.has_asked = false;
    }

    fn patient_until(&self) -> Instant {
        self.heard
            + QUIET
            + if self.has_asked {
                PONG_WITHIN
            } else {
                Duration::ZERO
            }
    }

    /// Nothing was heard for long.
    async fn ask(&mut self) -> Result<(), ChannelError> {
        if std::mem::replace(&mut self.has_asked, true) {
            let why = "Slack's socket does not answer any more";
            return Err(ChannelError::ConnectionLost(why.into()));
        }
        self.write(vec![WsMessage::Ping(Vec::new().into())]).await
    }

    /// D1: only what was committed is acknowledged. D6: a store that takes nothing closes the socket.
    async fn acknowledge(&mut self, done: Result<Vec<String>, Error>) -> Result<(), ChannelError> {
        // While there was no room nothing was read: that was no silence of Slack's.
        self.hear();
        match done {
            Ok(envelopes) => {
                self.write(envelopes.iter().map(|id| acknowledgement(id)).collect())
                    .await
            }
            Err(error) => Err(ChannelError::Other(format!(
                "what Slack sent cannot be stored: {error}"
            ))),
        }
    }

    async fn write(&mut self, frames: Vec<WsMessage>) -> Result<(), ChannelError> {
        let writer = &mut self.writer;
        let writing = async {
            for frame in frames {
                writer.feed(frame).await?;
            }
            writer.flush().await
        };
        match timeout(WRITE_TIMEOUT, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(lost()),
        }
    }

    async fn leave(mut self, farewell: Farewell) -> Result<(), ChannelError> {
        let deadline = Instant::now() + LAST_COMMITS;
        while let Ok(Some(done)) = tokio::time::timeout_at(deadline, self.commits.next()).await {
            self.acknowledge(done).await?;
        }
        match farewell {
            Farewell::Refresh => Ok(()),
            Farewell::Disabled => Err(ChannelError::Rejected(
                "Socket Mode is switched off for the Slack app: switch it on in the app's settings".into(),
            )),
            Farewell::TooMany => Err(ChannelError::ConnectionLost(
                "too many sockets of this Slack app are open: use its app-level token in one place only"
                    .into(),
            )),
        }
    }

    fn beat(&mut self) {
        if self.last_beat.is_none_or(|last| last.elapsed() >= BEAT) {
            self.last_beat = Some(Instant::now());
            self.run.alive();
        }
    }
}

fn acknowledgement(envelope: &str) -> WsMessage {
    WsMessage::text(json!({ "envelope_id": envelope }).to_string())
}

fn lost() -> ChannelError {
    ChannelError::ConnectionLost("the socket to Slack broke".into())
}
