//! What a test sees.

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

    /// Requests that Google's own document does not know.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.shared.look(|state| state.violations.clone())
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
        let dump = || {
            self.shared.look(|state| {
                let calls: Vec<&str> = state.calls.iter().map(|call| &*call.method).collect();
                format!("calls: {}\nviolations: {:?}", calls.join(" "), state.violations)
            })
        };
        self.shared.changes.until(PATIENCE, what, probe, dump).await
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
        text: stored.text().trim().to_owned(),
        raw: String::from_utf8_lossy(&stored.raw).into_owned(),
    })
}
