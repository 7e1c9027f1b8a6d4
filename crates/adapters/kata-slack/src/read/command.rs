//! Slash commands: <https://docs.slack.dev/interactivity/implementing-slash-commands>.

use std::time::Duration;

use kata_channel::{Inbound, Kind, OrderKey, Place, Sender, SenderId, Timestamp};
use serde_json::{Map, Value};
use slack_morphism::events::SlackCommandEvent;

use super::{Reader, Scene};

/// A `response_url` takes five messages within thirty minutes
/// (<https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>). A minute is kept back for
/// the way and for clocks that differ.
const RESPONSE_URL_LIVES: Duration = Duration::from_secs(29 * 60);

/// When the command came in, in Unix milliseconds: what its `response_url`'s age is counted from.
const RECEIVED_AT: &str = "receivedAt";

/// A slash command as a message. Its id is the trigger's, which a redelivery repeats (D2).
pub(crate) fn command(event: &SlackCommandEvent, reader: &Reader<'_>, now: Timestamp) -> Inbound {
    let conversation = &*event.channel_id.0;
    let scene = Scene {
        conversation,
        team: &event.team_id.0,
        mention: true,
    };
    let order = OrderKey(now.as_millis().saturating_mul(1_000));
    let inbound = reader.inbound(
        Place::conversation(conversation),
        &event.trigger_id.0,
        order,
        now,
        scene,
    );
    let (text, _) = reader.read_text(event.text.as_deref().unwrap_or_default());
    let user = &*event.user_id.0;
    let mut metadata = inbound.metadata;
    metadata.insert("command".into(), Value::from(event.command.0.as_str()));
    metadata.insert("triggerId".into(), Value::from(event.trigger_id.0.as_str()));
    metadata.insert("responseUrl".into(), Value::from(event.response_url.0.as_str()));
    metadata.insert(RECEIVED_AT.into(), Value::from(now.as_millis()));
    Inbound {
        kind: Kind::Command {
            name: event.command.0.clone(),
        },
        sender: Sender {
            id: SenderId::new(user),
            name: reader.names.get(user).cloned(),
            is_bot: false,
            is_self: user == reader.me.user,
        },
        text,
        mentions_us: true,
        is_direct: inbound.is_direct || event.channel_name.as_deref() == Some("directmessage"),
        metadata,
        ..inbound
    }
}

/// Until when the `response_url` of the command with this metadata can be used; none if it was no command.
pub(crate) fn response_url_until(metadata: &Map<String, Value>) -> Option<Timestamp> {
    metadata.get("command")?;
    let received = metadata.get(RECEIVED_AT)?.as_i64()?;
    Some(Timestamp::from_millis(received) + RESPONSE_URL_LIVES)
}
