//! What a test sees.

use jiff::Timestamp;
use mail_parser::MessageParser;

use super::{FakeGmail, state::State};
use crate::PATIENCE;

/// A call of the API, or of the token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `messages.get`, `token`.
    pub method: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// It changes something in the mailbox.
    pub writes: bool,
    /// When it arrived.
    pub at: Timestamp,
}

/// A mail that was drafted or sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Its id.
    pub id: String,
    /// Its thread.
    pub thread: String,
    /// Addresses.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its plain text.
    pub text: String,
    /// Its other half, for programs that show HTML.
    pub html: String,
    /// As it was uploaded.
    pub raw: String,
}

/// # What can be seen
impl FakeGmail {
    /// The drafts, in order.
    #[must_use]
    pub fn drafted(&self) -> Vec<Posted> {
        self.shared.look(|state| {
            let drafts = state.drafts.iter();
            drafts.filter_map(|(_, message)| posted(state, message)).collect()
        })
    }

    /// What was sent, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<Posted> {
        self.shared.look(|state| {
            state
                .sent
                .iter()
                .filter_map(|message| posted(state, message))
                .collect()
        })
    }

    /// The labels of a mail, by id.
    #[must_use]
    pub fn labels_of(&self, message: &str) -> Vec<String> {
        self.shared.look(|state| {
            state
                .mail
                .get(message)
                .map(|stored| stored.labels.clone())
                .unwrap_or_default()
        })
    }

    /// The calls of a method.
    #[must_use]
    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.shared.look(|state| {
            let calls = state.calls.iter().filter(|call| call.method == method);
            calls.cloned().collect()
        })
    }

    /// The calls that change something in the mailbox.
    #[must_use]
    pub fn writes(&self) -> Vec<Call> {
        self.shared
            .look(|state| state.calls.iter().filter(|call| call.writes).cloned().collect())
    }

    /// How often the history was read to its end by somebody who had just come, or after it was forgotten.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.shared.look(|state| state.reads)
    }

    /// Requests that Google's own document does not know.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.shared.look(|state| state.violations.clone())
    }

    /// Takes them, for a test that makes such requests itself.
    #[must_use]
    pub fn take_violations(&self) -> Vec<String> {
        self.shared.change(|state| std::mem::take(&mut state.violations))
    }

    /// Waits for `count` drafts.
    ///
    /// # Panics
    /// If they do not come.
    pub async fn wait_drafted(&self, count: usize) -> Vec<Posted> {
        self.until(&format!("{count} drafts"), || {
            Some(self.drafted()).filter(|all| all.len() >= count)
        })
        .await
    }

    /// Waits for `count` mails that were sent.
    ///
    /// # Panics
    /// If they do not come.
    pub async fn wait_sent(&self, count: usize) -> Vec<Posted> {
        self.until(&format!("{count} mails"), || {
            Some(self.sent()).filter(|all| all.len() >= count)
        })
        .await
    }

    /// Waits for a draft that is `what`.
    ///
    /// # Panics
    /// If it does not come.
    pub async fn wait_draft(&self, what: &str, is_it: impl Fn(&Posted) -> bool) -> Posted {
        self.until(&format!("the draft {what:?}"), || {
            self.drafted().into_iter().find(&is_it)
        })
        .await
    }

    /// Waits for [`reads`](Self::reads).
    ///
    /// # Panics
    /// If it stays below `count`.
    pub async fn wait_reads(&self, count: usize) {
        self.until(&format!("{count} readings"), || {
            (self.reads() >= count).then_some(())
        })
        .await;
    }

    /// Waits for `count` calls of a method, counted from the start.
    ///
    /// # Panics
    /// If they do not come.
    pub async fn wait_calls(&self, method: &str, count: usize) {
        self.until(&format!("{count} calls of {method}"), || {
            (self.calls(method).len() >= count).then_some(())
        })
        .await;
    }

    async fn until<T>(&self, what: &str, probe: impl FnMut() -> Option<T>) -> T {
        self.shared
            .changes
            .until(PATIENCE, what, probe, || self.dump())
            .await
    }

    /// What happened, for the message of a failed test.
    #[must_use]
    pub fn dump(&self) -> String {
        self.shared.look(|state| {
            let from = state.calls.len().saturating_sub(200);
            let calls = state.calls[from..].iter();
            let calls: Vec<String> = calls.map(|call| format!("{} {}", call.at, call.method)).collect();
            let drafts: Vec<_> = state
                .drafts
                .iter()
                .filter_map(|(_, id)| posted(state, id))
                .collect();
            let drafts: Vec<_> = drafts
                .iter()
                .map(|draft| (&*draft.thread, &*draft.text))
                .collect();
            format!(
                "--- Gmail: {} mails, {} readings\n{}\ndrafts: {drafts:.120?}\nviolations: {:?}",
                state.mail.len(),
                state.reads,
                calls.join("\n"),
                state.violations
            )
        })
    }
}

fn posted(state: &State, message: &str) -> Option<Posted> {
    let stored = state.mail.get(message)?;
    let mail = MessageParser::default().parse(&stored.raw)?;
    let to = mail.to().map(|to| {
        to.iter()
            .filter_map(|one| one.address().map(str::to_owned))
            .collect()
    });
    Some(Posted {
        id: stored.id.clone(),
        thread: stored.thread.clone(),
        to: to.unwrap_or_default(),
        subject: stored.subject(),
        text: plain_lines(&stored.text()),
        html: mail
            .body_html(0)
            .map(|html| plain_lines(&html))
            .unwrap_or_default(),
        raw: String::from_utf8_lossy(&stored.raw).into_owned(),
    })
}

/// Lines as a test writes them.
fn plain_lines(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}
