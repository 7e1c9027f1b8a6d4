//! Where a task's turn comes from: an agent that made a task was itself asked by somebody, and what they brought along is in
//! everything that the task does.

use kata_store::{ClaimedTurn, Creator};
use serde_json::{Value, json};

use crate::{daemon::Daemon, gate::Standing};

/// Adds to a task's turn what the turn was made from in which the task was made.
pub(crate) async fn inherit(daemon: &Daemon, turn: &ClaimedTurn, standing: &mut Standing) {
    let is_tasks = |row: &kata_store::ClaimedRow| row.metadata.contains_key("taskId");
    if !turn.rows.iter().any(is_tasks) {
        return;
    }
    let by = match daemon.store.fired_by(turn.id).await {
        Ok(Some(by)) => by,
        Ok(None) => return,
        // The turn's rights stand in its row; what is missing is where it comes from.
        Err(error) => return tracing::warn!(turn = turn.id, %error, "a task's creator cannot be looked up"),
    };
    standing.requester = format!("scheduled task {}", by.task);
    if let Creator::Agent {
        origin: Some(origin), ..
    } = by.creator
    {
        if let Some(who) = senders(&origin) {
            standing.requester = format!("scheduled task {}, made for {who}", by.task);
        }
        standing.origin = with(&standing.origin, by.task, &origin);
    }
}

/// What a task is made from that is made in a turn with this origin: of a turn that is a task's, what that one was made
/// from, so that tasks which make tasks carry no growing tail.
pub(super) fn of_a_task_made_in(origin: &Value) -> Value {
    let entries: Vec<&Value> = origin.as_array().into_iter().flatten().collect();
    let inherited: Vec<&Value> = entries
        .iter()
        .copied()
        .filter(|e| e.get("task").is_some())
        .collect();
    let kept = if inherited.is_empty() { entries } else { inherited };
    kept.into_iter()
        .map(|entry| {
            let mut entry = entry.clone();
            if let Value::Object(fields) = &mut entry {
                fields.remove("task");
            }
            entry
        })
        .collect()
}

/// The turn's own origin, and behind it what its task inherited, by the task's number.
fn with(own: &Value, task: i64, inherited: &Value) -> Value {
    let own = own.as_array().into_iter().flatten().cloned();
    let inherited = inherited.as_array().into_iter().flatten().map(|entry| {
        let mut entry = entry.clone();
        if let Value::Object(fields) = &mut entry {
            fields.insert("task".to_owned(), json!(task));
        }
        entry
    });
    own.chain(inherited).collect()
}

/// Who was behind it, each once.
fn senders(origin: &Value) -> Option<String> {
    let mut people: Vec<&str> = Vec::new();
    for entry in origin.as_array().into_iter().flatten() {
        if let Some(sender) = entry.get("sender").and_then(Value::as_str)
            && !people.contains(&sender)
        {
            people.push(sender);
        }
    }
    (!people.is_empty()).then(|| people.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_makes_tasks_hands_on_what_it_was_made_from_and_no_more() {
        let asked = json!([{"row": 1, "message": "1.1", "sender": "U2", "role": "member"}]);
        let first = of_a_task_made_in(&asked);
        assert_eq!(first, asked);
        let own = json!([{"row": 7, "message": "task:5:1", "sender": "task:5", "role": "member"}]);
        let its_turn = with(&own, 5, &first);
        assert_eq!(
            its_turn,
            json!([
                {"row": 7, "message": "task:5:1", "sender": "task:5", "role": "member"},
                {"row": 1, "message": "1.1", "sender": "U2", "role": "member", "task": 5}
            ])
        );
        assert_eq!(of_a_task_made_in(&its_turn), asked);
        assert_eq!(senders(&first).as_deref(), Some("U2"));
    }
}
