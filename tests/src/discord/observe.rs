//! Discord's own record of what happened, and waits for it.

use serde_json::Value;

use super::{
    FakeDiscord,
    dump::Dump,
    id::known,
    record::{Answered, Call, Posted},
    state::State,
    world::BOT,
};
use crate::wait::PATIENCE;

/// # What happened
impl FakeDiscord {
    /// Every message of ours that took effect, and every edit of one, in order.
    #[must_use]
    pub fn posted(&self) -> Vec<Posted> {
        self.shared.look(|state| state.record.posted.clone())
    }

    /// The texts of all messages that stand in a channel now, oldest first.
    #[must_use]
    pub fn texts(&self, channel: &str) -> Vec<String> {
        self.shared.look(|state| {
            let found = state.world.channels.get(&known(channel));
            found
                .map(|c| c.messages.values().map(|m| m.content.clone()).collect())
                .unwrap_or_default()
        })
    }

    /// The calls of an operation, whatever became of them.
    #[must_use]
    pub fn calls(&self, operation: &str) -> Vec<Call> {
        self.shared.look(|state| {
            let calls = state.record.calls.iter().filter(|c| c.operation == operation);
            calls.cloned().collect()
        })
    }

    /// The interactions that were answered, in order.
    #[must_use]
    pub fn answered(&self) -> Vec<Answered> {
        self.shared.look(|state| state.record.answered.clone())
    }

    /// The channels in which the bot showed that it types, in order.
    #[must_use]
    pub fn typing(&self) -> Vec<String> {
        self.shared.look(|state| state.record.typing.clone())
    }

    /// The reactions of our bot under a message.
    #[must_use]
    pub fn reactions(&self, channel: &str, message: &str) -> Vec<String> {
        self.shared.look(|state| reactions(state, channel, message))
    }

    /// Every reaction of ours that was put on (`+👀`) or taken off (`-👀`), with channel and message.
    #[must_use]
    pub fn reaction_log(&self) -> Vec<(String, String, String)> {
        self.shared.look(|state| state.record.reactions.clone())
    }

    /// How many connections to the gateway were ever opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.look(|state| state.record.hellos)
    }

    /// How many sessions were ever begun or resumed.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared
            .look(|state| state.record.readies + state.record.resumes)
    }

    /// How many sessions were resumed.
    #[must_use]
    pub fn resumes(&self) -> usize {
        self.shared.look(|state| state.record.resumes)
    }

    /// Every identify that arrived, without its token.
    #[must_use]
    pub fn identifies(&self) -> Vec<Value> {
        self.shared.look(|state| state.record.identifies.clone())
    }

    /// How many heartbeats arrived.
    #[must_use]
    pub fn heartbeats(&self) -> usize {
        self.shared.look(|state| state.record.heartbeats)
    }

    /// How many connections have a session and are not half-open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.look(|state| state.hub.open())
    }

    /// What broke the documented protocol so far.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.shared.look(|state| state.record.violations.clone())
    }

    /// What the files of a message hold, in their order.
    #[must_use]
    pub fn files(&self, channel: &str, message: &str) -> Vec<Vec<u8>> {
        self.shared.look(|state| {
            let channel = state.world.channels.get(&known(channel));
            let message = channel.and_then(|c| c.messages.get(&known(message)));
            let files = message.into_iter().flat_map(|m| &m.files);
            files.map(|file| file.content.to_vec()).collect()
        })
    }

    /// Takes them, for a test that breaks the protocol itself.
    #[must_use]
    pub fn take_violations(&self) -> Vec<String> {
        self.shared
            .change(|state| std::mem::take(&mut state.record.violations))
    }

    /// All of it, for a failure's message.
    #[must_use]
    pub fn dump(&self) -> String {
        self.shared.look(|state| Dump(state).to_string())
    }
}

fn reactions(state: &State, channel: &str, message: &str) -> Vec<String> {
    let channel = state.world.channels.get(&known(channel));
    let message = channel.and_then(|c| c.messages.get(&known(message)));
    let ours = message
        .into_iter()
        .flat_map(|m| &m.reactions)
        .filter(|(_, by)| by.contains(&BOT));
    ours.map(|(emoji, _)| emoji.clone()).collect()
}

/// # Waits
///
/// All panic with a dump after [`PATIENCE`], and at once when the app breaks the protocol.
impl FakeDiscord {
    /// Waits until at least `n` messages or edits of ours took effect; gives all of them.
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

    /// Waits until `operation` was called at least `n` times.
    pub async fn wait_calls(&self, operation: &str, n: usize) -> Vec<Call> {
        self.until(&format!("{n} calls of {operation}"), |state| {
            let calls = state.record.calls.iter().filter(|c| c.operation == operation);
            Some(calls.cloned().collect::<Vec<_>>()).filter(|c| c.len() >= n)
        })
        .await
    }

    /// Waits until the history of `n` channels was read from some message on.
    pub async fn wait_read(&self, n: usize) {
        self.until(&format!("the history of {n} channels"), |state| {
            let calls = state
                .record
                .calls
                .iter()
                .filter(|c| c.operation == "list_messages");
            let onward =
                calls.filter(|c| c.outcome.is_some() && c.query.iter().any(|(name, _)| name == "after"));
            let read: std::collections::BTreeSet<&str> = onward.map(|c| c.path.as_str()).collect();
            (read.len() >= n).then_some(())
        })
        .await;
    }

    /// Waits until this channel's history was read from some message on.
    pub async fn wait_history(&self, channel: &str) {
        let path = format!("/channels/{channel}/messages");
        self.until(&format!("the history of {channel}"), |state| {
            let mut calls = state.record.calls.iter();
            let is_read =
                |c: &Call| c.operation == "list_messages" && c.outcome.is_some() && c.path.ends_with(&path);
            calls.any(is_read).then_some(())
        })
        .await;
    }

    /// Waits until the `n`th session ever was begun or resumed and one is open.
    pub async fn wait_sessions(&self, n: usize) {
        self.until(&format!("session number {n}"), |state| {
            let begun = state.record.readies + state.record.resumes;
            (begun >= n && state.hub.open() > 0).then_some(())
        })
        .await;
    }

    /// Waits until the `n`th connection ever was opened.
    pub async fn wait_connections(&self, n: usize) {
        self.until(&format!("connection number {n}"), |state| {
            (state.record.hellos >= n).then_some(())
        })
        .await;
    }

    /// Waits until no connection has a session.
    pub async fn wait_disconnected(&self) {
        self.until("no open connection", |state| {
            (state.hub.open() == 0).then_some(())
        })
        .await;
    }

    /// Waits until `n` heartbeats arrived.
    pub async fn wait_heartbeats(&self, n: usize) {
        self.until(&format!("{n} heartbeats"), |state| {
            (state.record.heartbeats >= n).then_some(())
        })
        .await;
    }

    /// Waits until an interaction was answered.
    pub async fn wait_answered(&self, interaction: &str) -> Answered {
        self.until(&format!("an answer to the interaction {interaction}"), |state| {
            state
                .record
                .answered
                .iter()
                .find(|a| a.interaction == interaction)
                .cloned()
        })
        .await
    }

    /// Waits until the bot showed that it types in a channel.
    pub async fn wait_typing(&self, channel: &str) {
        self.until(&format!("typing in {channel}"), |state| {
            state.record.typing.iter().any(|c| c == channel).then_some(())
        })
        .await;
    }

    /// Waits until the bot's reactions under a message are these.
    pub async fn wait_reactions(&self, channel: &str, message: &str, wanted: &[&str]) {
        self.until(&format!("the reactions {wanted:?} under {message}"), |state| {
            reactions(state, channel, message)
                .iter()
                .eq(wanted.iter())
                .then_some(())
        })
        .await;
    }

    pub(super) async fn until<T>(&self, what: &str, mut probe: impl FnMut(&State) -> Option<T>) -> T {
        let look = || {
            self.shared.look(|state| match state.record.violations.first() {
                Some(violation) => Some(Err(violation.clone())),
                None => probe(state).map(Ok),
            })
        };
        let found = self
            .shared
            .changes
            .until(PATIENCE, what, look, || self.dump())
            .await;
        found.unwrap_or_else(|violation| {
            panic!(
                "waiting for {what}, the app broke the protocol: {violation}\n{}",
                self.dump()
            )
        })
    }
}
