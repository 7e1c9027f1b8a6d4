//! What a test makes Discord's servers do: faults, outages, sessions, pages, tokens.

use std::time::Duration;

use serde_json::{Value, json};

use super::{FakeDiscord, Fault, Rate, gateway::intent};

/// # What Discord's servers do
impl FakeDiscord {
    /// The next call of `operation` meets `fault`; faults queue up. Besides the API's operations, by their names in the
    /// OpenAPI document (`create_message`, `list_messages`, `get_gateway`, …): `gateway` (the upgrade to a WebSocket)
    /// and `download`.
    pub fn fail_next(&self, operation: &str, fault: Fault) {
        self.shared.change(|state| state.faults.script(operation, fault));
    }

    /// Every call of `operation` meets `fault`, until [`heal`](Self::heal).
    pub fn fail_always(&self, operation: &str, fault: Fault) {
        self.shared
            .change(|state| state.faults.set_always(operation, Some(fault)));
    }

    /// Ends [`fail_always`](Self::fail_always).
    pub fn heal(&self, operation: &str) {
        self.shared
            .change(|state| state.faults.set_always(operation, None));
    }

    /// From now on `operation` takes this many calls for each channel, guild or webhook.
    pub fn limit(&self, operation: &str, rate: Rate) {
        self.shared.change(|state| state.buckets.set(operation, rate));
    }

    /// From now on all operations together take this many calls.
    pub fn limit_all(&self, rate: Option<Rate>) {
        self.shared.change(|state| state.buckets.set_global(rate));
    }

    /// Refuses connections and cuts those that are open, until [`up`](Self::up).
    ///
    /// # Panics
    /// If the port cannot be kept.
    pub async fn down(&self) {
        self.port.down().await.expect("the port can be kept");
    }

    /// Serves again, on the same port.
    ///
    /// # Panics
    /// If the port cannot be listened on.
    pub async fn up(&self) {
        self.port.up().await.expect("the port is ours");
    }

    /// The open connections go half-open: nothing is read from them or written to them, and they are not closed.
    pub fn silence(&self) {
        self.shared.change(|state| state.hub.fall_silent());
    }

    /// Heartbeats are acknowledged, or not: a connection that died without a word.
    pub fn acknowledge_heartbeats(&self, acknowledges: bool) {
        self.shared.change(|state| state.hub.acknowledges = acknowledges);
    }

    /// What new connections are told to be the time between heartbeats (41.25 s).
    pub fn heartbeat_every(&self, every: Duration) {
        let ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        self.shared.change(|state| state.hub.heartbeat_interval = ms);
    }

    /// Asks for a heartbeat at once.
    pub fn ask_for_heartbeat(&self) {
        self.shared
            .change(|state| state.hub.send_all(&frame(1, Value::Null)));
    }

    /// Cuts the gateway's connections without a close frame.
    pub fn cut_connections(&self) {
        self.shared.change(|state| state.hub.cut());
    }

    /// Closes the gateway's connections with this code, or without one.
    pub fn close_connections(&self, code: Option<u16>) {
        self.shared.change(|state| {
            state.record.closes.extend(code);
            state.hub.close_all(code);
        });
    }

    /// Asks the app to reconnect and resume (op 7); the connection is closed soon after.
    pub fn ask_to_reconnect(&self) {
        self.shared
            .change(|state| state.hub.send_all(&frame(7, Value::Null)));
    }

    /// Says that the session is invalid (op 9), and whether it may be resumed.
    pub fn invalidate_sessions(&self, resumable: bool) {
        self.shared.change(|state| {
            if !resumable {
                state.hub.end_sessions();
            }
            state.hub.send_all(&frame(9, resumable.into()));
        });
    }

    /// Sends every connection bytes that are no part of its compressed stream.
    pub fn garble(&self) {
        let bytes = b"not zlib\x00\x00\xff\xff";
        self.shared.change(|state| state.hub.garble(bytes));
    }

    /// Forgets every session: who comes to resume is told op 9, and what it missed is not told again.
    pub fn forget_sessions(&self) {
        self.shared.change(|state| state.hub.end_sessions());
    }

    /// Sessions that begin from now on are to be resumed at this address.
    pub fn resume_at(&self, url: &str) {
        self.shared
            .change(|state| state.resumes_at = Some(url.to_owned()));
    }

    /// From now on each event is told so many times, as by a resume that goes back too far.
    pub fn tell_each(&self, times: usize) {
        self.shared.change(|state| state.hub.times = times);
    }

    /// No more than this many sessions may be begun (1000 a day).
    pub fn leave_session_starts(&self, left: u32) {
        self.shared.change(|state| state.session_starts_left = left);
    }

    /// No page holds more than `items`, whatever the caller's `limit` is. Discord does not do so; a page that is
    /// shorter than asked for is no end all the same where there is an `after`.
    pub fn cap_pages(&self, items: usize) {
        self.shared.change(|state| state.page_cap = items);
    }

    /// Makes a further token known.
    pub fn add_token(&self, token: &str) {
        self.shared
            .change(|state| state.tokens.insert(token.to_owned(), true));
    }

    /// From now on `token` is refused: it was reset in the developer portal. Its connections end with 4004.
    pub fn revoke_token(&self, token: &str) {
        self.shared.change(|state| {
            state.tokens.insert(token.to_owned(), false);
            state
                .record
                .closes
                .push(super::gateway::close::AUTHENTICATION_FAILED);
            state
                .hub
                .close_all(Some(super::gateway::close::AUTHENTICATION_FAILED));
            state.hub.end_sessions();
        });
    }

    /// Whether the intent to read messages is switched on in the developer portal. Without it, identify is refused with
    /// 4014 where it is asked for, and messages come without their content.
    pub fn allow_message_content(&self, allowed: bool) {
        self.shared.change(|state| match allowed {
            true => state.privileged |= intent::MESSAGE_CONTENT,
            false => state.privileged &= !intent::MESSAGE_CONTENT,
        });
    }

    /// Every interaction's fifteen minutes are over.
    pub fn expire_interactions(&self) {
        self.shared
            .change(|state| state.interactions.values_mut().for_each(|i| i.expired = true));
    }

    /// How long an interaction waits for its first answer (3 s).
    pub fn interactions_wait(&self, patience: Duration) {
        self.shared.change(|state| state.patience = patience);
    }

    /// The links to attachments that were handed out end.
    pub fn expire_links(&self, expired: bool) {
        self.shared.change(|state| state.links_expired = expired);
    }
}

fn frame(op: u8, d: Value) -> Value {
    json!({"op": op, "d": d, "s": null, "t": null})
}
