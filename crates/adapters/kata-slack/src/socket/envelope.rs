//! What comes through the socket: <https://docs.slack.dev/apis/events-api/using-socket-mode#events>.

use serde::Deserialize;
use serde_json::value::RawValue;
use slack_morphism::events::SlackCommandEvent;
use tokio::time::Instant;

use super::interaction::pressed;
use crate::{
    read::Reaction,
    web::wire::{Message, Press},
};

/// A frame, read.
#[derive(Debug)]
pub(super) enum Frame {
    /// Events flow from now on.
    Hello,
    /// Slack is about to close the socket.
    Disconnect(Farewell),
    /// Something for a channel; acknowledged after its commit.
    Event(Box<Event>),
    /// Nothing for us: acknowledged at once, so that Slack does not send it again.
    Ignored(String),
    /// As `Ignored`, but because it could not be read. Slack would send it for ever, and it would never read better.
    Unreadable(Option<String>),
}

/// Why Slack closes a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// The host is being replaced, now or in seconds: a new socket is to be opened.
    Refresh,
    /// Socket Mode was switched off.
    Disabled,
    /// More than ten sockets of this app are open.
    TooMany,
}

/// Something that happened, and what is needed to find its channels and to acknowledge it.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) envelope: String,
    pub(super) received: Instant,
    pub(super) conversation: String,
    pub(super) origin: Origin,
    pub(super) what: What,
}

/// Whose installation of the app an event is for.
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// Workspaces: where it happened, and those that installed the app.
    pub(super) teams: Vec<String>,
    pub(super) enterprise: Option<String>,
}

/// What happened.
#[derive(Debug)]
pub(super) enum What {
    /// A message, its edit or its deletion.
    Message {
        /// Far larger than the others.
        message: Box<Message>,
        /// It came as `app_mention`.
        mention: bool,
    },
    /// A slash command.
    Command(SlackCommandEvent),
    /// A choice under a message of ours was pressed.
    Press(Press),
    /// Somebody reacted to a message.
    Reaction(Reaction),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", default)]
    kind: String,
    envelope_id: Option<String>,
    reason: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct EventsApi<'a> {
    team_id: Option<String>,
    enterprise_id: Option<String>,
    #[serde(default)]
    authorizations: Option<Vec<Authorization>>,
    #[serde(borrow)]
    event: &'a RawValue,
}

#[derive(Deserialize)]
struct Authorization {
    team_id: Option<String>,
    enterprise_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct EventType {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
}

/// Reads a frame that came in at `received`.
pub(super) fn read(text: &str, received: Instant) -> Frame {
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
        return Frame::Unreadable(None);
    };
    match (&*envelope.kind, envelope.envelope_id) {
        ("hello", _) => Frame::Hello,
        ("disconnect", _) => Frame::Disconnect(match envelope.reason.as_deref() {
            Some("link_disabled") => Farewell::Disabled,
            Some("too_many_websockets") => Farewell::TooMany,
            _ => Farewell::Refresh,
        }),
        (kind @ ("events_api" | "slash_commands" | "interactive"), Some(id)) => {
            let payload = envelope.payload.map_or("null", RawValue::get);
            let read = match kind {
                "events_api" => happened,
                "slash_commands" => commanded,
                _ => pressed,
            };
            match read(payload) {
                Ok(Some((conversation, origin, what))) => Frame::Event(Box::new(Event {
                    envelope: id,
                    received,
                    conversation,
                    origin,
                    what,
                })),
                Ok(None) => Frame::Ignored(id),
                Err(_) => Frame::Unreadable(Some(id)),
            }
        }
        // Types of tomorrow.
        (_, Some(id)) => Frame::Ignored(id),
        (_, None) => Frame::Unreadable(None),
    }
}

pub(super) type Read = serde_json::Result<Option<(String, Origin, What)>>;

fn happened(payload: &str) -> Read {
    let payload: EventsApi<'_> = serde_json::from_str(payload)?;
    let EventType { kind } = serde_json::from_str(payload.event.get())?;
    let Some((conversation, what)) = event(&kind, payload.event.get())? else {
        return Ok(None);
    };
    let authorizations = payload.authorizations.unwrap_or_default();
    let enterprise = payload
        .enterprise_id
        .or_else(|| authorizations.iter().find_map(|a| a.enterprise_id.clone()));
    let teams = payload
        .team_id
        .into_iter()
        .chain(authorizations.into_iter().filter_map(|a| a.team_id))
        .collect();
    Ok(Some((conversation, Origin { teams, enterprise }, what)))
}

/// What happened, and in which conversation.
fn event(kind: &str, text: &str) -> serde_json::Result<Option<(String, What)>> {
    let mention = match kind {
        "message" => false,
        "app_mention" => true,
        // One on what is no message reads as no reaction, and is nothing to us.
        "reaction_added" => {
            let reaction: Option<Reaction> = serde_json::from_str(text).ok();
            return Ok(reaction.map(|r| (r.conversation().to_owned(), What::Reaction(r))));
        }
        _ => return Ok(None),
    };
    let message: Box<Message> = serde_json::from_str(text)?;
    let conversation = message.channel.clone();
    Ok(conversation.map(|conversation| (conversation, What::Message { message, mention })))
}

fn commanded(payload: &str) -> Read {
    #[derive(Deserialize)]
    struct Enterprise {
        #[serde(default)]
        enterprise_id: Option<String>,
    }
    let command: SlackCommandEvent = serde_json::from_str(payload)?;
    let Enterprise {
        enterprise_id: enterprise,
    } = serde_json::from_str(payload)?;
    let origin = Origin {
        teams: vec![command.team_id.0.clone()],
        enterprise,
    };
    Ok(Some((
        command.channel_id.0.clone(),
        origin,
        What::Command(command),
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn frame(kind: &str, payload: &serde_json::Value) -> Frame {
        let frame = json!({ "type": kind, "envelope_id": "e1", "accepts_response_payload": false, "payload": payload });
        read(&frame.to_string(), Instant::now())
    }

    #[test]
    fn a_farewell_says_why() {
        for (reason, farewell) in [
            ("warning", Farewell::Refresh),
            ("refresh_requested", Farewell::Refresh),
            ("link_disabled", Farewell::Disabled),
            ("too_many_websockets", Farewell::TooMany),
            ("a_reason_of_tomorrow", Farewell::Refresh),
        ] {
            let text = json!({ "type": "disconnect", "reason": reason }).to_string();
            assert!(
                matches!(read(&text, Instant::now()), Frame::Disconnect(found) if found == farewell),
                "{reason}"
            );
        }
    }

    #[test]
    fn an_event_names_every_workspace_it_is_for() {
        let message = json!({ "type": "message", "channel": "C1", "ts": "1.000001" });
        let payload = json!({
            "team_id": "T1", "event": message,
            "authorizations": [{ "team_id": "T2", "enterprise_id": "E1", "is_bot": true }],
        });
        let Frame::Event(event) = frame("events_api", &payload) else {
            panic!("an event")
        };
        assert_eq!(event.origin.teams, ["T1", "T2"]);
        assert_eq!(
            (event.origin.enterprise.as_deref(), &*event.conversation),
            (Some("E1"), "C1")
        );
    }

    #[test]
    fn what_is_not_for_us_is_told_from_what_cannot_be_read() {
        assert!(matches!(
            frame("interactive", &json!({ "type": "block_actions" })),
            Frame::Ignored(_)
        ));
        let reaction = json!({ "event": { "type": "reaction_added", "user": { "id": "U1" } } });
        assert!(matches!(frame("events_api", &reaction), Frame::Ignored(_)));
        let odd = json!({ "event": { "type": "message", "channel": ["C1"] } });
        assert!(matches!(frame("events_api", &odd), Frame::Unreadable(Some(_))));
        assert!(matches!(
            frame("slash_commands", &json!({})),
            Frame::Unreadable(Some(_))
        ));
        assert!(matches!(read("no json", Instant::now()), Frame::Unreadable(None)));
    }

    proptest! {
        #[test]
        fn no_frame_is_too_odd_to_read(text in "[\\{\\}\\[\\]\":,a-z0-9 ]{0,80}") {
            let _ = read(&text, Instant::now());
        }
    }
}
