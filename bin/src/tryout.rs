//! Tries a channel out, as the daemon would run it: one sentence for each thing that is wrong.

use std::time::Duration;

use kata_channel::{
    Adapter, ChannelError, Clock, History, Identity, Timestamp,
    adapter::{Discovered, PollRequest},
    ingress::Trigger,
};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::daemon::Spec;

/// One question to a platform.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// Connected as this bot; each sentence is something that does not work all the same.
    Connected(Identity, Vec<String>),
    /// It will not work until somebody changes something.
    Refused(String),
    /// The platform could not be asked; later it may.
    Unreached(String),
}

/// Whether the platform takes the channel's tokens, and which bot that is.
pub(crate) async fn token(spec: &Spec) -> Tried {
    let adapter = match spec.adapter(Clock::system(), TaskTracker::new()) {
        Ok(adapter) => adapter,
        Err(refusal) => return Tried::Refused(refusal.error),
    };
    let mut tried = connect(&*adapter).await;
    if let Tried::Connected(..) = tried
        && let Some(why) = socket(&*adapter).await
    {
        tried = why;
    }
    adapter.disconnect().await;
    tried
}

/// The whole channel: its filter, its tokens and what they may do, the conversations that it names.
pub(crate) async fn channel(spec: &Spec) -> Tried {
    if let Err(why) = Trigger::compile(spec.filter.patterns()) {
        return Tried::Refused(why.to_string());
    }
    let clock = Clock::system();
    let adapter = match spec.adapter(clock.clone(), TaskTracker::new()) {
        Ok(adapter) => adapter,
        Err(refusal) => return Tried::Refused(refusal.error),
    };
    let mut tried = connect(&*adapter).await;
    if let Tried::Connected(_, problems) = &mut tried {
        let refused = socket(&*adapter).await;
        if let Some(history) = adapter.history() {
            *problems = places(history, clock.wall()).await;
        }
        match refused {
            Some(Tried::Refused(why)) => problems.insert(0, why),
            Some(unreached) if problems.is_empty() => tried = unreached,
            _ => {}
        }
    }
    adapter.disconnect().await;
    tried
}

async fn connect(adapter: &dyn Adapter) -> Tried {
    match timeout(PATIENCE, adapter.connect()).await {
        Ok(Ok(identity)) => Tried::Connected(identity, Vec::new()),
        Ok(Err(why)) => failed(&why),
        Err(_) => Tried::Unreached(late()),
    }
}

/// Why the platform would open no socket; none where it would, or the channel has none.
async fn socket(adapter: &dyn Adapter) -> Option<Tried> {
    match timeout(PATIENCE, adapter.push()?.probe()).await {
        Ok(Ok(())) => None,
        Ok(Err(why)) => Some(failed(&why)),
        Err(_) => Some(Tried::Unreached(late())),
    }
}

fn failed(why: &ChannelError) -> Tried {
    match why {
        ChannelError::AuthExpired(_) | ChannelError::Rejected(_) => Tried::Refused(why.to_string()),
        _ => Tried::Unreached(why.to_string()),
    }
}

/// The conversations that the filter names and that cannot be read.
async fn places(history: &dyn History, now: Timestamp) -> Vec<String> {
    let found = match timeout(PATIENCE, history.conversations()).await {
        Ok(Ok(found)) => found,
        Ok(Err(why)) => return vec![why.to_string()],
        Err(_) => return vec![late()],
    };
    let mut problems = Vec::new();
    for Discovered { place, .. } in found.into_iter().filter(|found| found.named) {
        let conversation = place.conversation.clone();
        let request = PollRequest {
            cursor: history.cursor_at(now),
            place,
            page: None,
        };
        let why = match timeout(PATIENCE, history.poll(request)).await {
            Ok(Ok(_)) => continue,
            Ok(Err(why)) => why.to_string(),
            Err(_) => late(),
        };
        problems.push(format!("{conversation}: {why}"));
    }
    problems
}

fn late() -> String {
    format!(
        "the platform did not answer within {} seconds",
        PATIENCE.as_secs()
    )
}
