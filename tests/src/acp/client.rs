//! The client, as the agent sees it: who is sent updates and asked questions.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{Mutex as Turnstile, oneshot},
};

use super::{
    line::Outcome,
    schema::{Part, Schema, Served},
};

/// Writes lines to the client, and knows which of our requests it has not answered.
pub(crate) struct Client {
    schema: Schema,
    out: Turnstile<Box<dyn AsyncWrite + Send + Unpin>>,
    asked: Mutex<HashMap<String, Asked>>,
    ids: AtomicU64,
    uuid_ids: bool,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Asked {
    method: &'static str,
    answer: oneshot::Sender<Outcome>,
}

// === impl Client ===

impl Client {
    pub(crate) fn new(out: impl AsyncWrite + Send + Unpin + 'static, uuid_ids: bool) -> Self {
        Self {
            schema: Schema::new(),
            out: Turnstile::new(Box::new(out)),
            asked: Mutex::default(),
            ids: AtomicU64::new(0),
            uuid_ids,
        }
    }

    /// The shapes that both ends keep to.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Writes bytes as they are. A client that is gone reads nothing; the end of our input says so.
    pub(crate) async fn raw(&self, bytes: &[u8]) {
        let mut out = self.out.lock().await;
        let _ = out.write_all(bytes).await;
        let _ = out.flush().await;
    }

    async fn send(&self, message: &Value) {
        self.raw(format!("{message}\n").as_bytes()).await;
    }

    /// Says something that wants no answer.
    pub(crate) async fn notify(&self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
            .await;
    }

    /// One `session/update`.
    pub(crate) async fn update(&self, session: &str, update: Value) {
        self.notify("session/update", json!({"sessionId": session, "update": update}))
            .await;
    }

    /// Answers one of the client's requests.
    pub(crate) async fn respond(&self, id: &Value, outcome: Outcome) {
        let (field, value) = match outcome {
            Ok(result) => ("result", result),
            Err(error) => ("error", error),
        };
        self.send(&json!({"jsonrpc": "2.0", "id": id, field: value}))
            .await;
    }

    /// Asks the client for something.
    pub(crate) async fn request(&self, method: &'static str, params: Value) -> Outcome {
        let id = self.next_id();
        let (answer, answered) = oneshot::channel();
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.to_string(), Asked { method, answer });
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await;
        // The sender goes when the connection does, and this future with it.
        answered.await.unwrap_or(Err(Value::Null))
    }

    /// Takes an answer; the error says how it breaks the protocol.
    pub(crate) fn answered(&self, id: &Value, outcome: Outcome) -> Result<(), String> {
        let asked = self
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id.to_string());
        let Asked { method, answer } =
            asked.ok_or_else(|| format!("{id} answers nothing that was asked, or answers it twice"))?;
        if let Ok(result) = &outcome {
            self.schema
                .check(Served::ByClient, method, Part::Result, result)?;
        }
        // A turn that is over no longer cares.
        let _ = answer.send(outcome);
        Ok(())
    }

    /// Integers from zero as most agents have them, or UUIDs as Codex has them.
    fn next_id(&self) -> Value {
        let n = self.ids.fetch_add(1, Ordering::Relaxed);
        if self.uuid_ids {
            format!("503ecada-4c8c-4ccc-935a-{n:012x}").into()
        } else {
            n.into()
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

/// An error object.
pub(crate) fn error(code: i32, message: impl Into<String>) -> Value {
    json!({"code": code, "message": message.into()})
}
