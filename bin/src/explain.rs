//! `katad explain`: every step of one message, read from the file, also while the daemon runs.

use kata_store::{Explanation, Listed};
use serde_json::{Value, json};

use crate::{exit::Exit, home::Home, open::sentence, query::iso, status, terminal};

/// Prints what happened to a message, named by its row or by the platform's id.
pub(crate) fn run(message: &str, as_json: bool) -> Exit {
    let home = match Home::from_env() {
        Ok(home) => home,
        Err(why) => return terminal::fail(why, Exit::BadConfig),
    };
    let found = status::open(&home).and_then(|view| view.explain(message).map_err(|e| sentence(&e)));
    match found {
        Err(why) => terminal::fail(why, Exit::TryLater),
        Ok(found) if found.is_empty() => terminal::fail(
            format_args!(
                "no message {message:?}: name a row id, or the platform's own id; `katad status` shows what there is"
            ),
            Exit::BadConfig,
        ),
        Ok(found) if as_json => terminal::json(&found.iter().map(as_value).collect::<Vec<_>>()),
        Ok(found) => terminal::say(found.iter().map(text).collect::<Vec<_>>().join("\n\n")),
    }
}

fn text(explained: &Explanation) -> String {
    let message = &explained.message;
    let mut lines = vec![heading("Message", message)];
    lines.extend(explained.answer.as_ref().map(|answer| heading("Answer ", answer)));
    for step in &explained.steps {
        let detail = step
            .detail
            .as_deref()
            .map(|d| format!("  ({d})"))
            .unwrap_or_default();
        lines.push(format!("  {}  {}{detail}", iso(step.at), step.what));
    }
    lines.join("\n")
}

fn heading(what: &str, row: &Listed) -> String {
    let place = [row.conversation.as_deref(), row.thread.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("/");
    let outcome = row
        .outcome
        .as_deref()
        .map(|o| format!(", {o}"))
        .unwrap_or_default();
    let error = row
        .error
        .as_deref()
        .map(|e| format!("\n         last error: {e}"))
        .unwrap_or_default();
    let text: String = row
        .content
        .chars()
        .take(60)
        .collect::<String>()
        .replace('\n', " ");
    format!(
        "{what} {} in {} {place}: {}{outcome}\n         {text:?}{error}",
        row.id, row.slug, row.status
    )
}

fn as_value(explained: &Explanation) -> Value {
    let row = |r: &Listed| {
        json!({
            "messageId": r.id, "slug": r.slug, "workspaceId": r.workspace, "conversation": r.conversation,
            "thread": r.thread, "platformId": r.platform_id, "sessionKey": r.session_key, "status": r.status,
            "outcome": r.outcome, "error": r.error, "attempts": r.attempts,
        })
    };
    let steps: Vec<_> = explained
        .steps
        .iter()
        .map(|s| json!({"at": iso(s.at), "what": s.what, "detail": s.detail}))
        .collect();
    json!({"message": row(&explained.message), "answer": explained.answer.as_ref().map(row), "steps": steps})
}
