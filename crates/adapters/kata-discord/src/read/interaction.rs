//! Slash commands and pressed buttons:
//! <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object>.

use std::time::Duration;

use kata_channel::{Inbound, Kind, Sender, SenderId, Text, Timestamp};
use serde_json::{Map, Value};

use super::{Reader, Scene, message::shown};
use crate::{
    rest::wire::{CommandOption, Interaction},
    snowflake,
};

/// What the `custom_id` of our buttons begins with; behind it the button's number and what it says. Nothing else that is pressed says
/// anything to us.
pub(crate) const CHOICE: &str = "kata_choice:";

const COMMAND: u64 = 2;
const COMPONENT: u64 = 3;

/// An interaction's token lives for fifteen minutes. One is kept back for the way and for clocks that differ.
const TOKEN_LIVES: Duration = Duration::from_secs(14 * 60);

/// When the command came in, in Unix milliseconds: what its token's age is counted from.
const RECEIVED_AT: &str = "receivedAt";
/// Under this name a secret address stands in metadata, and is blanked in time (D26).
const RESPONSE_URL: &str = "responseUrl";

/// A button was pressed, and no command given.
pub(crate) fn is_press(interaction: &Interaction) -> bool {
    interaction.kind == COMPONENT
}

/// A command or a press as a message; none = it is nothing to us. `base` is the API's root.
pub(crate) fn interaction(
    event: &Interaction,
    reader: &Reader<'_>,
    scene: Scene<'_>,
    base: &str,
    now: Timestamp,
) -> Option<Inbound> {
    let (nick, user) = match (&event.member, &event.user) {
        (Some(member), _) => (member.nick.as_deref(), member.user.as_ref()?),
        (None, Some(user)) => (None, user),
        (None, None) => return None,
    };
    let sender = Sender {
        id: SenderId::new(user.id.as_str()),
        name: Some(shown(nick, user)).filter(|name| !name.is_empty()),
        is_bot: user.bot,
        is_self: user.id == reader.me.user,
    };
    let order = snowflake::order(&event.id)?;
    let inbound = reader.inbound(&event.id, order, snowflake::time(&event.id)?, scene);
    let inbound = Inbound {
        sender,
        mentions_us: true,
        ..inbound
    };
    match event.kind {
        COMMAND => Some(command(event, reader, scene, base, now, inbound)),
        COMPONENT => press(event, inbound),
        _ => None,
    }
}

fn command(
    event: &Interaction,
    reader: &Reader<'_>,
    scene: Scene<'_>,
    base: &str,
    now: Timestamp,
    inbound: Inbound,
) -> Inbound {
    let name = format!("/{}", event.data.name);
    let mut words = Vec::new();
    spoken(&event.data.options, &mut words);
    let (text, _) = super::text::read(&words.join(" "), &[], reader, scene);
    let mut metadata = inbound.metadata;
    metadata.insert("command".into(), Value::from(name.as_str()));
    let url = format!("{base}/webhooks/{}/{}", event.application_id, event.token);
    metadata.insert(RESPONSE_URL.into(), Value::from(url));
    metadata.insert(RECEIVED_AT.into(), Value::from(now.as_millis()));
    Inbound {
        kind: Kind::Command { name },
        text,
        metadata,
        ..inbound
    }
}

/// What was typed behind a command: its options' values, in order.
fn spoken(options: &[CommandOption], into: &mut Vec<String>) {
    for option in options {
        match &option.value {
            Some(Value::String(text)) => into.push(text.clone()),
            Some(value) => into.push(value.to_string()),
            // A subcommand is a word of its own.
            None => into.push(option.name.clone()),
        }
        spoken(&option.options, into);
    }
}

/// A press says what the button says. Its token stays outside: nothing here uses it, and it is a credential.
fn press(event: &Interaction, inbound: Inbound) -> Option<Inbound> {
    let says = event.data.custom_id.strip_prefix(CHOICE)?;
    let (_, says) = says.split_once(':')?;
    Some(Inbound {
        kind: Kind::Press,
        text: Text::plain(says),
        ..inbound
    })
}

/// Where the command with this metadata is answered.
pub(crate) fn response_url(metadata: &Map<String, Value>) -> Option<&str> {
    metadata.get(RESPONSE_URL)?.as_str()
}

/// Until when it can be; none if it was no command.
pub(crate) fn response_url_until(metadata: &Map<String, Value>) -> Option<Timestamp> {
    metadata.get("command")?;
    let received = metadata.get(RECEIVED_AT)?.as_i64()?;
    Some(Timestamp::from_millis(received) + TOKEN_LIVES)
}

#[cfg(test)]
mod tests {
    use kata_channel::{ChannelKey, Place, settings::ReplyIn};
    use serde_json::json;

    use super::*;
    use crate::{account::Me, atlas::Atlas};

    fn read(event: Value) -> Option<Inbound> {
        let event: Interaction = serde_json::from_value(event).unwrap();
        let (atlas, key, place) = (
            Atlas::default(),
            ChannelKey::new("w", "a"),
            Place::conversation("2"),
        );
        let me = Me {
            user: "900".into(),
            name: "kata".into(),
            application: "901".into(),
        };
        let reader = Reader {
            channel: &key,
            reply_in: ReplyIn::Auto,
            me: &me,
            atlas: &atlas,
        };
        let scene = Scene {
            place: &place,
            guild: Some("1"),
        };
        interaction(
            &event,
            &reader,
            scene,
            "https://discord.com/api/v10",
            Timestamp::from_millis(5),
        )
    }

    /// <https://docs.discord.com/developers/interactions/application-commands#slash-commands-example-interaction>
    fn command_of(options: Value) -> Value {
        json!({
            "type": 2, "token": "A_UNIQUE_TOKEN", "id": "786008729715212338", "application_id": "901",
            "member": {"user": {"id": "53908232506183680", "username": "Mason"}, "roles": [], "nick": "M"},
            "guild_id": "290926798626357999", "channel_id": "645027906669510667",
            "data": {"id": "771825006014889984", "name": "kata", "options": options},
        })
    }

    #[test]
    fn a_command_comes_with_what_its_answer_needs() {
        let said = read(command_of(
            json!([{"name": "message", "type": 3, "value": "reset <@900>"}]),
        ))
        .unwrap();
        assert_eq!(said.kind, Kind::Command { name: "/kata".into() });
        assert_eq!(said.text.readable, "reset @kata");
        assert_eq!((said.sender.name.as_deref(), said.mentions_us), (Some("M"), true));
        assert_eq!(
            response_url(&said.metadata),
            Some("https://discord.com/api/v10/webhooks/901/A_UNIQUE_TOKEN")
        );
        let until = response_url_until(&said.metadata).unwrap();
        assert_eq!(until, Timestamp::from_millis(5) + TOKEN_LIVES);
    }

    #[test]
    fn a_subcommand_is_a_word_and_values_of_all_kinds_are_spoken() {
        let options = json!([{"name": "ask", "type": 1, "options": [
            {"name": "what", "type": 3, "value": "rain"}, {"name": "days", "type": 4, "value": 3},
        ]}]);
        assert_eq!(read(command_of(options)).unwrap().text.readable, "ask rain 3");
        assert_eq!(read(command_of(json!([]))).unwrap().text.readable, "");
    }

    #[test]
    fn only_a_choice_of_ours_is_a_press_and_its_token_stays_outside() {
        let pressed = |id: &str| {
            let mut event = command_of(json!([]));
            event["type"] = 3.into();
            event["data"] = json!({"custom_id": id, "component_type": 2});
            read(event)
        };
        let said = pressed("kata_choice:0:yes 7Q4").unwrap();
        assert_eq!((said.kind, &*said.text.readable), (Kind::Press, "yes 7Q4"));
        assert!(!said.metadata.values().any(|v| v.to_string().contains("TOKEN")));
        for other in ["survey:1", "kata_choice:", ""] {
            assert_eq!(pressed(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_typed_for_suggestions_is_no_command() {
        let mut event = command_of(json!([]));
        event["type"] = 4.into();
        assert_eq!(read(event), None);
    }
}
