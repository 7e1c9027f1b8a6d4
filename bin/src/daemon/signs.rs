//! Signs of life under a message while its turn runs (D23). Pleasant, never necessary: nothing waits for them.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use kata_channel::{MessageId, Place, Sign as Put};
use kata_store::ClaimedTurn;
use tokio_util::sync::CancellationToken;

use super::{Daemon, channel::Channel};

/// A turn that is over sooner needs none, and costs the platform no call.
const SOON: Duration = Duration::from_millis(800);

/// The sign of one turn.
#[derive(Debug)]
pub(crate) struct Sign {
    over: CancellationToken,
}

// === impl Sign ===

impl Sign {
    /// Puts a sign on the turn's newest message, if the turn is still running in a while.
    pub(crate) fn after_a_while(daemon: &Arc<Daemon>, channel: &Arc<Channel>, turn: &ClaimedTurn) -> Self {
        let over = CancellationToken::new();
        if let Some((row, sign)) = sign_for(channel, turn) {
            let (daemon, channel, over) = (Arc::clone(daemon), Arc::clone(channel), over.clone());
            daemon
                .tasks
                .clone()
                .spawn(async move { show(&daemon, &channel, row, sign, over).await });
        }
        Self { over }
    }

    /// The turn is over.
    pub(crate) async fn take_off(self) {
        self.over.cancel();
    }
}

fn sign_for(channel: &Channel, turn: &ClaimedTurn) -> Option<(i64, Put)> {
    if !channel.spec.settings.signs {
        return None;
    }
    // Under a task's turn stands no message of the platform.
    let row = turn
        .rows
        .last()
        .filter(|row| !row.metadata.contains_key("taskId"))?;
    let place = Place {
        conversation: turn.conversation.as_str().into(),
        thread: turn.thread.as_deref().map(Into::into),
    };
    let message = MessageId::from(row.platform_id.as_deref()?);
    Some((row.id, channel.adapter.signs()?.sign_for(&place, &message)?))
}

async fn show(daemon: &Daemon, channel: &Channel, row: i64, sign: Put, over: CancellationToken) {
    tokio::select! {
        biased;
        () = over.cancelled() => return,
        () = daemon.stopping.cancelled() => return,
        () = tokio::time::sleep(SOON) => {}
    }
    let Some(platform) = channel.adapter.signs() else {
        return;
    };
    let Ok(noted) = serde_json::to_string(&sign) else {
        return;
    };
    daemon
        .signs
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(row);
    // Noted first, so that the next daemon can take it off if this one dies now.
    if daemon.store.set_sign(row, Some(&noted)).await.is_err() {
        return;
    }
    platform.put_on(&sign).await;
    tokio::select! {
        () = over.cancelled() => {}
        () = daemon.stopping.cancelled() => {}
    }
    remove(daemon, channel, row, &sign).await;
    daemon
        .signs
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(&row);
}

async fn remove(daemon: &Daemon, channel: &Channel, row: i64, sign: &Put) {
    let Some(platform) = channel.adapter.signs() else {
        return;
    };
    if platform.take_off(sign).await {
        // A note that stays costs one needless call at the next start.
        let _ = daemon.store.set_sign(row, None).await;
    }
}

/// Takes off what an earlier daemon left on messages of this channel.
pub(super) async fn clear_left_over(daemon: &Daemon, channel: &Channel) {
    let Ok(signs) = daemon.store.open_signs().await else {
        return;
    };
    for (row, id, noted) in signs {
        // What this process has put on itself, it takes off itself.
        let ours = daemon
            .signs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&row);
        if id != channel.id || ours {
            continue;
        }
        if let Ok(sign) = serde_json::from_str::<Put>(&noted) {
            remove(daemon, channel, row, &sign).await;
        }
    }
}
