//! Messages for tests.

use serde_json::Map;

use crate::{
    id::{ChannelKey, Place},
    inbound::{Disposition, Inbound, Kind, OrderKey, Role, Sender, Text},
    time::Timestamp,
};

/// A person's message in the channel `C1`.
pub(crate) fn message(text: &str) -> Inbound {
    Inbound {
        channel: ChannelKey::new("ws", "slack"),
        place: Place::conversation("C1"),
        id: "1".into(),
        order: OrderKey(1),
        kind: Kind::Message,
        sender: sender("U1"),
        text: Text::plain(text),
        mentions_us: false,
        is_direct: false,
        sent_at: Timestamp::from_millis(1_000_000_000_000),
        attachments: Vec::new(),
        metadata: Map::new(),
        role: Role::Stranger,
        disposition: Disposition::Turn,
        not_before: None,
    }
}

/// A person.
pub(crate) fn sender(id: &str) -> Sender {
    Sender {
        id: id.into(),
        name: None,
        is_bot: false,
        is_self: false,
    }
}

/// A slash command with what follows it.
pub(crate) fn command(name: &str, text: &str) -> Inbound {
    Inbound {
        kind: Kind::Command { name: name.into() },
        ..message(text)
    }
}
