//! `session/request_permission`, the ways that real agents ask.
//! `https://agentclientprotocol.com/protocol/tool-calls#requesting-permission`.

use serde_json::{Value, json};

use super::{script::Question, turn::Turn};

/// Option ids say nothing: a client chooses by kind. The order is Claude's, the widest first.
const OPTIONS: [(&str, &str, &str); 4] = [
    ("opt-a", "Always allow", "allow_always"),
    ("opt-b", "Allow", "allow_once"),
    ("opt-c", "Reject", "reject_once"),
    ("opt-d", "Always reject", "reject_always"),
];

/// Asks, and says what was chosen: `allowed`, `allowed always`, `rejected`, `rejected always`, `cancelled`.
pub(crate) async fn ask(turn: &mut Turn, question: &Question) {
    let id = format!("call-{}-{}", turn.process.turns, turn.said.len());
    let call = if question.announced {
        announce(turn, question, &id).await
    } else {
        unannounced(question, &id)
    };
    let options = OPTIONS.map(|(id, name, kind)| json!({"optionId": id, "name": name, "kind": kind}));
    let params = json!({"sessionId": turn.session.id, "toolCall": call, "options": options});
    let answer = turn
        .process
        .client
        .request("session/request_permission", params)
        .await;
    match chosen(answer) {
        Ok(word) => {
            let status = if word.starts_with("allowed") {
                "completed"
            } else {
                "failed"
            };
            turn.update(json!({"sessionUpdate": "tool_call_update", "toolCallId": id, "status": status}))
                .await;
            turn.say(word).await;
        }
        Err(why) => turn.break_off(why),
    }
}

/// As Claude does: the updates name the tool, and what it is called with comes in the second; the request names neither.
async fn announce(turn: &Turn, question: &Question, id: &str) -> Value {
    let name = json!({"claudeCode": {"toolName": question.tool}});
    turn.update(json!({
        "sessionUpdate": "tool_call", "toolCallId": id, "_meta": name, "kind": question.kind,
        "title": question.title, "status": "pending", "rawInput": {}, "content": [],
    }))
    .await;
    turn.update(json!({
        "sessionUpdate": "tool_call_update", "toolCallId": id, "_meta": name, "kind": question.kind,
        "title": question.title, "rawInput": question.input,
    }))
    .await;
    json!({"toolCallId": id, "kind": question.kind, "title": question.title, "rawInput": question.input})
}

/// Nothing came before; the request has to say it all.
fn unannounced(question: &Question, id: &str) -> Value {
    let mut call = json!({
        "toolCallId": id, "kind": question.kind, "title": question.title, "status": "pending",
        "rawInput": question.input,
    });
    if let Some(tool) = &question.tool {
        call["_meta"] = json!({"claudeCode": {"toolName": tool}});
    }
    call
}

/// What an answer of the schema's shape means; the error says how it does not fit the question.
fn chosen(answer: Result<Value, Value>) -> Result<&'static str, String> {
    let answer = answer.map_err(|e| format!("a permission request was answered with an error: {e}"))?;
    let outcome = &answer["outcome"];
    if outcome["outcome"] == "cancelled" {
        return Ok("cancelled");
    }
    let option = OPTIONS.iter().find(|(id, _, _)| outcome["optionId"] == *id);
    match option.map(|(_, _, kind)| *kind) {
        Some("allow_once") => Ok("allowed"),
        Some("allow_always") => Ok("allowed always"),
        Some("reject_once") => Ok("rejected"),
        Some(_) => Ok("rejected always"),
        None => Err(format!("{} was no option", outcome["optionId"])),
    }
}
