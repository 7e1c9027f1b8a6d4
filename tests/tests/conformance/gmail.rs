//! Gmail, in the suite's words: a place is a mail thread, and a post is a draft in it.

use std::time::Duration;

use kata_testkit::{
    gmail::{ADDRESS, CLIENT_ID, CLIENT_SECRET, FakeGmail, Fault, NewMail, Posted},
    host::Channel,
};
use serde_json::json;

use crate::fake::{Fake, Polled, Said, Trouble};

const LABEL: &str = "Kata";
const SOMEBODY: &str = "ada@example.org";
const POST: &str = "drafts.create";

fn said(posted: &Posted) -> Said {
    let text = posted.text.strip_prefix(FakeGmail::HEADING);
    Said {
        place: posted.thread.clone(),
        text: text.unwrap_or(&posted.text).to_owned(),
    }
}

/// A mail in a thread; in the last place it has not the label that is served.
fn mail(place: &str, text: &str) -> NewMail {
    let mail = NewMail::from(SOMEBODY).subject("Kata").text(text).thread(place);
    match place == FakeGmail::PLACES[2] {
        true => mail,
        false => mail.label(LABEL),
    }
}

impl Fake for FakeGmail {
    const PLACES: [&str; 3] = ["18b0000000000001", "18b0000000000002", "18b0000000000003"];
    const HEADING: &str = "Subject: Kata\n\n";
    const PAGE: usize = 4;
    // `maxSize` of an upload in Google's discovery document. Bytes.
    const LIMIT: usize = 36_700_160;
    const MARKUP: &[(&str, &str)] = &[
        (
            "It is **out**, and *good*.",
            "It is out, and good.\n<html><body>\n<p>It is <strong>out</strong>, and <em>good</em>.</p>\n</body></html>",
        ),
        (
            "[notes](https://example.com/n) & more",
            "notes (https://example.com/n) & more\n<html><body>\n<p><a href=\"https://example.com/n\">notes</a> &amp; more</p>\n\
             </body></html>",
        ),
        (
            "- one\n- two",
            "• one\n• two\n<html><body>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n</body></html>",
        ),
        (
            "`a < b` ~~no~~",
            "a < b no\n<html><body>\n<p><code>a &lt; b</code> <del>no</del></p>\n</body></html>",
        ),
    ];
    const TOKEN: &str = "sign-in";
    // Few and large: Google's quota is three mails a second after the first hundred.
    const FLOOD: (usize, usize) = (96, 87_500);

    async fn start() -> Self {
        let gmail = Self::start().await;
        gmail.add_label(LABEL);
        gmail.cap_pages(Self::PAGE);
        gmail
    }

    fn channel(slug: &str) -> Channel {
        Channel::gmail(slug, 1000)
            .conversations(&[LABEL])
            .settings(json!({"mail": {"answersPerDay": 1000}}))
    }

    fn length(text: &str) -> usize {
        text.len()
    }

    fn says(&self, place: &str, text: &str) -> String {
        self.arrives(mail(place, text))
    }

    /// Gmail tells nobody of anything.
    fn says_unheard(&self, place: &str, text: &str) -> String {
        self.arrives(mail(place, text))
    }

    fn said_ago(&self, place: &str, text: &str, age: Duration) {
        let message = self.arrives(mail(place, text));
        self.ages(&message, age);
    }

    fn deletes(&self, _place: &str, message: &str) {
        self.bins(message);
    }

    /// A mail about something else.
    fn opens_thread(&self, _place: &str, root: &str, text: &str) -> String {
        self.arrives(mail(root, text));
        root.to_owned()
    }

    fn says_unheard_in_thread(&self, thread: &str, text: &str) {
        self.arrives(mail(thread, text));
    }

    fn babbles(&self, place: &str) {
        let newsletter = mail(place, "News!").header("List-Id", "<news.example.org>");
        let away = mail(place, "I am away.").header("Auto-Submitted", "auto-replied");
        let forged = mail(place, "Pay!").results(Some("dmarc=fail header.from=example.org"));
        let bounce = NewMail::from("mailer-daemon@example.org")
            .thread(place)
            .label(LABEL);
        let ours = NewMail::from(ADDRESS).thread(place).label(LABEL);
        for mail in [newsletter, away, forged, bounce, ours] {
            self.arrives(mail);
        }
    }

    fn shares(&self, place: &str, text: &str, file: &str, content: &str) {
        self.arrives(mail(place, text).attach(file, content));
    }

    fn posted(&self) -> Vec<Said> {
        self.drafted().iter().map(said).collect()
    }

    async fn wait_text(&self, text: &str) -> Said {
        said(&self.wait_draft(text, |draft| said(draft).text == text).await)
    }

    async fn wait_posted(&self, n: usize) {
        self.wait_drafted(n).await;
    }

    fn tried(&self) -> Vec<jiff::Timestamp> {
        self.calls(POST).into_iter().map(|call| call.at).collect()
    }

    fn written(&self) -> Vec<String> {
        let both = |draft: Posted| format!("{}\n{}", draft.text, draft.html);
        self.drafted().into_iter().map(both).collect()
    }

    fn dump(&self) -> String {
        self.dump()
    }

    fn trouble(&self, trouble: Trouble) {
        let fault = match trouble {
            Trouble::CutBefore => Fault::CutBefore,
            Trouble::CutAfter => Fault::CutAfter,
            Trouble::Unavailable => Fault::Refuse(503, "backendError"),
            Trouble::UnavailableAfter => Fault::RefuseAfter(503, "backendError"),
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
        self.tells_twice();
    }

    /// There is no link. What comes nearest to a new one is the first complete reading by somebody who has just come.
    fn links(&self) -> usize {
        self.reads()
    }

    async fn wait_links(&self, n: usize) {
        self.wait_reads(n).await;
    }

    /// In the worst case: the history is gone as well, and mail is read by date.
    fn cut(&self) {
        self.cuts();
        self.forgets_history();
    }

    /// Access tokens live for an hour.
    fn farewell(&self) {
        self.expire_access_tokens();
    }

    /// And somebody waits for an answer.
    async fn falls_silent(&self) {
        let calls = self.calls("history.list").len();
        self.falls_silent();
        self.wait_calls("history.list", calls + 1).await;
    }

    fn forgets(&self) {
        self.forgets_history();
    }

    async fn down(&self) {
        self.down().await;
    }

    async fn up(&self) {
        self.up().await;
    }

    fn revokes_token(&self) {
        self.revoke();
    }

    fn renewed(&self, channel: Channel) -> Channel {
        self.add_sign_in("1//new");
        let credential =
            json!({"refreshToken": "1//new", "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET});
        channel.bot_token(Some(&credential.to_string()))
    }

    /// All threads of a mailbox have one history.
    async fn wait_read(&self, _n: usize) {
        self.wait_calls("history.list", 1).await;
    }
}

impl Polled for FakeGmail {
    fn speaks(&self) {
        self.speaks();
    }

    fn changes(&self) -> usize {
        self.writes().len()
    }
}
