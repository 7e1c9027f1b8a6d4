//! What the suite asks of a platform's double.

use std::time::Duration;

use kata_testkit::{
    Platform, SLUG, WORKSPACE,
    host::{Channel, Config, FakeHost, Home, Start, Turn},
};

/// What becomes of a call that posts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// The connection is cut before the effect.
    CutBefore,
    /// The connection is cut after the effect.
    CutAfter,
    /// A 503 in the place of the effect.
    Unavailable,
    /// A 503 after the effect.
    UnavailableAfter,
    /// A captive portal answers.
    Html,
    /// The effect, and no answer ever.
    HangAfter,
    /// The answer is late.
    Slow,
    /// The platform asks for a pause of so many seconds.
    Pause(u32),
}

/// A message of ours that stands on the platform.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// Where: a conversation, or a thread in one, as [`Fake::opens_thread`] names it.
    pub(crate) place: String,
    pub(crate) text: String,
}

/// A platform's double, driven and judged in the suite's words. A message is named by the id that the daemon reports
/// in `message_received`.
pub(crate) trait Fake: Platform + Sized {
    /// Two conversations that the channel serves, and one more.
    const PLACES: [&str; 3];
    /// What stands before a message's text in its turn.
    const HEADING: &str = "";
    /// Messages that a page of history holds.
    const PAGE: usize = 100;
    /// How long a post may be, in the platform's unit.
    const LIMIT: usize;
    /// Markdown, and what the platform gets for it.
    const MARKUP: &[(&str, &str)];
    /// What the sentence that asks for a new one calls a token.
    const TOKEN: &str = "token";
    /// Messages of a flood, and characters of each: together more than the daemon may hold.
    const FLOOD: (usize, usize) = (6_000, 1_400);

    /// With its people and places.
    async fn start() -> Self;
    /// A channel with the double's tokens, that serves the first two places.
    fn channel(slug: &str) -> Channel;
    /// As the platform counts.
    fn length(text: &str) -> usize;

    // What people do.

    fn says(&self, place: &str, text: &str) -> String;
    /// The app is not told.
    fn says_unheard(&self, place: &str, text: &str) -> String;
    fn said_ago(&self, place: &str, text: &str, age: Duration);
    fn deletes(&self, place: &str, message: &str);
    /// Somebody writes in a thread at a message; gives the thread's place.
    fn opens_thread(&self, place: &str, root: &str, text: &str) -> String;
    /// Somebody writes in a thread that was opened, and the app is not told.
    fn says_unheard_in_thread(&self, thread: &str, text: &str);
    /// Everything that happens in a place and is nobody's message to us: bots, people who join.
    fn babbles(&self, place: &str);
    fn shares(&self, place: &str, text: &str, file: &str, content: &str);

    // What was posted.

    /// Every post that took effect, in order.
    fn posted(&self) -> Vec<Said>;
    async fn wait_text(&self, text: &str) -> Said;
    async fn wait_posted(&self, n: usize);
    /// When a call that posts arrived, whatever became of it.
    fn tried(&self) -> Vec<jiff::Timestamp>;
    /// Every post as the platform got it, markup and all.
    fn written(&self) -> Vec<String> {
        self.posted().into_iter().map(|said| said.text).collect()
    }
    fn dump(&self) -> String;

    // What the servers do.

    fn trouble(&self, trouble: Trouble);
    /// Each event is told again and again.
    fn stutter(&self);
    /// How many links were ever ready to tell events.
    fn links(&self) -> usize;
    async fn wait_links(&self, n: usize);
    /// The link is cut without a word.
    fn cut(&self);
    /// The link is asked to go, as platforms do every few hours.
    fn farewell(&self);
    /// Nothing comes over the link any more, and it is not closed.
    async fn falls_silent(&self);
    /// What was not told will never be told.
    fn forgets(&self);
    async fn down(&self);
    async fn up(&self);
    fn revokes_token(&self);
    /// The channel with a new token that is good.
    fn renewed(&self, channel: Channel) -> Channel;
    /// Waits until the history of `n` conversations was read at least once.
    async fn wait_read(&self, n: usize);
}

/// A platform that pushes, and so tells of edits.
pub(crate) trait Pushes: Fake {
    fn edits(&self, place: &str, message: &str, text: &str);
    /// Links are to show soon that they are dead. Before the first one.
    fn hurries(&self);
}

/// A platform where a turn that runs is seen.
pub(crate) trait Signs: Fake {
    /// A sign of life for this message is there.
    async fn wait_sign(&self, place: &str, message: &str);
}

/// A platform that is polled.
pub(crate) trait Polled: Fake {
    /// Answers again after it has fallen silent.
    fn speaks(&self);
    /// How many calls changed anything.
    fn changes(&self) -> usize;
}

/// A platform's double, a config directory, and daemons in it.
#[derive(Debug)]
pub(crate) struct Scene<F> {
    pub(crate) fake: F,
    pub(crate) home: Home,
}

impl<F: Fake> Scene<F> {
    /// No daemon runs yet.
    pub(crate) async fn set() -> Self {
        Self {
            fake: F::start().await,
            home: Home::new(),
        }
    }

    pub(crate) fn config() -> Config {
        Config::new().channel(WORKSPACE, F::channel(SLUG))
    }

    /// A daemon with an agent that says what it is told.
    pub(crate) fn start(&self) -> Start {
        self.home.start(&self.fake).config(Self::config())
    }

    /// Starts a daemon and waits until it hears what is said.
    pub(crate) async fn up(&self, start: Start) -> FakeHost {
        let links = self.fake.links();
        let host = start.spawn();
        host.wait_channel(SLUG, "connected").await;
        self.fake.wait_links(links + 1).await;
        host
    }

    pub(crate) async fn play(&self) -> FakeHost {
        self.up(self.start()).await
    }

    /// What was posted, in order.
    pub(crate) fn said(&self) -> Vec<String> {
        self.fake.posted().into_iter().map(|said| said.text).collect()
    }

    /// What was posted in a place, in order.
    pub(crate) fn said_in(&self, place: &str) -> Vec<String> {
        let posted = self.fake.posted().into_iter();
        posted
            .filter(|said| said.place == place)
            .map(|said| said.text)
            .collect()
    }
}

/// Waits for the turn of a message that says `text`.
pub(crate) async fn turn_of<F: Fake>(host: &FakeHost, text: &str) -> Turn {
    host.wait_turn(&format!("{}{text}", F::HEADING)).await
}

/// What the messages of all turns say, in order.
pub(crate) fn asked<F: Fake>(host: &FakeHost) -> Vec<String> {
    host.turns().iter().map(|turn| text_of::<F>(turn)).collect()
}

/// What a turn's message says.
pub(crate) fn text_of<F: Fake>(turn: &Turn) -> String {
    let text = turn.content.strip_prefix(F::HEADING);
    text.unwrap_or_else(|| panic!("no heading in {turn:?}"))
        .to_owned()
}

/// Waits until the daemon has stored a message.
pub(crate) async fn received(host: &FakeHost, message: &str) {
    host.wait_event(&format!("message_received of {message}"), |e| {
        e["type"] == "message_received" && e["messageId"] == message
    })
    .await;
}

/// `word 0`, `word 1`, …
pub(crate) fn numbered(word: &str, n: usize) -> Vec<String> {
    (0..n).map(|n| format!("{word} {n}")).collect()
}
