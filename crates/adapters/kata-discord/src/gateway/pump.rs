//! The loop over one open socket: events in, heartbeats out.

use std::{sync::Arc, time::Duration};

use futures_util::SinkExt;
use kata_channel::{ChannelError, Error, shared::Lanes};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message as WsMessage;
use tokio_util::task::TaskTracker;

use super::{
    Run,
    begin::{begin, hello, resumable},
    close::{self, Farewell},
    deliver::deliver,
    frame::{self, Event, Frame, News},
    link::{self, Heard, Incoming, Writer},
    pending::Pending,
    session::Session,
    standing::Standing,
};
use crate::{account::Account, commands};

/// `GUILDS`, `GUILD_MESSAGES`, `GUILD_MESSAGE_REACTIONS`, `DIRECT_MESSAGES`, `DIRECT_MESSAGE_REACTIONS`, `MESSAGE_CONTENT`:
/// <https://docs.discord.com/developers/events/gateway#list-of-intents>.
const INTENTS: u64 = 1 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 15;
/// A peer that takes no frame for this long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Signs of life are passed on this often at most: each wakes a driver.
const BEAT: Duration = Duration::from_secs(1);
/// Discord beats every 41 seconds. Faster than this is a mistake, and would be a storm.
const FASTEST: Duration = Duration::from_millis(100);

/// Sockets in a row on which Discord does not take the session, before that is a failure.
const REFUSALS: u32 = 4;

type Commits = Lanes<Event, Result<Vec<u64>, Error>>;

struct Pump {
    account: Arc<Account>,
    run: Arc<Run>,
    tasks: TaskTracker,
    writer: Writer,
    commits: Commits,
    pending: Pending,
    /// The session's name; empty before it has one.
    session: String,
    heart: Heart,
    last_beat: Option<Instant>,
    /// Events flow.
    is_ready: bool,
    unreadable: u64,
}

/// Our heartbeat, and whether it is heard: <https://docs.discord.com/developers/events/gateway#sending-heartbeats>.
struct Heart {
    every: Duration,
    next: Instant,
    heard: bool,
    /// Since the last beat we listened all the time, and nothing came.
    quiet: bool,
}

/// What ends a socket, apart from what goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    /// Discord asked for a new one, or ended a session in the middle: history is read for each socket, and what was said between two
    /// sessions is in nothing else.
    Asked,
    /// Discord did not take the session, and no event came yet.
    Refused,
}

enum Next {
    Frame,
    Leave(Leaving),
}

/// Opens a socket and works for whoever sits there, until it ends. `Ok` = Discord asked for a new one. A session that is refused is no
/// failure: it is asked for again, or the next begins, without a pause of the driver's.
pub(super) async fn serve(
    account: Arc<Account>,
    run: &Arc<Run>,
    tasks: TaskTracker,
) -> Result<(), ChannelError> {
    for _ in 0..REFUSALS {
        match connection(&account, run, &tasks).await? {
            Leaving::Asked => return Ok(()),
            Leaving::Refused => {}
        }
    }
    Err(ChannelError::ConnectionLost(
        "Discord takes no session with the bot at the moment".into(),
    ))
}

/// One socket, from its opening to its end.
async fn connection(
    account: &Arc<Account>,
    run: &Arc<Run>,
    tasks: &TaskTracker,
) -> Result<Leaving, ChannelError> {
    let session = resumable(account);
    let url = match &session {
        Some(session) => session.url.clone(),
        None => begin(account).await?,
    };
    let (writer, mut incoming) = link::open(account, &url).await?;
    let every = hello(&mut incoming).await?;
    let (committing, seats) = (account.clone(), run.clone());
    let commits = Lanes::new(move |batch| Box::pin(deliver(committing.clone(), seats.seats(), batch)));
    let mut pump = Pump {
        pending: Pending::new(session.as_ref().map_or(0, |session| session.stored)),
        session: session.as_ref().map_or_else(String::new, |s| s.id.clone()),
        account: account.clone(),
        run: run.clone(),
        tasks: tasks.clone(),
        writer,
        commits,
        heart: Heart::new(every),
        last_beat: None,
        is_ready: false,
        unreadable: 0,
    };
    match session {
        Some(session) => pump.resume(&session).await?,
        None => pump.identify().await?,
    }
    pump.work(&mut incoming).await
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
            quiet: false,
        }
    }
}

// === impl Pump ===

impl Pump {
    async fn work(&mut self, incoming: &mut Incoming) -> Result<Leaving, ChannelError> {
        loop {
            let reads = self.commits.has_room();
            // Who does not listen hears nothing, and what he missed stands in front of the answer to his heartbeat.
            self.heart.quiet &= reads;
            let next = tokio::select! {
                biased;
                () = sleep_until(self.heart.next) => self.beat().await.map(|()| Next::Frame)?,
                Some(done) = self.commits.next() => self.stored(done).map(|()| Next::Frame)?,
                heard = incoming.next(), if reads => self.take(heard).await?,
            };
            if let Next::Leave(leaving) = next {
                return Ok(leaving);
            }
        }
    }

    async fn take(&mut self, heard: Heard) -> Result<Next, ChannelError> {
        self.alive();
        self.heart.quiet = false;
        let text = match heard {
            Heard::Text(text) => text,
            Heard::Life => return Ok(Next::Frame),
            Heard::Close(code) => return Err(self.farewell(code)),
            Heard::Garbled => {
                return Err(ChannelError::ConnectionLost(
                    "what Discord's gateway sends cannot be read on".into(),
                ));
            }
        };
        match frame::read(&text, Instant::now()) {
            Frame::Heard => self.heart.heard = true,
            Frame::BeatNow => self.say_beat().await?,
            Frame::Reconnect => return Ok(Next::Leave(Leaving::Asked)),
            Frame::Invalid { resumable } => return Ok(Next::Leave(self.invalid(resumable))),
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
                self.ready();
            }
            News::Events(events) => events.into_iter().for_each(|event| self.add(event)),
            News::Unreacted(gone) => self.account.gateway.standing().take_off(&gone),
            News::Guild(guild) => self.arrived(&guild),
            News::Channels(channels) => channels.iter().for_each(|c| self.account.atlas.chart(c)),
            News::Member { guild, member } => self.member(&guild, *member),
            News::Other => {}
            News::Unreadable => self.unread(bytes),
        }
        self.keep();
    }

    fn add(&mut self, mut event: Event) {
        if let frame::What::Reacted(reaction, name) = &mut event.what {
            let mut standing = self.account.gateway.standing();
            *name = standing.put_on(reaction, &self.session, event.seq);
        }
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
        // What was taken off between two sessions nobody told us.
        *self.account.gateway.standing() = Standing::default();
        self.session.clone_from(&id);
        *self.account.gateway.session() = url.map(|url| Session::new(id, url, self.pending.all_until()));
        self.ready();
    }

    fn ready(&mut self) {
        self.is_ready = true;
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

    /// A beat that was not heard by the time of the next one, and nothing else was: the socket is dead, though it looks open.
    async fn beat(&mut self) -> Result<(), ChannelError> {
        if !self.heart.heard && self.heart.quiet {
            return Err(ChannelError::ConnectionLost(
                "Discord's gateway no longer answers".into(),
            ));
        }
        self.heart.next = Instant::now() + self.heart.every;
        (self.heart.heard, self.heart.quiet) = (false, true);
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

    /// The session is no good. It goes on at once, or a new one begins after a moment, on a new socket in either case.
    fn invalid(&self, resumable: bool) -> Leaving {
        if !resumable {
            *self.account.gateway.session() = None;
        }
        self.account.gateway.hold_off();
        match self.is_ready {
            true => Leaving::Asked,
            false => Leaving::Refused,
        }
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
