//! Asks the hooks. One that fails or takes too long stops the answer: it fails closed.

use std::{sync::Arc, time::Duration};

use kata_channel::ChannelKey;
use kata_plugin::{Draft, MessageSending, MessageSendingHooks, Sending};

use crate::daemon::Daemon;

/// One hook may look at an answer for this long.
const DEADLINE: Duration = Duration::from_secs(5);

/// The hooks that look at this channel's answers.
pub(crate) fn of(daemon: &Daemon, channel: &ChannelKey) -> MessageSendingHooks {
    let policies = &daemon.gate.policies;
    daemon
        .registrar()
        .message_sending(|plugin| policies.is_enabled(channel.workspace.as_str(), plugin))
}

/// Asks each hook in order (D17). The text as they leave it, or why it is not said, naming the hook.
pub(crate) async fn message_sending(
    hooks: &[Arc<dyn MessageSending>],
    mut draft: Draft,
) -> Result<String, String> {
    for hook in hooks {
        let name = hook.name();
        match tokio::time::timeout(DEADLINE, hook.sending(&mut draft)).await {
            Ok(Ok(Sending::Go)) => {}
            Ok(Ok(Sending::Cancel { reason })) => {
                return Err(format!("withheld by the hook {name}: {reason}"));
            }
            Ok(Err(why)) => return Err(format!("withheld: the hook {name} failed: {why}")),
            Err(_) => {
                return Err(format!(
                    "withheld: the hook {name} took longer than {} s",
                    DEADLINE.as_secs()
                ));
            }
        }
    }
    Ok(draft.text)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use kata_channel::Place;

    use super::*;

    enum Does {
        Add(&'static str),
        Cancel,
        Fail,
        Hang,
    }

    struct Hook(Does);

    #[async_trait]
    impl MessageSending for Hook {
        fn name(&self) -> &str {
            "censor"
        }

        async fn sending(&self, draft: &mut Draft) -> Result<Sending, String> {
            match self.0 {
                Does::Add(text) => draft.text.push_str(text),
                Does::Cancel => {
                    return Ok(Sending::Cancel {
                        reason: "not for them".into(),
                    });
                }
                Does::Fail => return Err("no dictionary".into()),
                Does::Hang => std::future::pending().await,
            }
            Ok(Sending::Go)
        }
    }

    async fn ask(does: Vec<Does>) -> Result<String, String> {
        let hooks: Vec<Arc<dyn MessageSending>> = does
            .into_iter()
            .map(|d| Arc::new(Hook(d)) as Arc<dyn MessageSending>)
            .collect();
        let draft = Draft {
            channel: ChannelKey::new("w", "team"),
            place: Place::conversation("C1"),
            text: "a".into(),
        };
        message_sending(&hooks, draft).await
    }

    #[tokio::test(start_paused = true)]
    async fn hooks_change_an_answer_in_their_order() {
        assert_eq!(
            ask(vec![Does::Add("b"), Does::Add("c")]).await.as_deref(),
            Ok("abc")
        );
        assert_eq!(ask(vec![]).await.as_deref(), Ok("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hook_that_cancels_fails_or_hangs_stops_the_answer_by_name() {
        for does in [Does::Cancel, Does::Fail, Does::Hang] {
            let why = ask(vec![does, Does::Add("never")]).await.unwrap_err();
            assert!(why.contains("hook censor"), "{why}");
        }
    }
}
