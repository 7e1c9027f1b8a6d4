//! Decides whether a sender may start a run, and binds the policy to the turn. Stands outside the deadline, and waits
//! for nobody: questions to people are asked per tool call, by what is bound here.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{self, BoxFuture, FutureExt as _};
use kata_perm::Policy;
use tower::{Layer, Service};

use crate::{Error, Reply, Turn};

/// Gates turns by a policy.
#[derive(Clone, Debug)]
pub struct GateLayer {
    policy: Arc<Policy>,
}

/// Decides each turn before the wrapped service sees it.
#[derive(Clone, Debug)]
pub struct Gate<S> {
    inner: S,
    policy: Arc<Policy>,
}

/// The sender may not start a run. The private fields mean that only [`Gate`] can make one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run was refused by the rule {rule}: {reason}")]
pub struct Refused {
    rule: String,
    reason: String,
}

// === impl GateLayer ===

impl GateLayer {
    /// Gates by `policy`, and binds it to every turn that passes.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        Self { policy }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate {
            inner,
            policy: Arc::clone(&self.policy),
        }
    }
}

// === impl Gate ===

impl<S> Service<Turn> for Gate<S>
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
        let verdict = self.policy.decide_run(turn.role);
        if !verdict.is_allowed() {
            let refused = Refused {
                rule: verdict.rule.into_owned(),
                reason: verdict.reason,
            };
            return future::ready(Err(refused.into())).boxed();
        }
        // Whatever the turn carried is replaced: a policy comes from here or from nowhere.
        let turn = Turn {
            policy: Arc::clone(&self.policy),
            ..turn
        };
        let run = self.inner.call(turn);
        Box::pin(async move { run.await.map_err(Into::into) })
    }
}

#[cfg(test)]
mod tests {
    use kata_perm::Role;
    use tower::ServiceExt as _;
    use tower_test::mock;

    use super::*;

    fn turn(role: Role) -> Turn {
        Turn::new(1, "ws_1", "work", "daemon-work-1", role)
    }

    #[tokio::test]
    async fn a_stranger_never_reaches_the_agent() {
        let (agent, mut handle) = mock::pair::<Turn, Reply>();
        handle.allow(1);
        let gate = GateLayer::new(Arc::new(Policy::base())).layer(agent);
        let refused = gate.oneshot(turn(Role::Stranger)).await.unwrap_err();
        assert!(refused.is::<Refused>());
        // The gate and with it the last sender of requests is gone: none was ever sent.
        assert!(handle.next_request().await.is_none());
    }

    #[tokio::test]
    async fn a_turn_that_passes_carries_the_gates_policy() {
        let (agent, mut handle) = mock::pair::<Turn, Reply>();
        let policy = Arc::new(Policy::base());
        let gate = GateLayer::new(Arc::clone(&policy)).layer(agent);
        let agent = async {
            let (seen, reply) = handle.next_request().await.unwrap();
            reply.send_response(Reply::default());
            seen
        };
        let (done, seen) = tokio::join!(gate.oneshot(turn(Role::Member)), agent);
        done.unwrap();
        assert!(Arc::ptr_eq(&seen.policy, &policy));
    }
}
