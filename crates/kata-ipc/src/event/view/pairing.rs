//! Who was let in, and who asks to be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An item of `query` `pairings`. The code is not in it: the sender has it, and tells it to whoever lets it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairingView {
    /// Names it in `unpair_sender`.
    pub pairing_id: i64,
    /// The channel's workspace.
    pub workspace_id: String,
    /// The channel's slug.
    pub channel_id: String,
    /// The platform's id of the sender.
    pub sender: String,
    /// The sender's name as the platform showed it. Untrusted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it stands.
    pub state: PairingState,
    /// When the sender was given its code.
    pub asked_at: String,
    /// When the code is void; only while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When the sender was let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paired_at: Option<String>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paired_by: Option<String>,
}

/// Where a pairing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairingState {
    /// The sender has a code that is good.
    Asked,
    /// The sender is heard.
    Paired,
    /// The code came to nothing.
    Expired,
    /// It was taken back.
    Revoked,
}
