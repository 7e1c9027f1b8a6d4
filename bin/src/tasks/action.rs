//! What a task does, between the wire's form, which is also 0.7's in the database, and a run.

use kata_ipc::command::TaskAction;
use kata_store::{FireWhat, Task, TaskTurn};
use serde::Deserialize;
use serde_json::{Value, json};

/// In the form that 0.7 stores.
pub(super) fn stored(action: &TaskAction) -> Value {
    match action {
        TaskAction::SendMessage {
            workspace_id,
            session_key,
            message,
        } => json!({
            "type": "send_message", "workspaceId": workspace_id, "sessionKey": session_key, "message": message,
        }),
        TaskAction::PluginAction {
            plugin_id,
            action,
            payload: None,
        } => json!({"type": "plugin_action", "pluginId": plugin_id, "action": action}),
        TaskAction::PluginAction {
            plugin_id,
            action,
            payload,
        } => json!({"type": "plugin_action", "pluginId": plugin_id, "action": action, "payload": payload}),
    }
}

/// What a stored task does; else why it cannot.
pub(super) fn of(task: &Task) -> Result<TaskAction, String> {
    TaskAction::deserialize(&task.action).map_err(|_| {
        "its action is neither send_message nor plugin_action; cancel the task and make it anew".to_owned()
    })
}

/// What a run of it is for the store.
pub(super) fn run_of(action: &TaskAction) -> FireWhat {
    match action {
        TaskAction::PluginAction { .. } => FireWhat::Action,
        TaskAction::SendMessage {
            workspace_id,
            session_key,
            message,
        } => FireWhat::Turn(TaskTurn {
            workspace: workspace_id.clone(),
            slug: slug(session_key).to_owned(),
            session_key: session_key.clone(),
            message: message.clone(),
            prompt: message.clone(),
        }),
    }
}

/// The channel's folder name in a session key, `daemon-{slug}-{hash}`. Another key has no channel in it; its turns go by
/// a name that no folder of a channel has.
fn slug(session_key: &str) -> &str {
    session_key
        .strip_prefix("daemon-")
        .and_then(|rest| rest.rsplit_once('-'))
        .map(|(slug, _)| slug)
        .filter(|slug| !slug.is_empty())
        .unwrap_or("_tasks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slug_is_what_stands_in_the_key() {
        for (key, expect) in [
            ("daemon-team-0123456789ab", "team"),
            ("daemon-my-team-0123456789ab", "my-team"),
            ("daemon--0123456789ab", "_tasks"),
            ("250101-brave-otter", "_tasks"),
            ("", "_tasks"),
        ] {
            assert_eq!(slug(key), expect, "{key}");
        }
    }

    #[test]
    fn an_action_is_stored_as_the_earlier_daemon_stores_it() {
        for text in [
            r#"{"type":"send_message","workspaceId":"w","sessionKey":"daemon-team-0123456789ab","message":"hi"}"#,
            r#"{"type":"plugin_action","pluginId":"kata-slack","action":"ping"}"#,
            r#"{"type":"plugin_action","pluginId":"kata-slack","action":"ping","payload":{"n":1}}"#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(stored(&TaskAction::deserialize(&value).unwrap()), value);
        }
    }
}
