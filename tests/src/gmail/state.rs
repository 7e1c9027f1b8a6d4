//! The mailbox: its mail, its labels, its history, and who may come in.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use mail_parser::MessageParser;

use super::{CLIENT_ID, REFRESH_TOKEN, discovery::Discovery, fault::Faults, observe::Call};

/// A mail in the mailbox.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) thread: String,
    pub(super) labels: Vec<String>,
    pub(super) raw: Vec<u8>,
    /// Unix milliseconds.
    pub(super) date: i64,
    pub(super) history: u64,
}

/// Something that happened to a mail.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) message: String,
    /// Labels that were put on it; none: it came in.
    pub(super) labelled: Option<Vec<String>>,
}

/// A sign-in that is under way: what the browser was sent away with.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) challenge: String,
    pub(super) redirect: String,
    /// A refresh token was asked for.
    pub(super) offline: bool,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) mail: BTreeMap<String, Stored>,
    /// Name by id, of the user's own.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) drafts: Vec<(String, String)>,
    pub(super) sent: Vec<String>,
    pub(super) records: Vec<Record>,
    pub(super) history: u64,
    /// History up to here is forgotten.
    pub(super) forgotten: u64,
    pub(super) page_cap: usize,
    pub(super) refresh_tokens: HashSet<String>,
    pub(super) access_tokens: HashSet<String>,
    pub(super) codes: HashMap<String, Asked>,
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) token_lives: u64,
    pub(super) sign_in_lives: Option<u64>,
    /// Why the person, or Google, says no to a sign-in.
    pub(super) denies: Option<String>,
    /// A refresh token is not given a second time, as to a client that was let in before and does not ask anew.
    pub(super) withholds_refresh: bool,
    pub(super) serial: u64,
    pub(super) faults: Faults,
    pub(super) calls: Vec<Call>,
    pub(super) violations: Vec<String>,
    pub(super) discovery: Discovery,
    /// New mail is not in the search's index yet.
    pub(super) index_lags: bool,
    pub(super) unindexed: HashSet<String>,
    /// Gmail puts its own Message-ID in place of the sender's.
    pub(super) renames: bool,
    /// A mail is told of once more when it has come in.
    pub(super) stutters: bool,
    /// Nothing is answered.
    pub(super) is_silent: bool,
    /// The history was read to its end since somebody last came, or since it was forgotten.
    pub(super) is_read: bool,
    /// How often that became true.
    pub(super) reads: usize,
}

// === impl State ===

impl State {
    pub(super) fn new() -> Self {
        Self {
            mail: BTreeMap::new(),
            labels: BTreeMap::new(),
            drafts: Vec::new(),
            sent: Vec::new(),
            records: Vec::new(),
            history: 1000,
            forgotten: 0,
            page_cap: 100,
            refresh_tokens: HashSet::from([REFRESH_TOKEN.to_owned()]),
            access_tokens: HashSet::new(),
            codes: HashMap::new(),
            client_id: CLIENT_ID.into(),
            scope: "https://www.googleapis.com/auth/gmail.modify".into(),
            token_lives: 3599,
            sign_in_lives: None,
            denies: None,
            withholds_refresh: false,
            serial: 0,
            faults: Faults::default(),
            calls: Vec::new(),
            violations: Vec::new(),
            discovery: Discovery::load(),
            index_lags: false,
            unindexed: HashSet::new(),
            renames: false,
            stutters: false,
            is_silent: false,
            is_read: false,
            reads: 0,
        }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The history was read to its end.
    pub(super) fn was_read(&mut self) {
        self.reads += usize::from(!std::mem::replace(&mut self.is_read, true));
    }

    /// Puts a mail into the mailbox. `thread` none: one of its own.
    pub(super) fn store(&mut self, raw: Vec<u8>, labels: Vec<String>, thread: Option<String>) -> String {
        self.history += 3;
        let id = format!("18c{:013x}", self.next());
        let stored = Stored {
            thread: thread.unwrap_or_else(|| id.clone()),
            id: id.clone(),
            labels,
            raw,
            date: Timestamp::now().as_millisecond(),
            history: self.history,
        };
        self.mail.insert(id.clone(), stored);
        if self.index_lags {
            self.unindexed.insert(id.clone());
        }
        self.records.push(Record {
            id: self.history,
            message: id.clone(),
            labelled: None,
        });
        id
    }

    pub(super) fn put_label(&mut self, message: &str, label: &str) {
        self.history += 3;
        let history = self.history;
        if let Some(stored) = self.mail.get_mut(message) {
            stored.labels.push(label.to_owned());
            stored.history = history;
        }
        self.records.push(Record {
            id: history,
            message: message.to_owned(),
            labelled: Some(vec![label.to_owned()]),
        });
    }

    /// A label's id, by its name or id.
    pub(super) fn label_id(&self, name: &str) -> String {
        let named = self.labels.iter().find(|(_, known)| *known == name);
        named.map_or_else(|| name.to_owned(), |(id, _)| id.clone())
    }
}

impl Stored {
    /// A header, decoded.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let message = MessageParser::default().parse(&self.raw)?;
        let mut all = message.headers_raw();
        let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(found.1.trim().to_owned())
    }

    pub(super) fn text(&self) -> String {
        let message = MessageParser::default().parse(&self.raw);
        let text = message.as_ref().and_then(|message| message.body_text(0));
        text.map(std::borrow::Cow::into_owned).unwrap_or_default()
    }

    pub(super) fn subject(&self) -> String {
        let message = MessageParser::default().parse(&self.raw);
        message
            .and_then(|message| message.subject().map(str::to_owned))
            .unwrap_or_default()
    }
}
