//! What the suite asks of a platform's double.

use std::time::Duration;

use kata_testkit::{
    Platform, SLUG, WORKSPACE,
    host::{Channel, Config, FakeHost, Home, Start},
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
    /// How long a post may be, in the platform's unit.
    const LIMIT: usize;
    /// Markdown, and what the platform shows for it.
    const MARKUP: &[(&str, &str)];

    /// With its people and places.
    async fn start() -> Self;
    /// A channel with the double's tokens.
    fn channel(slug: &str) -> Channel;
    /// As the platform counts.
    fn length(text: &str) -> usize;

    // What people do.

    fn says(&self, place: &str, text: &str) -> String;
    /// The app is not told.
    fn says_unheard(&self, place: &str, text: &str) -> String;
    fn said_ago(&self, place: &str, text: &str, age: Duration);
    fn edits(&self, place: &str, message: &str, text: &str);
    fn deletes(&self, place: &str, message: &str);
    /// Somebody writes in a thread at a message; gives the thread's place.
    fn opens_thread(&self, place: &str, root: &str, text: &str) -> String;
    /// Somebody writes in that thread, and the app is not told.
    fn says_unheard_in_thread(&self, place: &str, root: &str, text: &str);
    fn bot_says(&self, place: &str, text: &str);
    fn joins(&self, place: &str);
    fn shares(&self, place: &str, text: &str, file: &str, content: &[u8]);

    // What was posted.

    /// Every post that took effect, in order.
    fn posted(&self) -> Vec<Said>;
    async fn wait_text(&self, text: &str) -> Said;
    async fn wait_posted(&self, n: usize);
    /// When a call that posts arrived, whatever became of it.
    fn tried(&self) -> Vec<jiff::Timestamp>;
    /// A sign of life for this message is there.
    async fn wait_sign(&self, place: &str, message: &str);
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
    /// Nothing comes from the link any more, and it is not closed.
    fn falls_silent(&self);
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

    /// The channel that serves the first two places.
    pub(crate) fn channel() -> Channel {
        F::channel(SLUG).conversations(&F::PLACES[..2])
    }

    pub(crate) fn config() -> Config {
        Config::new().channel(WORKSPACE, Self::channel())
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
