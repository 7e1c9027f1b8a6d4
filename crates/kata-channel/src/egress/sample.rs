//! What the layers' tests send, and how they read an answer.

use serde_json::Map;

use crate::{
    error::{ChannelError, Error, SendError, cause_ref},
    id::{ChannelKey, MessageId, Place},
    outbound::{IdempotencyKey, Outbound, Receipt},
    time::Timestamp,
};

pub(super) fn out(conversation: &str) -> Outbound {
    Outbound {
        channel: ChannelKey::new("w1", "team"),
        place: Place::conversation(conversation),
        reply_to: None,
        text: "hello".into(),
        key: IdempotencyKey("k1".into()),
        part: 1,
        of: 1,
        metadata: Map::new(),
        choices: Vec::new(),
        created_at: Timestamp::from_millis(0),
    }
}

pub(super) fn receipt() -> Receipt {
    Receipt {
        id: Some(MessageId::new("m1")),
    }
}

pub(super) fn rate_limited(retry_after: Option<std::time::Duration>) -> Error {
    SendError::none(ChannelError::RateLimited {
        what: "chat.postMessage".into(),
        retry_after,
    })
    .into()
}

pub(super) fn failed(error: &Error) -> &SendError {
    cause_ref(&**error).expect("a send fails with a SendError")
}
