//! What a person or a task asks of a plugin by name.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use kata_channel::WorkspaceId;
use serde_json::Value;
use tokio::time::timeout;
use tracing::{Instrument as _, Span};

use crate::{plugin::Plugin, state::PluginState};

/// How long an action may take: a person at the desk waits for it.
const ACTION: Duration = Duration::from_secs(60);
/// A name that nobody knows is repeated up to this length: it may be anything.
const NAMED_CHARS: usize = 64;

/// Where an action is to be done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ActionContext {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// What the plugin keeps there.
    pub state: PluginState,
}

/// Why an action was not done. Each is one sentence for whoever asked; no secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// The plugin has no such action.
    #[error("{plugin} has no action {action:?}; {known}")]
    Unknown {
        /// The plugin.
        plugin: &'static str,
        /// What was asked for.
        action: String,
        /// What there is, in words.
        known: String,
    },
    /// The payload makes no sense.
    #[error("{0}")]
    Payload(String),
    /// It was tried and failed.
    #[error("{0}")]
    Failed(String),
    /// It took too long; it may or may not have been done.
    #[error("{plugin} did not end {action:?} within {} s; it may or may not have been done", ACTION.as_secs())]
    Late {
        /// The plugin.
        plugin: &'static str,
        /// The action.
        action: String,
    },
    /// It broke down; it may or may not have been done.
    #[error("{plugin} broke down in {action:?}; it may or may not have been done")]
    Broken {
        /// The plugin.
        plugin: &'static str,
        /// The action.
        action: String,
    },
}

/// Asks a plugin for one of its [`actions`](Plugin::actions). A panic costs this action alone.
///
/// # Cancel safety
/// Dropped midway, the action may or may not have been done.
///
/// # Errors
/// As [`ActionError`]: also for an action that the plugin does not list, and for one that takes more than a minute.
pub async fn act(
    plugin: &dyn Plugin,
    context: &ActionContext,
    action: &str,
    payload: Value,
) -> Result<Value, ActionError> {
    if !plugin.actions().contains(&action) {
        return Err(ActionError::unknown(plugin.id(), action, plugin.actions()));
    }
    let run = AssertUnwindSafe(plugin.action(context, action, payload)).catch_unwind();
    let (plugin, action) = (plugin.id(), action.to_owned());
    match timeout(ACTION, run.instrument(context.span())).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(ActionError::Broken { plugin, action }),
        Err(_) => Err(ActionError::Late { plugin, action }),
    }
}

// === impl ActionContext ===

impl ActionContext {
    /// In the workspace of `state`.
    #[must_use]
    pub fn new(state: PluginState) -> Self {
        Self {
            workspace: state.workspace().clone(),
            state,
        }
    }

    /// A span that names plugin and workspace. An action runs in it.
    #[must_use]
    pub fn span(&self) -> Span {
        self.state.span()
    }
}

// === impl ActionError ===

impl ActionError {
    /// `plugin` has no `action`, but those that are `known`.
    #[must_use]
    pub fn unknown(plugin: &'static str, action: &str, known: &[&str]) -> Self {
        let known = match known {
            [] => "it has none".to_owned(),
            known => format!("it has: {}", known.join(", ")),
        };
        Self::Unknown {
            plugin,
            action: action.chars().take(NAMED_CHARS).collect(),
            known,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future;

    use async_trait::async_trait;
    use serde_json::json;

    use super::*;
    use crate::{MemoryState, Registrar, RegistrationError};

    /// Counts in its state, breaks down, or never ends.
    struct Counter;

    #[async_trait]
    impl Plugin for Counter {
        fn id(&self) -> &'static str {
            "kata-counter"
        }

        fn name(&self) -> &'static str {
            "Counter"
        }

        fn version(&self) -> &'static str {
            "1.0.0"
        }

        fn register(&self, _: &mut Registrar) -> Result<(), RegistrationError> {
            Ok(())
        }

        fn actions(&self) -> &'static [&'static str] {
            &["count", "panic", "hang", "forgotten"]
        }

        async fn action(
            &self,
            context: &ActionContext,
            action: &str,
            payload: Value,
        ) -> Result<Value, ActionError> {
            let state = &context.state;
            match action {
                "count" => {
                    let by = payload["by"].as_u64();
                    let by = by.ok_or_else(|| ActionError::Payload("by is no number".into()))?;
                    let before = state.get("n").await.unwrap().and_then(|n| n.as_u64());
                    let now = json!(before.unwrap_or(0) + by);
                    state.put("n", now.clone()).await.unwrap();
                    Ok(now)
                }
                "panic" => panic!("in an action"),
                "hang" => future::pending().await,
                other => Err(ActionError::unknown(self.id(), other, self.actions())),
            }
        }
    }

    /// Listens to nothing, and does nothing.
    struct Mute;

    impl Plugin for Mute {
        fn id(&self) -> &'static str {
            "kata-mute"
        }

        fn name(&self) -> &'static str {
            "Mute"
        }

        fn version(&self) -> &'static str {
            "1.0.0"
        }

        fn register(&self, _: &mut Registrar) -> Result<(), RegistrationError> {
            Ok(())
        }
    }

    async fn ask(state: &MemoryState, action: &str, payload: Value) -> Result<Value, ActionError> {
        let context = ActionContext::new(state.of("kata-counter", "w1"));
        act(&Counter, &context, action, payload).await
    }

    #[tokio::test]
    async fn an_action_is_done_with_the_state_of_its_workspace() {
        let state = MemoryState::new();
        assert_eq!(ask(&state, "count", json!({"by": 2})).await, Ok(json!(2)));
        assert_eq!(ask(&state, "count", json!({"by": 3})).await, Ok(json!(5)));
        let elsewhere = ActionContext::new(state.of("kata-counter", "w2"));
        let count = act(&Counter, &elsewhere, "count", json!({"by": 1})).await;
        assert_eq!(count, Ok(json!(1)));
        let misfit = ask(&state, "count", json!({})).await;
        assert_eq!(misfit, Err(ActionError::Payload("by is no number".into())));
    }

    #[tokio::test]
    async fn what_is_not_listed_is_refused_with_what_there_is() {
        let state = MemoryState::new();
        let refused = ask(&state, "delete", Value::Null).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "kata-counter has no action \"delete\"; it has: count, panic, hang, forgotten"
        );
        let context = ActionContext::new(state.of("kata-mute", "w1"));
        let refused = act(&Mute, &context, "count", Value::Null).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "kata-mute has no action \"count\"; it has none"
        );
        let long = "\u{202e}x".repeat(1000);
        let refused = ask(&state, &long, Value::Null).await.unwrap_err().to_string();
        assert!(refused.len() < 1000 && !refused.contains('\u{202e}'), "{refused}");
    }

    #[tokio::test]
    async fn a_plugin_that_forgot_an_action_of_its_list_says_so() {
        let refused = ask(&MemoryState::new(), "forgotten", Value::Null).await;
        assert!(matches!(refused, Err(ActionError::Unknown { .. })), "{refused:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_action_that_panics_or_hangs_costs_itself_alone() {
        let state = MemoryState::new();
        let broken = ask(&state, "panic", Value::Null).await;
        assert!(matches!(broken, Err(ActionError::Broken { .. })), "{broken:?}");
        let late = ask(&state, "hang", Value::Null).await.unwrap_err();
        assert_eq!(
            late.to_string(),
            "kata-counter did not end \"hang\" within 60 s; it may or may not have been done"
        );
        assert_eq!(ask(&state, "count", json!({"by": 1})).await, Ok(json!(1)));
    }
}
