//! The layers together, over an adapter with a script.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use tower::{ServiceBuilder, ServiceExt};

use super::{
    sample::{failed, out, receipt},
    *,
};
use crate::{
    adapter::{Adapter, Descriptor, Identity, Length, Unit},
    error::{ChannelError, Effect, SendError},
    id::SenderId,
    markdown::Dialect,
};

const DESCRIPTOR: Descriptor = Descriptor {
    platform: "scripted",
    length: Length {
        unit: Unit::Chars,
        limit: 100,
    },
    dialect: Dialect::PLAIN,
    notices: true,
    approvals: true,
    silence: Duration::from_secs(60),
    reconcile_every: Duration::from_secs(60),
};

/// Answers with what it was given, then never.
#[derive(Debug)]
struct Scripted {
    answers: Mutex<VecDeque<Result<Receipt, SendError>>>,
}

#[async_trait]
impl Adapter for Scripted {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    async fn connect(&self) -> Result<Identity, ChannelError> {
        Ok(Identity {
            id: SenderId::new("bot"),
            name: "bot".into(),
        })
    }

    async fn disconnect(&self) {}

    async fn send(&self, _: &Outbound) -> Result<Receipt, SendError> {
        let next = self.answers.lock().unwrap().pop_front();
        match next {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

fn stack(answers: impl IntoIterator<Item = Result<Receipt, SendError>>) -> (Egress, Arc<Scripted>) {
    let adapter = Arc::new(Scripted {
        answers: Mutex::new(answers.into_iter().collect()),
    });
    let stack = ServiceBuilder::new()
        .layer(BoxCloneSyncService::layer())
        .retry(Resend::new())
        .layer(PaceLayer::new(None))
        .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
        .service(AdapterService::new(adapter.clone()));
    (stack, adapter)
}

#[tokio::test(start_paused = true)]
async fn a_short_limit_delays_and_a_receipt_comes_back() {
    let limited = ChannelError::RateLimited {
        what: "chat.postMessage".into(),
        retry_after: Some(Duration::from_secs(2)),
    };
    let (stack, _) = stack([Err(SendError::none(limited)), Ok(receipt())]);
    assert_eq!(stack.oneshot(out("C1")).await.unwrap(), receipt());
}

#[tokio::test(start_paused = true)]
async fn a_send_without_an_answer_is_never_repeated() {
    let lost = SendError::none(ChannelError::ConnectionLost("refused".into()));
    let (stack, adapter) = stack([Err(lost)]);
    // The second attempt is not answered: what follows it would be a third one.
    let outcome = stack.oneshot(out("C1")).await.unwrap_err();
    assert_eq!(failed(&outcome).effect, Effect::Maybe);
    assert!(adapter.answers.lock().unwrap().is_empty());
}
