//! Pressed buttons: <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>.

use kata_channel::{Inbound, Kind, OrderKey, Place, Sender, SenderId, Text, Timestamp};

use super::{Reader, Scene};
use crate::{ts, web::wire::Press};

/// What the `action_id` of our choices begins with. Nothing else that is pressed says anything to us.
pub(crate) const CHOICE: &str = "kata_choice_";

/// A press as a message, which says what the button says. Its place is where the button stands. The `response_url` and the
/// `trigger_id` stay outside: nothing here uses them, and each is a credential.
pub(crate) fn press(press: &Press, reader: &Reader<'_>, now: Timestamp) -> Inbound {
    let scene = Scene {
        conversation: &press.conversation,
        team: press.team.as_deref().unwrap_or(&reader.me.team),
        mention: true,
    };
    // A thread's first message carries its own `ts`; it stands in the conversation.
    let thread = press
        .thread
        .as_deref()
        .filter(|thread| !thread.is_empty() && *thread != press.message);
    let place = match thread {
        Some(thread) => Place::thread(&*press.conversation, thread),
        None => Place::conversation(&*press.conversation),
    };
    let sent_at = ts::time(&press.at).unwrap_or(now);
    let order = ts::order(&press.at).unwrap_or(OrderKey(now.as_millis().saturating_mul(1_000)));
    // One person's one press of one button; the next press has a time of its own (D2).
    let id = format!("{}:{}:{}", press.at, press.user, press.action);
    let inbound = reader.inbound(place, &id, order, sent_at, scene);
    Inbound {
        kind: Kind::Press,
        sender: Sender {
            id: SenderId::new(&*press.user),
            name: reader.names.get(&press.user).cloned(),
            is_bot: false,
            is_self: press.user == reader.me.user,
        },
        text: Text::plain(&*press.says),
        mentions_us: true,
        is_direct: inbound.is_direct || press.is_direct,
        ..inbound
    }
}
