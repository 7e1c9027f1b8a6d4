//! The Gmail API of one mailbox: one call, one answer, one error that says what it was.
//!
//! google-gmail1 carries the calls. It has no time limits, keeps `Retry-After` to itself and does not ask for a new token
//! after a 401; all three are done here. Deleting is not in here at all.

mod quota;

use std::{io::Cursor, time::Duration};

use google_apis_common::{self as common, Delegate, Retry};
use google_gmail1::{
    Gmail,
    api::{
        Draft, Label, ListHistoryResponse, ListMessagesResponse, Message, ModifyThreadRequest, Profile,
        Thread,
    },
};
use http::header::RETRY_AFTER;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::time::timeout;

use self::quota::Units;
use crate::{
    endpoint::{Connector, connector},
    errors::CallError,
    mail::KEY_HEADER,
    oauth::Tokens,
};

/// One call, connecting included. Shorter than the driver's own limit.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// An upload of a whole mail, which is a mebibyte at most. What was not answered by then is looked up.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(15);
const ME: &str = "me";
const RFC822: &str = "message/rfc822";
/// A page of history. Its mails are all read within one question of the driver's, at the pace that the quota allows.
const PAGE: u32 = 25;

/// A mailbox's API, with its tokens and its quota.
pub(crate) struct Api {
    hub: Gmail<Connector>,
    tokens: Tokens,
    units: Units,
}

/// Remembers what the library keeps to itself.
#[derive(Debug, Default)]
struct Noted {
    retry_after: Option<Duration>,
}

/// Makes a call: quota, time limit, and one more try with a new token where Google takes the old one no more.
macro_rules! call {
    ($api:ident, $what:literal, $units:literal, $within:expr, |$users:ident| $build:expr, $run:ident $arguments:tt) => {{
        let mut has_tried_again = false;
        loop {
            let token = $api.tokens.token().await?;
            $api.units.spend($units).await;
            let mut noted = Noted::default();
            let $users = $api.hub.users();
            let request = $build.delegate(&mut noted).$run $arguments;
            let answer = match timeout($within, request).await {
                Ok(answer) => answer,
                Err(_) => break Err(CallError::Lost("Gmail did not answer in time")),
            };
            let error = match answer {
                Ok((_, answer)) => break Ok(answer),
                Err(error) => CallError::read($what, error, noted.retry_after),
            };
            if error.status() != Some(401) || has_tried_again || !$api.tokens.refused(&token).await {
                break Err(error);
            }
            has_tried_again = true;
        }
    }};
}

// === impl Api ===

impl Api {
    /// Opens nothing. `root` ends with a slash.
    pub(crate) fn new(root: &str, tls: &ClientConfig, tokens: Tokens) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(connector(tls));
        let mut hub = Gmail::new(client, tokens.clone());
        hub.base_url(root.to_owned());
        hub.root_url(root.to_owned());
        hub.user_agent(concat!("katad/", env!("CARGO_PKG_VERSION")).to_owned());
        Self {
            hub,
            tokens,
            units: Units::new(),
        }
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Whose mailbox it is, and where its history stands.
    pub(crate) async fn profile(&self) -> Result<Profile, CallError> {
        call!(
            self,
            "getProfile",
            1,
            CALL_TIMEOUT,
            |users| users.get_profile(ME),
            doit()
        )
    }

    pub(crate) async fn labels(&self) -> Result<Vec<Label>, CallError> {
        let all = call!(
            self,
            "labels.list",
            1,
            CALL_TIMEOUT,
            |users| users.labels_list(ME),
            doit()
        )?;
        Ok(all.labels.unwrap_or_default())
    }

    /// What happened to mail since `start`, oldest first; of mail with `label` alone, if one is given.
    pub(crate) async fn history(
        &self,
        start: u64,
        label: Option<&str>,
        page: Option<&str>,
    ) -> Result<ListHistoryResponse, CallError> {
        call!(
            self,
            "history.list",
            2,
            CALL_TIMEOUT,
            |users| {
                let mut call = users.history_list(ME).start_history_id(start).max_results(PAGE);
                call = call
                    .add_history_types("messageAdded")
                    .add_history_types("labelAdded");
                if let Some(label) = label {
                    call = call.label_id(label);
                }
                match page {
                    Some(page) => call.page_token(page),
                    None => call,
                }
            },
            doit()
        )
    }

    /// Ids of mail that matches a search, newest first.
    pub(crate) async fn search(
        &self,
        query: &str,
        label: Option<&str>,
        most: u32,
        page: Option<&str>,
    ) -> Result<ListMessagesResponse, CallError> {
        call!(
            self,
            "messages.list",
            5,
            CALL_TIMEOUT,
            |users| {
                let mut call = users.messages_list(ME).q(query).max_results(most);
                if let Some(label) = label {
                    call = call.add_label_ids(label);
                }
                match page {
                    Some(page) => call.page_token(page),
                    None => call,
                }
            },
            doit()
        )
    }

    /// A mail: `raw`, `full`, or `metadata`.
    pub(crate) async fn message(&self, id: &str, format: &str) -> Result<Message, CallError> {
        call!(
            self,
            "messages.get",
            20,
            CALL_TIMEOUT,
            |users| users.messages_get(ME, id).format(format),
            doit()
        )
    }

    /// A thread's mails, drafts among them, with the headers that tell ours from others'.
    pub(crate) async fn thread(&self, id: &str) -> Result<Thread, CallError> {
        call!(
            self,
            "threads.get",
            40,
            CALL_TIMEOUT,
            |users| {
                let mut call = users.threads_get(ME, id).format("metadata");
                for header in [KEY_HEADER, "Message-ID", "From", "Subject", "Date"] {
                    call = call.add_metadata_headers(header);
                }
                call
            },
            doit()
        )
    }

    /// Puts a mail among the drafts, in a thread.
    pub(crate) async fn draft(&self, raw: &[u8], thread: Option<&str>) -> Result<Draft, CallError> {
        call!(
            self,
            "drafts.create",
            10,
            UPLOAD_TIMEOUT,
            |users| {
                let message = Message {
                    thread_id: thread.map(str::to_owned),
                    ..Message::default()
                };
                users.drafts_create(
                    Draft {
                        message: Some(message),
                        ..Draft::default()
                    },
                    ME,
                )
            },
            upload(
                Cursor::new(raw.to_vec()),
                RFC822.parse().map_err(|_| CallError::Unreached)?
            )
        )
    }

    /// Sends a mail, in a thread.
    pub(crate) async fn send(&self, raw: &[u8], thread: Option<&str>) -> Result<Message, CallError> {
        call!(
            self,
            "messages.send",
            100,
            UPLOAD_TIMEOUT,
            |users| {
                let message = Message {
                    thread_id: thread.map(str::to_owned),
                    ..Message::default()
                };
                users.messages_send(message, ME)
            },
            upload(
                Cursor::new(raw.to_vec()),
                RFC822.parse().map_err(|_| CallError::Unreached)?
            )
        )
    }

    /// Adds labels to a thread, and takes others off.
    pub(crate) async fn label(
        &self,
        thread: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<Thread, CallError> {
        call!(
            self,
            "threads.modify",
            10,
            CALL_TIMEOUT,
            |users| {
                let request = ModifyThreadRequest {
                    add_label_ids: Some(add.to_vec()),
                    remove_label_ids: Some(remove.to_vec()),
                };
                users.threads_modify(request, ME, thread)
            },
            doit()
        )
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api")
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}

// === impl Noted ===

impl Delegate for Noted {
    fn http_failure(&mut self, response: &common::Response, _: Option<&Value>) -> Retry {
        let said = response.headers().get(RETRY_AFTER);
        let seconds = said.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        self.retry_after = seconds.map(Duration::from_secs);
        Retry::Abort
    }
}
