//! Slack's own record of what happened, and waits for it.

use super::{
    FakeSlack,
    dump::Dump,
    record::{Ack, Call, Posted, Status},
    state::State,
    ts::Ts,
};
use crate::wait::PATIENCE;

/// # What happened
impl FakeSlack {
    /// Every message of ours that took effect, in order.
    #[must_use]
    pub fn posted(&self) -> Vec<Posted> {
        self.shared.look(|state| state.record.posted.clone())
    }

    /// The texts of all messages that stand in a conversation now, threads included, oldest first.
    #[must_use]
    pub fn texts(&self, channel: &str) -> Vec<String> {
        self.shared.look(|state| {
            let found = state.world.channels.get(channel);
            found
                .map(|c| c.messages.values().map(|m| m.text.clone()).collect())
                .unwrap_or_default()
        })
    }

    /// The calls of a method, whatever became of them.
    #[must_use]
    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.shared.look(|state| {
            state
                .record
                .calls
                .iter()
                .filter(|c| c.method == method)
                .cloned()
                .collect()
        })
    }

    /// Every acknowledgement.
    #[must_use]
    pub fn acks(&self) -> Vec<Ack> {
        self.shared.look(|state| state.record.acks.clone())
    }

    /// Whether the event of message `ts` was acknowledged.
    #[must_use]
    pub fn is_acknowledged(&self, ts: &str) -> bool {
        self.shared.look(|state| acknowledged(state, ts))
    }

    /// The reactions of our bot under a message.
    #[must_use]
    pub fn reactions(&self, channel: &str, ts: &str) -> Vec<String> {
        let Ok(ts) = ts.parse::<Ts>() else {
            return Vec::new();
        };
        self.shared.look(|state| {
            let message = state
                .world
                .channels
                .get(channel)
                .and_then(|c| c.messages.get(&ts));
            message
                .map(|m| m.reactions.keys().cloned().collect())
                .unwrap_or_default()
        })
    }

    /// Every reaction that was put on (`+eyes`) or taken off (`-eyes`), with conversation and message.
    #[must_use]
    pub fn reaction_log(&self) -> Vec<(String, String, String)> {
        self.shared.look(|state| state.record.reactions.clone())
    }

    /// Every status set in an assistant thread.
    #[must_use]
    pub fn statuses(&self) -> Vec<Status> {
        self.shared.look(|state| state.record.statuses.clone())
    }

    /// How many sockets were ever opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.look(|state| state.record.hellos)
    }

    /// How many sockets are open and not asked to go.
    #[must_use]
    pub fn open_sockets(&self) -> usize {
        self.shared.look(|state| state.hub.open())
    }

    /// All of it, for a failure's message.
    #[must_use]
    pub fn dump(&self) -> String {
        self.shared.look(|state| Dump(state).to_string())
    }
}

fn acknowledged(state: &State, ts: &str) -> bool {
    state
        .record
        .acks
        .iter()
        .any(|ack| ack.message.as_deref() == Some(ts))
}

/// # Waits
///
/// All panic with a dump after [`PATIENCE`].
impl FakeSlack {
    /// Waits until at least `n` messages of ours took effect; gives all of them.
    pub async fn wait_posted(&self, n: usize) -> Vec<Posted> {
        self.until(&format!("{n} posted messages"), |state| {
            (state.record.posted.len() >= n).then(|| state.record.posted.clone())
        })
        .await
    }

    /// Waits until a message of ours with exactly this text took effect.
    pub async fn wait_text(&self, text: &str) -> Posted {
        self.until(&format!("the message {text:?}"), |state| {
            state.record.posted.iter().find(|p| p.text == text).cloned()
        })
        .await
    }

    /// Waits until `method` was called at least `n` times.
    pub async fn wait_calls(&self, method: &str, n: usize) -> Vec<Call> {
        self.until(&format!("{n} calls of {method}"), |state| {
            let calls = state.record.calls.iter().filter(|c| c.method == method);
            Some(calls.cloned().collect::<Vec<_>>()).filter(|c| c.len() >= n)
        })
        .await
    }

    /// Waits until a call of `method` arrives.
    pub async fn wait_call(&self, method: &str) -> Call {
        let mut calls = self.wait_calls(method, 1).await;
        calls.swap_remove(0)
    }

    /// Waits until a socket is open.
    pub async fn wait_connected(&self) {
        self.wait_connections(1).await;
    }

    /// Waits until the `n`th socket ever was opened and one is open.
    pub async fn wait_connections(&self, n: usize) {
        self.until(&format!("socket number {n}"), |state| {
            (state.record.hellos >= n && state.hub.open() > 0).then_some(())
        })
        .await;
    }

    /// Waits until no socket is open.
    pub async fn wait_disconnected(&self) {
        self.until("no open socket", |state| (state.hub.open() == 0).then_some(()))
            .await;
    }

    /// Waits until the event of message `ts` was acknowledged.
    pub async fn wait_acknowledged(&self, ts: &str) {
        self.until(&format!("the acknowledgement of {ts}"), |state| {
            acknowledged(state, ts).then_some(())
        })
        .await;
    }

    /// Waits until every event was acknowledged.
    pub async fn wait_all_acknowledged(&self) {
        self.until("all acknowledgements", |state| {
            (state.hub.pending() == 0).then_some(())
        })
        .await;
    }

    /// Waits until the bot's reactions under a message are these.
    pub async fn wait_reactions(&self, channel: &str, ts: &str, wanted: &[&str]) {
        let at: Ts = ts.parse().expect("a timestamp");
        self.until(&format!("the reactions {wanted:?} under {ts}"), |state| {
            let message = state.world.channels.get(channel)?.messages.get(&at)?;
            message
                .reactions
                .keys()
                .map(String::as_str)
                .eq(wanted.iter().copied())
                .then_some(())
        })
        .await;
    }

    pub(super) async fn until<T>(&self, what: &str, mut probe: impl FnMut(&State) -> Option<T>) -> T {
        let look = || self.shared.look(&mut probe);
        self.shared
            .changes
            .until(PATIENCE, what, look, || self.dump())
            .await
    }
}
