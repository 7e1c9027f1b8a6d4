//! The ingress stack as one connection's sink has it: the driver learns when events begin to flow, and when the store
//! takes them no more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;
use tower::{ServiceExt, service_fn};

use super::{
    driver::{Parts, sentence},
    report::Report,
    sink::Ingress,
};
use crate::error::ChannelError;

/// Watches what one connection stores.
#[derive(Clone)]
pub(super) struct Flow {
    begun: Arc<AtomicBool>,
    failure: watch::Sender<Option<ChannelError>>,
}

impl Flow {
    pub(super) fn new() -> Self {
        Self {
            begun: Arc::new(AtomicBool::new(false)),
            failure: watch::Sender::new(None),
        }
    }

    /// Lanes wait from the moment events flow: before the first one is stored, it could overtake what history brings (D3).
    pub(super) async fn begin(&self, report: &Report) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            report.hold().await;
        }
    }

    /// The ingress stack, as this connection's sink has it.
    pub(super) fn over(&self, parts: &Parts) -> Ingress {
        let (flow, report, ingress) = (self.clone(), parts.report.clone(), parts.ingress.clone());
        Ingress::new(service_fn(move |page| {
            let (flow, report, ingress) = (flow.clone(), report.clone(), ingress.clone());
            async move {
                flow.begin(&report).await;
                let answer = ingress.oneshot(page).await;
                if let Err(error) = &answer {
                    flow.failure.send_replace(Some(sentence(error)));
                }
                answer
            }
        }))
    }

    /// The first push that could not be stored.
    pub(super) async fn broken(&self) -> ChannelError {
        let mut failure = self.failure.subscribe();
        loop {
            if let Some(error) = failure.borrow_and_update().clone() {
                return error;
            }
            // The sender is our own: it does not go away.
            let _ = failure.changed().await;
        }
    }

    pub(super) fn failure(&self) -> Option<ChannelError> {
        self.failure.borrow().clone()
    }
}
