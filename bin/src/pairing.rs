//! Letting strangers in: who is let in is in the store, and here, where each ingress stack looks without waiting.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use kata_channel::{
    Consumed, Inbound, Timestamp,
    ingress::{Addressed, Door, Paired, Trigger},
    settings,
};
use kata_ipc::event::{PairingRequested, view};
use kata_store::{
    ChannelId, Pairing, PairingCode, PairingEffect, PairingOutcome, PairingState, Store, StoreError,
};

use crate::{
    commands::Refused,
    daemon::{Channel, Daemon},
    query::iso,
    replies,
};

/// Who is let in, by channel. What changes it goes through the store first.
#[derive(Debug, Default)]
pub(crate) struct Pairings {
    paired: Mutex<HashMap<ChannelId, Paired>>,
    /// Held over a change in the store and the same change here: a sender who is put out must not be let in by the earlier of two
    /// changes that ends later.
    changing: tokio::sync::Mutex<()>,
}

// === impl Pairings ===

impl Pairings {
    /// Those let in in a channel, shared with its ingress stack.
    fn of(&self, channel: ChannelId) -> Paired {
        let mut paired = self.paired.lock().unwrap_or_else(PoisonError::into_inner);
        paired.entry(channel).or_default().clone()
    }

    /// Makes known whom the store knows. Before anything comes in by this channel.
    pub(crate) async fn recall(&self, store: &Store, channel: ChannelId) -> Result<(), StoreError> {
        let senders = store.paired(channel).await?;
        self.of(channel)
            .replace(senders.iter().map(|sender| sender.as_str().into()));
        Ok(())
    }

    /// What a channel has for strangers. Where no notice may be written (mail), no code is.
    pub(crate) fn door(&self, channel: &Channel, trigger: &Trigger) -> Door {
        let paired = self.of(channel.id);
        let spec = &channel.spec;
        match spec.settings.pairing {
            settings::Pairing::Code if channel.adapter.descriptor().notices => {
                Door::with_codes(paired, Addressed::new(&spec.filter), trigger.clone())
            }
            settings::Pairing::Code | settings::Pairing::Off => Door::closed(paired),
        }
    }
}

/// What a message that asks to be let in does in the store ([`Consumed::Pairing`]).
pub(crate) fn effect(asked: &Inbound) -> PairingEffect {
    debug_assert_eq!(
        asked.disposition,
        kata_channel::Disposition::Consumed(Consumed::Pairing)
    );
    PairingEffect {
        name: asked.sender.name.clone(),
        tell: Box::new(replies::pairing_code),
    }
}

/// Somebody was given a code: whoever may let it in is told.
pub(crate) async fn requested(daemon: &Daemon, asked: &Pairing) {
    tracing::info!(channel = %asked.slug, "a stranger was given a pairing code");
    let event = PairingRequested {
        channel_id: asked.slug.clone(),
        workspace_id: asked.workspace.clone(),
        sender: asked.sender.clone(),
        code: asked.code.clone(),
        expires_at: Timestamp::from_millis(asked.expires_at.0).to_iso(),
    };
    daemon.events.send(event).await;
}

/// Lets the sender in whose code it is; in force when this returns.
pub(crate) async fn pair(daemon: &Daemon, code: PairingCode) -> Result<view::PairingView, Refused> {
    let _alone = daemon.pairings.changing.lock().await;
    let paired = confirmed(daemon.store.pair(code).await?)?;
    daemon
        .pairings
        .of(paired.channel)
        .add(paired.sender.as_str().into());
    Ok(shown(paired, daemon.clock.wall()))
}

/// Makes a paired sender a stranger again, or takes a code back; in force when this returns.
pub(crate) async fn unpair(daemon: &Daemon, id: i64, by: &str) -> Result<view::PairingView, Refused> {
    let _alone = daemon.pairings.changing.lock().await;
    let revoked = daemon.store.unpair(id, by).await?.ok_or_else(|| over(id))?;
    daemon
        .pairings
        .of(revoked.channel)
        .remove(&revoked.sender.as_str().into());
    Ok(shown(revoked, daemon.clock.wall()))
}

/// What somebody confirms, whichever way it came.
pub(crate) fn code(code: String, channel: Option<(String, String)>, by: &str) -> PairingCode {
    PairingCode {
        code,
        channel,
        by: by.to_owned(),
        tell: Box::new(replies::paired),
    }
}

/// A sentence for each way in which a code comes to nothing.
pub(crate) fn confirmed(outcome: PairingOutcome) -> Result<Pairing, Refused> {
    match outcome {
        PairingOutcome::Paired(paired) => Ok(paired),
        PairingOutcome::Unknown => Err(Refused::not_found(
            "nobody has this pairing code; compare it with what the sender was told",
        )),
        PairingOutcome::Expired(void) => Err(Refused::new(
            "expired",
            format!(
                "this pairing code of {} is void since {}; the sender gets another by writing again",
                void.sender,
                iso(void.expires_at)
            ),
        )),
        PairingOutcome::Locked(until) => Err(Refused::new(
            "locked",
            format!(
                "too many pairing codes were wrong; none is heard before {}",
                iso(until)
            ),
        )),
    }
}

/// There is nothing to take back.
pub(crate) fn over(id: i64) -> Refused {
    Refused::not_found(format!(
        "there is no pairing {id} in force; `katad pair` lists those that are"
    ))
}

/// A pairing as the wire and the command line have it.
pub(crate) fn shown(pairing: Pairing, now: Timestamp) -> view::PairingView {
    let is_void = pairing.expires_at.0 <= now.as_millis();
    let state = match pairing.state {
        PairingState::Asked if is_void => view::PairingState::Expired,
        PairingState::Asked => view::PairingState::Asked,
        PairingState::Paired => view::PairingState::Paired,
        PairingState::Expired => view::PairingState::Expired,
        PairingState::Revoked => view::PairingState::Revoked,
    };
    view::PairingView {
        pairing_id: pairing.id,
        workspace_id: pairing.workspace,
        channel_id: pairing.slug,
        sender: pairing.sender,
        name: pairing.name,
        state,
        asked_at: iso(pairing.asked_at),
        expires_at: (state == view::PairingState::Asked).then(|| iso(pairing.expires_at)),
        paired_at: pairing.paired_at.map(iso),
        paired_by: pairing.paired_by,
    }
}

/// Holds the door for as long as the store cannot say who is let in: a paired sender must not be taken for a stranger.
pub(crate) async fn recall(daemon: &Arc<Daemon>, channel: &Channel) {
    const AGAIN: std::time::Duration = std::time::Duration::from_secs(2);
    while let Err(error) = daemon.pairings.recall(&daemon.store, channel.id).await {
        if matches!(error, StoreError::Closed) {
            return;
        }
        daemon.store_failed("looking for paired senders", &error);
        tokio::time::sleep(AGAIN).await;
    }
}
