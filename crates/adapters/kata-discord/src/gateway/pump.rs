//! The loop over one open socket: events in, heartbeats out.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use kata_channel::{ChannelError, Error, shared::Lanes};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message as WsMessage;
use tokio_util::task::TaskTracker;

use super::{
    Run,
    close::{self, Farewell},
    deliver::deliver,
    frame::{self, Event, Frame, News},
    link::{self, Socket},
    pending::Pending,
    session::Session,
};
use crate::{account::Account, commands};

/// `GUILDS`, `GUILD_MESSAGES`, `GUILD_MESSAGE_REACTIONS`, `DIRECT_MESSAGES`, `DIRECT_MESSAGE_REACTIONS`, `MESSAGE_CONTENT`:
/// <https://docs.discord.com/developers/events/gateway#list-of-intents>.
const INTENTS: u64 = 1 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 15;
/// Discord says hello at once.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// A peer that takes no frame for this long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Signs of life are passed on this often at most: each wakes a driver.
const BEAT: Duration = Duration::from_secs(1);
/// Discord beats every 41 seconds. Faster than this is a mistake, and would be a storm.
const FASTEST: Duration = Duration::from_millis(100);

type Commits = Lanes<Event, Result<Vec<u64>, Error>>;

struct Pump {
    account: Arc<Account>,
    run: Arc<Run>,
    tasks: TaskTracker,
    writer: SplitSink<Socket, WsMessage>,
    commits: Commits,
    pending: Pending,
    heart: Heart,
    last_beat: Option<Instant>,
    unreadable: u64,
}

/// Our heartbeat, and whether it is heard: <https://docs.discord.com/developers/events/gateway#sending-heartbeats>.
struct Heart {
    every: Duration,
    next: Instant,
    heard: bool,
}

/// What ends a socket, apart from what goes wrong.
enum Next {
    Frame,
    Leave,
}

/// Opens a socket and works for whoever sits there, until it ends. `Ok` = Discord asked for a new one.
pub(super) async fn serve(
    account: Arc<Account>,
    run: &Arc<Run>,
    tasks: TaskTracker,
) -> Result<(), ChannelError> {
    let session = resumable(&account);
    let url = match &session {
        Some(session) => session.url.clone(),
        None => begin(&account).await?,
    };
    let (writer, mut reader) = link::open(&account, &url).await?.split();
    let every = hello(&mut reader).await?;
    let (committing, seats) = (account.clone(), run.clone());
    let commits = Lanes::new(move |batch| Box::pin(deliver(committing.clone(), seats.seats(), batch)));
    let mut pump = Pump {
        pending: Pending::new(session.as_ref().map_or(0, |session| session.stored)),
        account,
        run: run.clone(),
        tasks,
        writer,
        commits,
        heart: Heart::new(every),
        last_beat: None,
        unreadable: 0,
    };
    match session {
        Some(session) => pump.resume(&session).await?,
        None => pump.identify().await?,
    }
    pump.work(&mut reader).await
}

/// The session to go on with, if there is one that is worth it.
fn resumable(account: &Account) -> Option<Session> {
    let mut kept = account.gateway.session();
    if kept.as_mut().is_some_and(|session| !session.try_again()) {
        *kept = None;
    }
    kept.clone()
}

/// Where a new session begins, if one may.
async fn begin(account: &Account) -> Result<url::Url, ChannelError> {
    let limited = |pause| ChannelError::RateLimited {
        what: "beginning a session with Discord".into(),
        retry_after: Some(pause),
    };
    let (url, starts) = link::look_up(account).await?;
    if let Some(starts) = starts.filter(|starts| starts.remaining == 0) {
        return Err(limited(Duration::from_millis(starts.reset_after)));
    }
    account.gateway.budget().take().map_err(limited)?;
    Ok(url)
}

async fn hello(reader: &mut SplitStream<Socket>) -> Result<Duration, ChannelError> {
    let first = timeout(HELLO_WITHIN, reader.next()).await;
    match first {
        Ok(Some(Ok(WsMessage::Text(text)))) => match frame::read(&text, Instant::now()) {
            Frame::Hello(every) => Ok(every),
            _ => Err(ChannelError::ConnectionLost(
                "Discord's gateway does not say hello".into(),
            )),
        },
        Ok(Some(Ok(WsMessage::Close(frame)))) => Err(close::read(frame.map(|f| f.code.into())).error),
        _ => Err(ChannelError::ConnectionLost(
            "Discord's gateway does not say hello".into(),
        )),
    }
}

// === impl Heart ===

impl Heart {
    /// The first beat comes at a random moment, so that not all bots beat together after an outage.
    fn new(every: Duration) -> Self {
        let every = every.max(FASTEST);
        Self {
            every,
            next: Instant::now() + every.mul_f64(rand::random_range(0.0..1.0)),
            heard: true,
        }
    }
}

// === impl Pump ===

impl Pump {
    async fn work(&mut self, reader: &mut SplitStream<Socket>) -> Result<(), ChannelError> {
        loop {
            let reads = self.commits.has_room();
            let next = tokio::select! {
                biased;
                () = sleep_until(self.heart.next) => self.beat(reads).await.map(|()| Next::Frame)?,
                Some(done) = self.commits.next() => self.stored(done).map(|()| Next::Frame)?,
                frame = reader.next(), if reads => match frame {
                    Some(Ok(frame)) => self.take(frame).await?,
                    Some(Err(_)) | None => return Err(self.farewell(None)),
                },
            };
            if let Next::Leave = next {
                return Ok(());
            }
        }
    }

    async fn take(&mut self, frame: WsMessage) -> Result<Next, ChannelError> {
        self.alive();
        let text = match &frame {
            WsMessage::Text(text) => text.as_str(),
            WsMessage::Close(frame) => {
                return Err(self.farewell(frame.as_ref().map(|f| f.code.into())));
            }
            _ => return Ok(Next::Frame),
        };
        match frame::read(text, Instant::now()) {
            Frame::Heard => self.heart.heard = true,
            Frame::BeatNow => self.say_beat().await?,
            Frame::Reconnect => return Ok(Next::Leave),
            Frame::Invalid { resumable } => return Err(self.invalid(resumable)),
            Frame::Dispatch { seq, news } => self.dispatch(seq, news, text.len()),
            Frame::Hello(_) | Frame::Ignored => {}
            Frame::Unreadable => self.unread(text.len()),
        }
        Ok(Next::Frame)
    }

    fn dispatch(&mut self, seq: u64, news: News, bytes: usize) {
        let parts = if let News::Events(events) = &news {
            events.len()
        } else {
            0
        };
        self.pending.came(seq, parts);
        match news {
            News::Ready { session, url } => self.begun(session, &url),
            News::Resumed => {
                if let Some(session) = self.account.gateway.session().as_mut() {
                    session.resumed();
                }
                self.run.ready();
            }
            News::Events(events) => events.into_iter().for_each(|event| self.add(event)),
            News::Guild(guild) => self.arrived(&guild),
            News::Channels(channels) => channels.iter().for_each(|c| self.account.atlas.chart(c)),
            News::Member { guild, member } => self.member(&guild, *member),
            News::Other => {}
            News::Unreadable => self.unread(bytes),
        }
        self.keep();
    }

    fn add(&mut self, event: Event) {
        if event.guild.is_none() {
            self.account.atlas.note_direct(&event.channel);
        }
        if let frame::What::Interaction(interaction) = &event.what
            && let Some(channel) = &interaction.channel
        {
            self.account.atlas.chart(channel);
        }
        self.commits.add(event.channel.clone(), event);
    }

    fn begun(&mut self, id: String, url: &str) {
        // A session that cannot be resumed where it should be is not resumed.
        let url = link::trusted(&self.account, url);
        *self.account.gateway.session() = url.map(|url| Session::new(id, url, self.pending.all_until()));
        self.run.ready();
    }

    fn arrived(&self, guild: &crate::rest::wire::Guild) {
        let Ok(me) = self.account.me() else { return };
        if guild.unavailable {
            return;
        }
        self.account.atlas.chart_guild(guild, &me.user);
        let (account, id) = (self.account.clone(), guild.id.clone());
        self.tasks
            .spawn(async move { commands::ensure(&account, &id).await });
    }

    fn member(&self, guild: &str, member: crate::rest::wire::Member) {
        let me = self.account.me().ok();
        let is_me = member
            .user
            .as_ref()
            .zip(me)
            .is_some_and(|(user, me)| user.id == me.user);
        if is_me {
            self.account.atlas.set_roles(guild, member.roles);
        }
    }

    /// What must be said again when the session is resumed.
    fn keep(&self) {
        if let Some(session) = self.account.gateway.session().as_mut() {
            session.stored = self.pending.all_until();
        }
    }

    /// D6: a store that takes nothing closes the socket.
    fn stored(&mut self, done: Result<Vec<u64>, Error>) -> Result<(), ChannelError> {
        match done {
            Ok(seqs) => seqs.into_iter().for_each(|seq| self.pending.stored(seq)),
            Err(error) => {
                return Err(ChannelError::Other(format!(
                    "what Discord sent cannot be stored: {error}"
                )));
            }
        }
        self.keep();
        Ok(())
    }

    /// A beat that was not heard by the time of the next one: the socket is dead, though it looks open.
    async fn beat(&mut self, reads: bool) -> Result<(), ChannelError> {
        // While there is no room we do not listen, and cannot have heard.
        if !self.heart.heard && reads {
            return Err(ChannelError::ConnectionLost(
                "Discord's gateway no longer answers".into(),
            ));
        }
        self.heart.next = Instant::now() + self.heart.every;
        self.heart.heard = false;
        self.say_beat().await
    }

    async fn say_beat(&mut self) -> Result<(), ChannelError> {
        let seq = Some(self.pending.received()).filter(|seq| *seq > 0);
        self.write(json!({"op": 1, "d": seq})).await
    }

    async fn identify(&mut self) -> Result<(), ChannelError> {
        let properties = json!({"os": std::env::consts::OS, "browser": "katad", "device": "katad"});
        let token = self.account.token.expose_secret().to_owned();
        let d = json!({"token": token, "intents": INTENTS, "properties": properties});
        self.write(json!({"op": 2, "d": d})).await
    }

    async fn resume(&mut self, session: &Session) -> Result<(), ChannelError> {
        let token = self.account.token.expose_secret().to_owned();
        let d = json!({"token": token, "session_id": session.id, "seq": session.stored});
        self.write(json!({"op": 6, "d": d})).await
    }

    /// The session is no good. It goes on, or a new one begins, on a new socket: history is read for each socket, and what was
    /// said between two sessions is in nothing else.
    fn invalid(&self, resumable: bool) -> ChannelError {
        if !resumable {
            *self.account.gateway.session() = None;
        }
        ChannelError::ConnectionLost("Discord ended the session".into())
    }

    fn farewell(&self, code: Option<u16>) -> ChannelError {
        let Farewell { ends_session, error } = close::read(code);
        if ends_session {
            *self.account.gateway.session() = None;
        }
        error
    }

    async fn write(&mut self, frame: Value) -> Result<(), ChannelError> {
        let sending = self.writer.send(WsMessage::text(frame.to_string()));
        match timeout(WRITE_TIMEOUT, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(close::read(None).error),
        }
    }

    fn unread(&mut self, bytes: usize) {
        self.unreadable += 1;
        tracing::debug!(
            count = self.unreadable,
            bytes,
            "a frame from discord cannot be read"
        );
    }

    fn alive(&mut self) {
        if self.last_beat.is_none_or(|last| last.elapsed() >= BEAT) {
            self.last_beat = Some(Instant::now());
            self.run.alive();
        }
    }
}
