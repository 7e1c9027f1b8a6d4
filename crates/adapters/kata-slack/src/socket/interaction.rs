//! Interactive envelopes: of all that Slack calls an interaction, the press of a button of ours.
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>

use serde::Deserialize;

use super::envelope::{EventType, Origin, Read, What};
use crate::{read::CHOICE, web::wire::Press};

#[derive(Deserialize)]
struct BlockActions {
    /// The workspace that installed the app; none where an organisation did.
    team: Option<Named>,
    enterprise: Option<Named>,
    user: Option<Named>,
    channel: Option<Named>,
    container: Option<Container>,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Container {
    message_ts: Option<String>,
    thread_ts: Option<String>,
}

#[derive(Deserialize)]
struct Action {
    #[serde(default)]
    action_id: String,
    value: Option<String>,
    #[serde(default)]
    action_ts: String,
}

/// Reads the payload of an interactive envelope; none = it is no press of a choice of ours.
pub(super) fn pressed(payload: &str) -> Read {
    let EventType { kind } = serde_json::from_str(payload)?;
    if kind != "block_actions" {
        return Ok(None);
    }
    let payload: BlockActions = serde_json::from_str(payload)?;
    Ok(choice(payload))
}

fn choice(payload: BlockActions) -> Option<(String, Origin, What)> {
    let BlockActions {
        team,
        enterprise,
        user,
        channel,
        container,
        actions,
    } = payload;
    let action = actions
        .into_iter()
        .find(|action| action.action_id.starts_with(CHOICE))?;
    // What stands in a modal or on a home tab is in no conversation, and not ours.
    let (channel, container) = (channel?, container?);
    let team = team.map(|team| team.id);
    let press = Press {
        conversation: channel.id.clone(),
        is_direct: channel.name.as_deref() == Some("directmessage"),
        team: team.clone(),
        message: container.message_ts?,
        thread: container.thread_ts,
        user: user?.id,
        action: action.action_id,
        says: action.value?,
        at: action.action_ts,
    };
    let origin = Origin {
        teams: team.into_iter().collect(),
        enterprise: enterprise.map(|enterprise| enterprise.id),
    };
    Some((channel.id, origin, What::Press(press)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn payload() -> Value {
        json!({
            "type": "block_actions", "team": {"id": "T1", "domain": "t"}, "enterprise": null,
            "user": {"id": "U1", "username": "ada"}, "channel": {"id": "C1", "name": "general"},
            "container": {"type": "message", "message_ts": "1.000001", "channel_id": "C1"},
            "trigger_id": "1.2.3", "response_url": "https://hooks.slack.com/actions/secret",
            "actions": [{"type": "button", "action_id": "kata_choice_0", "value": "yes 7Q4", "action_ts": "2.000002"}],
        })
    }

    fn is_a_press(payload: &Value) -> bool {
        pressed(&payload.to_string()).unwrap().is_some()
    }

    #[test]
    fn only_a_choice_of_ours_in_a_message_is_a_press() {
        assert!(is_a_press(&payload()));
        for (pointer, other) in [
            ("/type", json!("view_submission")),
            ("/actions/0/action_id", json!("approve")),
            ("/actions/0/value", json!(null)),
            ("/actions", json!([])),
            ("/channel", json!(null)),
            ("/container", json!({"type": "view", "view_id": "V1"})),
            ("/user", json!(null)),
        ] {
            let mut odd = payload();
            *odd.pointer_mut(pointer).unwrap() = other;
            assert!(!is_a_press(&odd), "{pointer}");
        }
    }

    #[test]
    fn a_press_names_the_installation_it_is_for() {
        let mut payload = payload();
        payload["enterprise"] = json!({"id": "E1", "name": "e"});
        let (conversation, origin, _) = pressed(&payload.to_string()).unwrap().unwrap();
        assert_eq!(conversation, "C1");
        assert_eq!(
            (&*origin.teams, origin.enterprise.as_deref()),
            (&["T1".to_owned()][..], Some("E1"))
        );
    }
}
