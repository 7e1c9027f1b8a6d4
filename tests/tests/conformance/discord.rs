//! Discord, in the suite's words.

use std::time::Duration;

use kata_testkit::{
    discord::{BOT_TOKEN, ChannelKind, FakeDiscord, Fault, Posted, Scope, Upload, Via},
    host::Channel,
};

use crate::fake::{Fake, Pushes, Said, Signs, Trouble};

const SOMEBODY: &str = "1001";
const POST: &str = "create_message";

fn said(posted: Posted) -> Said {
    Said {
        place: posted.channel,
        text: posted.text,
    }
}

impl Fake for FakeDiscord {
    const PLACES: [&str; 3] = ["2001", "2002", "2003"];
    const LIMIT: usize = 2_000;
    const MARKUP: &[(&str, &str)] = &[
        ("It is **out**, and *good*.", "It is **out**, and _good_."),
        (
            "[notes](https://example.com/n) & more",
            "[notes](https://example.com/n) & more",
        ),
        ("- one\n- two", "- one\n- two"),
        ("`a < b` ~~no~~", "`a < b` ~~no~~"),
    ];

    async fn start() -> Self {
        let discord = Self::start().await;
        discord.add_user(SOMEBODY, "ada");
        discord.add_user("1002", "bob");
        for id in Self::PLACES {
            discord.add_channel(id, &format!("place-{id}"), ChannelKind::Text);
        }
        discord
    }

    fn channel(slug: &str) -> Channel {
        Channel::discord(slug).conversations(&Self::PLACES[..2])
    }

    /// Code points: Discord's servers are written in a language that counts those.
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
        let thread = self.user_starts_thread(place, root, SOMEBODY, "about it");
        self.user_posts(&thread, SOMEBODY, text);
        thread
    }

    fn says_unheard_in_thread(&self, thread: &str, text: &str) {
        self.post_silently(thread, SOMEBODY, text);
    }

    fn babbles(&self, place: &str) {
        self.other_bot_posts(place, "I am a bot");
        self.webhook_posts(place, "I am a webhook");
        self.user_joins(place, "1002");
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
        let posts = self.posted().into_iter().filter(|p| p.via == Via::Create);
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
                scope: Scope::User,
            },
        };
        self.fail_next(POST, fault);
    }

    fn stutter(&self) {
        self.tell_each(3);
    }

    fn links(&self) -> usize {
        self.sessions()
    }

    async fn wait_links(&self, n: usize) {
        self.wait_sessions(n).await;
    }

    /// Without the session: what it missed is not told again.
    fn cut(&self) {
        self.cut_connections();
        self.forget_sessions();
    }

    fn farewell(&self) {
        self.ask_to_reconnect();
    }

    async fn falls_silent(&self) {
        self.silence();
    }

    fn forgets(&self) {
        self.forget_sessions();
    }

    async fn down(&self) {
        self.down().await;
    }

    async fn up(&self) {
        self.up().await;
    }

    fn revokes_token(&self) {
        self.revoke_token(BOT_TOKEN);
    }

    fn renewed(&self, channel: Channel) -> Channel {
        // The same bot, another secret.
        let (bot, _) = BOT_TOKEN.split_once('.').expect("a token has parts");
        let token = format!("{bot}.Gkata1.another-fake-discord-token-of-the-tests");
        self.add_token(&token);
        channel.bot_token(Some(&token))
    }

    async fn wait_read(&self, n: usize) {
        self.wait_read(n).await;
    }
}

impl Pushes for FakeDiscord {
    fn edits(&self, place: &str, message: &str, text: &str) {
        self.user_edits(place, message, text);
    }

    fn hurries(&self) {
        self.heartbeat_every(Duration::from_secs(1));
    }
}

impl Signs for FakeDiscord {
    async fn wait_sign(&self, place: &str, _message: &str) {
        self.wait_typing(place).await;
    }
}
