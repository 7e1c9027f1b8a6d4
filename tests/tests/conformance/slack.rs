//! Slack, in the suite's words.

use std::time::Duration;

use kata_testkit::{
    host::Channel,
    slack::{BOT_TOKEN, ChannelKind, FakeSlack, Fault, Posted, Redelivery, Upload, Via},
};

use crate::fake::{Fake, Pushes, Said, Signs, Trouble};

const SOMEBODY: &str = "U1";
const POST: &str = "chat.postMessage";

/// A thread is named by its conversation and its root.
fn place(posted: &Posted) -> String {
    match &posted.thread {
        Some(thread) => format!("{}/{thread}", posted.channel),
        None => posted.channel.clone(),
    }
}

fn said(posted: Posted) -> Said {
    Said {
        place: place(&posted),
        text: posted.text,
    }
}

impl Fake for FakeSlack {
    const PLACES: [&str; 3] = ["C1", "C2", "C3"];
    // In `text`, as https://docs.slack.dev/reference/methods/chat.postMessage has it.
    const LIMIT: usize = 40_000;
    const MARKUP: &[(&str, &str)] = &[
        ("It is **out**, and *good*.", "It is *out*, and _good_."),
        (
            "[notes](https://example.com/n) & more",
            "<https://example.com/n|notes> &amp; more",
        ),
        ("- one\n- two", "• one\n• two"),
        ("`a < b` ~~no~~", "`a &lt; b` ~no~"),
    ];

    async fn start() -> Self {
        let slack = Self::start().await;
        slack.add_user(SOMEBODY, "ada");
        slack.add_user("U2", "bob");
        for id in Self::PLACES {
            slack.add_channel(id, &id.to_lowercase(), ChannelKind::Public, &[SOMEBODY, "U2"]);
        }
        slack
    }

    fn channel(slug: &str) -> Channel {
        Channel::slack(slug).conversations(&Self::PLACES[..2])
    }

    fn length(text: &str) -> usize {
        text.chars().count()
    }

    fn says(&self, place: &str, text: &str) -> String {
        self.user_posts(place, SOMEBODY, text)
    }

    fn says_unheard(&self, place: &str, text: &str) -> String {
        self.post_silently(place, SOMEBODY, text)
    }

    fn said_ago(&self, place: &str, text: &str, age: Duration) {
        self.posted_ago(place, SOMEBODY, text, age);
    }

    fn deletes(&self, place: &str, message: &str) {
        self.user_deletes(place, message);
    }

    fn opens_thread(&self, place: &str, root: &str, text: &str) -> String {
        self.user_replies(place, root, SOMEBODY, text);
        format!("{place}/{root}")
    }

    fn says_unheard_in_thread(&self, thread: &str, text: &str) {
        let (place, root) = thread.split_once('/').expect("a thread's place");
        self.reply_silently(place, root, SOMEBODY, text);
    }

    fn babbles(&self, place: &str) {
        self.other_bot_posts(place, "I am a bot");
        self.user_joins(place, "U2");
    }

    fn shares(&self, place: &str, text: &str, file: &str, content: &str) {
        let upload = Upload {
            name: file,
            mimetype: "text/plain",
            content: content.as_bytes(),
        };
        self.user_shares(place, SOMEBODY, text, &upload);
    }

    fn posted(&self) -> Vec<Said> {
        let posts = self.posted().into_iter().filter(|p| p.via == Via::PostMessage);
        posts.map(said).collect()
    }

    async fn wait_text(&self, text: &str) -> Said {
        said(self.wait_text(text).await)
    }

    async fn wait_posted(&self, n: usize) {
        self.wait_posted(n).await;
    }

    fn tried(&self) -> Vec<jiff::Timestamp> {
        self.calls(POST).into_iter().map(|call| call.at).collect()
    }

    fn dump(&self) -> String {
        self.dump()
    }

    fn trouble(&self, trouble: Trouble) {
        let fault = match trouble {
            Trouble::CutBefore => Fault::CutBefore,
            Trouble::CutAfter => Fault::CutAfter,
            Trouble::Unavailable => Fault::Http(503),
            Trouble::UnavailableAfter => Fault::HttpAfter(503),
            Trouble::Html => Fault::Html,
            Trouble::HangAfter => Fault::HangAfter,
            Trouble::Slow => Fault::SlowBy(Duration::from_millis(300)),
            Trouble::Pause(seconds) => Fault::RateLimited {
                retry_after: seconds.into(),
            },
        };
        self.fail_next(POST, fault);
    }

    fn stutter(&self) {
        self.set_redelivery(Redelivery {
            after: Duration::ZERO,
            attempts: 5,
        });
    }

    fn links(&self) -> usize {
        self.connections()
    }

    async fn wait_links(&self, n: usize) {
        self.wait_connections(n).await;
    }

    fn cut(&self) {
        self.cut_sockets();
    }

    fn farewell(&self) {
        self.ask_to_disconnect("refresh_requested");
    }

    async fn falls_silent(&self) {
        self.silence_sockets();
    }

    fn forgets(&self) {
        self.give_up_events();
    }

    async fn down(&self) {
        self.down().await;
    }

    async fn up(&self) {
        self.up().await;
    }

    fn revokes_token(&self) {
        self.refuse_token(BOT_TOKEN, Some("token_revoked"));
    }

    fn renewed(&self, channel: Channel) -> Channel {
        self.add_token("xoxb-new", false);
        channel.bot_token(Some("xoxb-new"))
    }

    async fn wait_read(&self, n: usize) {
        self.wait_calls("conversations.history", n).await;
    }
}

impl Pushes for FakeSlack {
    fn edits(&self, place: &str, message: &str, text: &str) {
        self.user_edits(place, message, text);
    }

    /// The app asks for a sign of life by itself.
    fn hurries(&self) {}
}

impl Signs for FakeSlack {
    async fn wait_sign(&self, place: &str, message: &str) {
        let calls = self.wait_calls("reactions.add", 1).await;
        let name = calls[0].args["name"].as_str().expect("a name").to_owned();
        self.wait_reactions(place, message, &[&name]).await;
    }
}
