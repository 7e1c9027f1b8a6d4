//! What a channel's config may say about how it behaves: the `filter`, `session` and `settings` objects.
//!
//! Durations and paths are resolved by the accessors; unknown keys are found by comparing the JSON with the
//! schema of these types, which is also where the documentation's table comes from.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// Which messages are for us.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    /// JavaScript regular expressions, flag `i`, unanchored; any match suffices, none = every message.
    pub trigger_patterns: Option<Vec<String>>,
    /// Conversations that are served; empty = direct messages and mentions.
    pub channel_ids: Option<Vec<String>>,
}

impl Filter {
    /// The conversations named, if any are.
    #[must_use]
    pub fn named(&self) -> &[String] {
        self.channel_ids.as_deref().unwrap_or_default()
    }

    /// The trigger patterns, if any.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        self.trigger_patterns.as_deref().unwrap_or_default()
    }
}

/// How far a session reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One session a conversation or thread.
    #[default]
    Conversation,
    /// One session for the whole channel, as Kata 0.7 had it.
    Instance,
    /// One session a sender in a conversation.
    Sender,
}

/// Whose session a thread under a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ThreadSession {
    /// Its own.
    #[default]
    Own,
    /// It goes on with the conversation's, in one order with it.
    Inherit,
}

/// What a session remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionMode {
    /// What was said before.
    #[default]
    Lasting,
    /// Nothing: each message is alone, with a session key and a fresh agent of its own. They still run one after the other.
    Stateless,
}

/// The `session` object of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionSettings {
    /// How far a session reaches.
    pub scope: Scope,
    /// With the scope `conversation`: whose session a thread is.
    pub thread: ThreadSession,
    /// What a session remembers.
    pub mode: SessionMode,
    /// A transcript that would make a prompt longer than this is summarised first; from 1000. Default: three quarters of the
    /// context window of `settings.agent.model`, at most 150000; 24000 where that says nothing. Tokens.
    #[serde(deserialize_with = "a_thousand_or_more")]
    pub max_tokens: Option<u64>,
}

/// Where an answer goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReplyIn {
    /// In the thread if the message was in one, else in the conversation.
    #[default]
    Auto,
    /// Always in a thread (one is opened under the message).
    Thread,
    /// Always in the conversation itself.
    Conversation,
}

/// What unknown senders of direct messages get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pairing {
    /// Silence.
    #[default]
    Off,
    /// A code, by which an owner lets them in.
    Code,
}

/// What an edit does that comes when its message's turn has begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Edits {
    /// Nothing.
    #[default]
    Ignore,
    /// The new text is a turn of its own.
    FollowUp,
}

/// How far back a catch-up reaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CatchUp {
    /// Older messages are recorded as skipped. Hours.
    pub max_age_hours: f64,
    /// What happens with what piled up while the machine slept, the platform could not be reached or the daemon was not running.
    pub mode: CatchUpMode,
    /// A message that waited this long for us has piled up; what is younger always gets its turn. Longer than `pollIntervalMs`.
    /// Minutes.
    pub after_min: f64,
}

impl Default for CatchUp {
    fn default() -> Self {
        Self {
            max_age_hours: 72.0,
            mode: CatchUpMode::Run,
            after_min: 30.0,
        }
    }
}

impl CatchUp {
    /// The reach as a duration; never negative.
    #[must_use]
    pub fn max_age(&self) -> Duration {
        hours(self.max_age_hours)
    }

    /// From which age on a message has piled up; never negative.
    #[must_use]
    pub fn after(&self) -> Duration {
        hours(self.after_min / 60.0)
    }

    /// Whether a message of this age comes in a digest.
    #[must_use]
    pub fn digests(&self, age: Duration) -> bool {
        self.mode == CatchUpMode::Digest && age > self.after()
    }
}

/// What happens with messages that piled up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CatchUpMode {
    /// Each gets its turn.
    #[default]
    Run,
    /// Those of a conversation become one turn, with a note that says so.
    Digest,
    /// What history brings is recorded as skipped, with one line to the host. What was stored before gets its turn.
    Skip,
}

/// How messages that wait in one conversation are brought together into one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Coalesce {
    /// A turn waits this long for what follows its first message, counted from when that was written. At most 60000, 0 = no
    /// wait. A host without `coalesce` still gets one message a turn. Milliseconds.
    #[serde(deserialize_with = "up_to_a_minute")]
    pub window_ms: u64,
    /// So many waiting messages become one turn at most, from 1 (each has its own) to 100.
    #[serde(deserialize_with = "one_to_a_hundred")]
    pub max: usize,
}

impl Default for Coalesce {
    fn default() -> Self {
        Self {
            window_ms: 0,
            max: 20,
        }
    }
}

impl Coalesce {
    /// The window as a duration.
    #[must_use]
    pub fn window(&self) -> Duration {
        Duration::from_millis(self.window_ms)
    }
}

/// Limits that delay and never drop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Quota {
    /// Turns a minute for one sender.
    pub turns_per_minute_per_sender: Option<u32>,
    /// Turns a minute for the channel.
    pub turns_per_minute: Option<u32>,
    /// Messages a second that we send.
    pub sends_per_second: Option<f64>,
}

/// What becomes of an answer to a mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReplyMode {
    /// A draft in the thread, for a person to read, change and send.
    #[default]
    Draft,
    /// A person is asked, with the whole text before him: then a mail; a draft without his leave.
    Approve,
    /// A mail, where every recipient is named by `sendTo`; a draft for all others.
    Send,
}

/// How a mail channel behaves. Other channels take no notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MailSettings {
    /// A search in the platform's own words (`to:support@example.org is:important`): only mail that matches it is served.
    pub query: Option<String>,
    /// What becomes of an answer: `draft`, `approve` or `send`.
    pub reply_mode: ReplyMode,
    /// Addresses (`ada@example.org`) and domains (`@example.org`) to which `send` sends.
    pub send_to: Vec<String>,
    /// Answers in one thread within 24 hours at most, drafts counted. What comes beyond is parked.
    pub answers_per_day: u32,
    /// Newsletters, lists, bounces and answering machines get turns too. Two machines that answer each other do not stop.
    pub automatic: bool,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            query: None,
            reply_mode: ReplyMode::default(),
            send_to: Vec::new(),
            answers_per_day: 5,
            automatic: false,
        }
    }
}

/// The agent of a channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentSettings {
    /// `host`, `acp`, `command` or `echo`.
    pub backend: Option<Backend>,
    /// The program of an `acp` or `command` agent, looked up on the PATH, started without a shell.
    pub command: Option<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it reads on its stdin: `text` (the prompt, the default) or `json`.
    pub input: Option<AgentInput>,
    /// Names of environment variables that pass to it.
    pub env: Vec<String>,
    /// A hint for agents that can choose a model.
    pub model: Option<String>,
    /// A turn ends after this many minutes.
    pub turn_deadline_min: Option<f64>,
    /// A turn ends after this many minutes without output.
    pub no_progress_min: Option<f64>,
    /// An `acp` agent that nobody talks to is stopped after this many minutes. Default 30.
    pub idle_min: Option<f64>,
}

/// Who runs the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The host: `process_message` … `message_processed`.
    Host,
    /// A program that speaks the Agent Client Protocol; kept between turns.
    Acp,
    /// Any program: prompt in, answer out.
    Command,
    /// Says what it was told.
    Echo,
}

/// What a `command` agent reads on its stdin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AgentInput {
    /// The prompt.
    Text,
    /// One JSON object: the prompt, and what it was made from.
    Json,
}

/// The `settings` object of a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Platform user ids that may speak. Absent: everyone in the named conversations.
    pub senders: Option<Vec<String>>,
    /// What unknown senders of direct messages get: `off` (silence) or `code` (a code, by which an owner lets them in with
    /// `katad pair`). Who was let in stays so when this is `off` again.
    pub pairing: Pairing,
    /// What an edit does that comes when its message's turn has begun: `ignore` (nothing) or `followUp` (the new text is a turn of
    /// its own). While a message waits, an edit replaces its text in any case.
    pub edits: Edits,
    /// Other bots and webhooks may speak.
    pub allow_bots: bool,
    /// How far back a catch-up reaches.
    pub catch_up: CatchUp,
    /// Where an answer goes.
    pub reply_in: ReplyIn,
    /// Reaction, status or typing while a turn runs.
    pub signs: bool,
    /// An answer older than this is parked instead of sent. Hours.
    pub max_answer_age_hours: f64,
    /// Limits that delay.
    pub quota: Quota,
    /// How waiting messages become one turn.
    pub coalesce: Coalesce,
    /// Discord: the server (guild) that is served, by its id. Without `filter.channelIds` all its channels; what is named there must
    /// lie in it. Other servers and direct conversations are not served.
    pub guild: Option<String>,
    /// How a mail channel behaves.
    pub mail: MailSettings,
    /// The channel's agent.
    pub agent: AgentSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            senders: None,
            pairing: Pairing::Off,
            edits: Edits::Ignore,
            allow_bots: false,
            catch_up: CatchUp::default(),
            reply_in: ReplyIn::Auto,
            signs: true,
            max_answer_age_hours: 24.0,
            quota: Quota::default(),
            coalesce: Coalesce::default(),
            guild: None,
            mail: MailSettings::default(),
            agent: AgentSettings::default(),
        }
    }
}

impl Settings {
    /// The age after which an answer is parked (D21).
    #[must_use]
    pub fn max_answer_age(&self) -> Duration {
        hours(self.max_answer_age_hours)
    }
}

fn hours(h: f64) -> Duration {
    Duration::try_from_secs_f64(h.max(0.0) * 3600.0).unwrap_or(Duration::MAX)
}

fn up_to_a_minute<'de, D: Deserializer<'de>>(written: D) -> Result<u64, D::Error> {
    match u64::deserialize(written)? {
        ms @ 0..=60_000 => Ok(ms),
        _ => Err(D::Error::custom("\"coalesce.windowMs\" must be from 0 to 60000")),
    }
}

fn a_thousand_or_more<'de, D: Deserializer<'de>>(written: D) -> Result<Option<u64>, D::Error> {
    match Option::deserialize(written)? {
        Some(tokens) if tokens < 1_000 => Err(D::Error::custom("\"maxTokens\" must be 1000 or more")),
        tokens => Ok(tokens),
    }
}

fn one_to_a_hundred<'de, D: Deserializer<'de>>(written: D) -> Result<usize, D::Error> {
    match usize::deserialize(written)? {
        rows @ 1..=100 => Ok(rows),
        _ => Err(D::Error::custom("\"coalesce.max\" must be from 1 to 100")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bound_that_is_not_kept_is_named() {
        for (written, refusal) in [
            (json!({}), None),
            (json!({"windowMs": 0, "max": 1}), None),
            (json!({"windowMs": 60_000, "max": 100}), None),
            (json!({"windowMs": 60_001}), Some("coalesce.windowMs")),
            (json!({"max": 0}), Some("coalesce.max")),
            (json!({"max": 101}), Some("coalesce.max")),
        ] {
            let read = serde_json::from_value::<Coalesce>(written.clone());
            let said = read.err().map(|error| error.to_string());
            assert_eq!(said.is_some(), refusal.is_some(), "{written}: {said:?}");
            assert!(
                said.unwrap_or_default().contains(refusal.unwrap_or_default()),
                "{written}"
            );
        }
    }
}
