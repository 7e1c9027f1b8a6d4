//! Decides whether a sender may start a run, and gives the turn what decides its tool calls. Stands outside the deadline,
//! and waits for nobody: questions to people are asked per tool call, by what is bound here.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use async_trait::async_trait;
use futures_util::future::{self, BoxFuture, FutureExt as _};
use kata_perm::{
    Policy, ToolCall, Verdict,
    gate::{self, Authority, Resolution, Situation},
};
use tower::{Layer, Service};

use crate::{Error, Reply, Turn};

/// Makes what is bound to a turn: the rules of its workspace, and who is asked on its behalf.
pub trait Bind: fmt::Debug + Send + Sync + 'static {
    /// What holds for this turn.
    fn bind(&self, turn: &Turn) -> Bound;
}

/// What is bound to a turn that passes the gate.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The rules in force.
    pub policy: Arc<Policy>,
    /// What decides its tool calls.
    pub authority: Arc<dyn Authority>,
}

/// Gates turns.
#[derive(Clone, Debug)]
pub struct TurnGateLayer {
    bind: Arc<dyn Bind>,
}

/// Decides each turn before the wrapped service sees it.
#[derive(Clone, Debug)]
pub struct TurnGate<S> {
    inner: S,
    bind: Arc<dyn Bind>,
}

/// The sender may not start a run. The private fields mean that only [`TurnGate`] can make one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run was refused by the rule {rule}: {reason}")]
pub struct Refused {
    rule: String,
    reason: String,
}

/// Stands behind a turn that did not pass a gate: no call of it is let through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ungated;

/// The turn did not pass a gate.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the turn did not pass a gate, so it may call no tool")]
struct NotBound;

// === impl TurnGateLayer ===

impl TurnGateLayer {
    /// Gives every turn that passes what `bind` makes for it.
    #[must_use]
    pub fn new(bind: Arc<dyn Bind>) -> Self {
        Self { bind }
    }
}

impl<S> Layer<S> for TurnGateLayer {
    type Service = TurnGate<S>;

    fn layer(&self, inner: S) -> TurnGate<S> {
        TurnGate {
            inner,
            bind: Arc::clone(&self.bind),
        }
    }
}

// === impl TurnGate ===

impl<S> Service<Turn> for TurnGate<S>
where
    S: Service<Turn, Response = Reply>,
    S::Error: Into<Error>,
    S::Future: Send + 'static,
{
    type Response = Reply;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Reply, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, turn: Turn) -> Self::Future {
        // Whatever the turn carried is replaced: permission comes from here or from nowhere.
        let Bound { policy, authority } = self.bind.bind(&turn);
        let verdict = policy.decide_run(turn.role);
        if !verdict.is_allowed() {
            let refused = Refused {
                rule: verdict.rule.into_owned(),
                reason: verdict.reason,
            };
            return future::ready(Err(refused.into())).boxed();
        }
        let run = self.inner.call(Turn {
            policy,
            authority,
            ..turn
        });
        Box::pin(async move { run.await.map_err(Into::into) })
    }
}

// === impl Ungated ===

#[async_trait]
impl Authority for Ungated {
    async fn situation(&self) -> Result<Situation, gate::Error> {
        Err(NotBound.into())
    }

    async fn record(&self, _: &ToolCall, _: Verdict) -> Result<Verdict, gate::Error> {
        Err(NotBound.into())
    }

    async fn ask(&self, _: &ToolCall, _: &Verdict) -> Result<Resolution, gate::Error> {
        Err(NotBound.into())
    }
}

#[cfg(test)]
mod tests {
    use kata_perm::Role;
    use serde_json::json;
    use tower::ServiceExt as _;
    use tower_test::mock;

    use super::*;

    #[derive(Debug)]
    struct Base(Arc<Policy>);

    impl Bind for Base {
        fn bind(&self, _: &Turn) -> Bound {
            Bound {
                policy: Arc::clone(&self.0),
                authority: Arc::new(Ungated),
            }
        }
    }

    fn turn(role: Role) -> Turn {
        Turn::new(1, "ws_1", "work", "daemon-work-1", role)
    }

    #[tokio::test]
    async fn a_stranger_never_reaches_the_agent() {
        let (agent, mut handle) = mock::pair::<Turn, Reply>();
        handle.allow(1);
        let gate = TurnGateLayer::new(Arc::new(Base(Arc::new(Policy::base())))).layer(agent);
        let refused = gate.oneshot(turn(Role::Stranger)).await.unwrap_err();
        assert!(refused.is::<Refused>());
        // The gate and with it the last sender of requests is gone: none was ever sent.
        assert!(handle.next_request().await.is_none());
    }

    #[tokio::test]
    async fn a_turn_that_passes_carries_the_gates_policy() {
        let (agent, mut handle) = mock::pair::<Turn, Reply>();
        let policy = Arc::new(Policy::base());
        let gate = TurnGateLayer::new(Arc::new(Base(Arc::clone(&policy)))).layer(agent);
        let agent = async {
            let (seen, reply) = handle.next_request().await.unwrap();
            reply.send_response(Reply::default());
            seen
        };
        let (done, seen) = tokio::join!(gate.oneshot(turn(Role::Member)), agent);
        done.unwrap();
        assert!(Arc::ptr_eq(&seen.policy, &policy));
    }

    #[tokio::test]
    async fn a_turn_that_passed_no_gate_may_call_nothing() {
        let turn = turn(Role::Owner);
        let call = ToolCall::new("Read", json!({"file_path": "a"}));
        assert!(gate::admit(&*turn.authority, &call).await.is_err());
    }
}
