//! From the end of a prompt to what is said about it.

use agent_client_protocol::{
    Error, ErrorCode,
    v1::schema::{PromptResponse, StopReason},
};
use serde_json::Value;

use crate::{AgentError, Reply};

/// The longest part of an agent's own words in an error, in characters.
const MAX_WORDS: usize = 300;

/// What came before the end.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) text: String,
    /// Why a tool call was refused.
    pub(super) refusal: Option<String>,
}

/// The reply of a turn that the agent ended itself. What was said counts, however it ended; nothing at all is an answer
/// at a regular end alone.
pub(super) fn read(program: &str, response: Value, said: Said) -> Result<Reply, AgentError> {
    let usage = response.get("usage").filter(|usage| !usage.is_null()).cloned();
    let stopped = serde_json::from_value(response).map(|response: PromptResponse| response.stop_reason);
    let text = said.text.trim_end().to_owned();
    match stopped {
        Ok(StopReason::EndTurn) => {}
        _ if !text.is_empty() => {}
        stopped => {
            return Err(AgentError::Failed(format!(
                "{program} {}",
                why(stopped.ok(), said.refusal)
            )));
        }
    }
    Ok(Reply {
        text,
        usage,
        sent: false,
    })
}

/// Some agents end their turn as cancelled when a call is refused, though nobody cancelled it. That is no reason to try
/// again for ever, so it counts as a failure.
fn why(stopped: Option<StopReason>, refusal: Option<String>) -> String {
    let plain = match stopped {
        Some(StopReason::Refusal) => "refused to go on with this prompt",
        Some(StopReason::MaxTokens) => "ran into its limit of tokens before it said anything",
        Some(StopReason::MaxTurnRequests) => "ran into its limit of requests before it said anything",
        Some(StopReason::Cancelled) => match refusal {
            Some(reason) => {
                return format!("ended its turn when a tool call was refused: {}", short(&reason));
            }
            None => "ended its turn as cancelled, though nobody cancelled it",
        },
        _ => "ended its turn for a reason that is none of the protocol",
    };
    plain.to_owned()
}

/// What an error of the agent's means for the turn.
pub(super) fn error(program: &str, error: &Error, logins: &[String]) -> AgentError {
    AgentError::Failed(if is_auth(error) {
        let ways = match logins {
            [] => String::new(),
            ways => format!(" ({})", short(&ways.join(", "))),
        };
        format!(
            "{program} is not logged in: log in with its own command in a terminal, as the user that katad runs as{ways}"
        )
    } else {
        // Some agents say `Internal error`, and what it is beside it.
        let detail = error.data.as_ref().and_then(|data| {
            data.as_str()
                .or_else(|| data.get("message")?.as_str())
                .or_else(|| data.get("details")?.as_str())
        });
        let detail = detail
            .map(|detail| format!(": {}", short(detail)))
            .unwrap_or_default();
        format!(
            "{program} answered with an error: {}{detail}",
            short(&error.message)
        )
    })
}

/// The agent wants its user to log in.
pub(super) fn is_auth(error: &Error) -> bool {
    error.code == ErrorCode::AUTH_REQUIRED
}

fn short(words: &str) -> String {
    words
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_WORDS)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(text: &str) -> Said {
        Said {
            text: text.into(),
            refusal: None,
        }
    }

    #[test]
    fn what_was_said_is_the_answer_however_it_ended() {
        for reason in [
            "end_turn",
            "max_tokens",
            "max_turn_requests",
            "refusal",
            "cancelled",
            "news",
        ] {
            let reply = read("agent", json!({ "stopReason": reason }), said("so far\n")).unwrap();
            assert_eq!(reply.text, "so far", "{reason}");
        }
    }

    #[test]
    fn nothing_is_an_answer_at_a_regular_end_alone() {
        assert_eq!(
            read("agent", json!({"stopReason": "end_turn"}), said("")),
            Ok(Reply::default())
        );
        for reason in ["max_tokens", "max_turn_requests", "refusal", "cancelled", "news"] {
            let failed = read("agent", json!({ "stopReason": reason }), said("\n")).unwrap_err();
            assert!(failed.is_counted(), "{reason}");
        }
    }

    #[test]
    fn a_turn_that_ended_with_a_refused_call_says_so() {
        let said = Said {
            text: String::new(),
            refusal: Some("Bash is not allowed".into()),
        };
        assert_eq!(
            read("agent", json!({"stopReason": "cancelled"}), said),
            Err(AgentError::Failed(
                "agent ended its turn when a tool call was refused: Bash is not allowed".into()
            ))
        );
    }

    #[test]
    fn what_was_used_is_told_in_the_agents_words() {
        let response = json!({"stopReason": "end_turn", "usage": {"inputTokens": 10}});
        assert_eq!(
            read("agent", response, said("")).unwrap().usage,
            Some(json!({"inputTokens": 10}))
        );
    }

    #[test]
    fn an_agent_that_wants_a_login_names_its_own() {
        let error = error(
            "agent",
            &Error::new(-32000, "Authentication required"),
            &["Log in with X".into()],
        );
        let AgentError::Failed(text) = error else { panic!() };
        assert!(
            text.starts_with("agent is not logged in") && text.contains("(Log in with X)"),
            "{text}"
        );
    }

    #[test]
    fn an_agents_own_words_are_short() {
        let e = Error::new(-32603, "Internal error").data(json!({"details": "x".repeat(10_000)}));
        assert!(error("agent", &e, &[]).to_string().len() < 400);
    }
}
