//! Decides each tool call before whatever runs it sees it. Stands outside limits and timeouts: a person may take minutes.
//!
//! What the gate cannot know (the rules in force, the grants, who is to be asked) is the [`Authority`]'s, which the
//! program that uses this crate brings.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context as Task, Poll},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    call::{Context, ToolCall},
    policy::Policy,
    verdict::{Decision, Verdict},
};

/// What stands in a stack's errors.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Behind the gate of one turn: the rules that are in force, what they look at, what is kept of a verdict, and who is asked.
#[async_trait]
pub trait Authority: fmt::Debug + Send + Sync + 'static {
    /// The rules in force now, and in what the turn's calls are made.
    ///
    /// # Errors
    /// Why that cannot be known: the call is refused.
    async fn situation(&self) -> Result<Situation, Error>;

    /// Writes a verdict down before anything comes of it, and takes one use of the rule or the grant that allows.
    ///
    /// Answers the verdict that stands: `Ask` becomes `Allow` where a grant covers the call, `Allow` becomes `Deny` where
    /// the rule's uses are spent.
    ///
    /// # Errors
    /// It could not be written: the call is refused, since what is not recorded is not done.
    async fn record(&self, call: &ToolCall, verdict: Verdict) -> Result<Verdict, Error>;

    /// Asks a person about this very call, and waits for the answer. A "yes" has minted a grant by then:
    /// [`record`](Self::record) takes it.
    ///
    /// # Cancel safety
    /// Dropping it takes nothing back: the question stays open until it is answered or expires.
    ///
    /// # Errors
    /// Why nobody could be asked: the call is refused.
    async fn ask(&self, call: &ToolCall, verdict: &Verdict) -> Result<Resolution, Error>;
}

/// What a verdict is made from.
#[derive(Clone, Debug)]
pub struct Situation {
    /// The rules in force.
    pub policy: Arc<Policy>,
    /// Who calls, where and when. With [`Context::asking`] where somebody can be asked.
    pub context: Context,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Somebody who may said yes, and a grant was minted.
    Allowed,
    /// Somebody who may said no.
    Denied {
        /// Why, where they said so.
        reason: Option<String>,
    },
    /// Nobody answered in time. This is not a denial.
    Expired {
        /// How long the question stood.
        after: Duration,
    },
}

/// Gives a stack the gate of one turn.
#[derive(Clone, Debug)]
pub struct GateLayer {
    authority: Arc<dyn Authority>,
}

/// Lets a call through if it is allowed, after asking where somebody has to be asked.
#[derive(Clone, Debug)]
pub struct Gate<S> {
    inner: S,
    authority: Arc<dyn Authority>,
}

/// The call was not let through. Only the gate makes one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
#[non_exhaustive]
pub struct Refused {
    /// The rule that decided.
    pub rule: String,
    /// Why, for people and for the agent.
    pub reason: String,
    /// Nobody said no: the question was not answered in time.
    pub is_expired: bool,
}

// === impl GateLayer ===

impl GateLayer {
    /// The gate of the turn behind which `authority` stands.
    #[must_use]
    pub fn new(authority: Arc<dyn Authority>) -> Self {
        Self { authority }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate {
            inner,
            authority: Arc::clone(&self.authority),
        }
    }
}

// === impl Gate ===

impl<S> Service<ToolCall> for Gate<S>
where
    S: Service<ToolCall> + Clone + Send + 'static,
    S::Response: Send,
    S::Error: Into<Error>,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<S::Response, Error>>;

    fn poll_ready(&mut self, cx: &mut Task<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, call: ToolCall) -> Self::Future {
        let clone = self.inner.clone();
        // The clone is not ready; the one that was polled is.
        let mut inner = mem::replace(&mut self.inner, clone);
        let authority = Arc::clone(&self.authority);
        Box::pin(async move {
            admit(&*authority, &call).await?;
            inner.call(call).await.map_err(Into::into)
        })
    }
}

/// Returns once the call may run; for agents that run their tools themselves and ask before. A "yes" is for this call
/// alone: whoever calls again asks again.
///
/// # Errors
/// [`Refused`], or why the authority could not decide.
///
/// # Cancel safety
/// As [`Authority::ask`]; a use that was taken is not given back.
pub async fn admit(authority: &dyn Authority, call: &ToolCall) -> Result<(), Error> {
    let verdict = decide(authority, call).await?;
    let asked = match verdict.decision {
        Decision::Allow => return Ok(()),
        Decision::Deny => return Err(Refused::denied(verdict).into()),
        Decision::Ask => authority.ask(call, &verdict).await?,
    };
    match asked {
        Resolution::Allowed => {}
        Resolution::Denied { reason } => return Err(Refused::said_no(call, &verdict, reason).into()),
        Resolution::Expired { after } => return Err(Refused::expired(call, &verdict, after).into()),
    }
    // Looked at anew: meanwhile the rules may have changed, and a denial beats a grant. The grant is taken here.
    let verdict = decide(authority, call).await?;
    if verdict.is_allowed() {
        Ok(())
    } else {
        Err(Refused::denied(verdict).into())
    }
}

/// The verdict on a call as it stands now, recorded. `Ask` is left to the caller.
///
/// # Errors
/// Why the authority could not decide.
pub async fn decide(authority: &dyn Authority, call: &ToolCall) -> Result<Verdict, Error> {
    let Situation { policy, context } = authority.situation().await?;
    authority.record(call, policy.decide(call, &context)).await
}

// === impl Refused ===

impl Refused {
    fn denied(verdict: Verdict) -> Self {
        Self {
            rule: verdict.rule.into_owned(),
            reason: verdict.reason,
            is_expired: false,
        }
    }

    fn said_no(call: &ToolCall, verdict: &Verdict, reason: Option<String>) -> Self {
        let why = reason.map(|r| format!(": {r}")).unwrap_or_default();
        Self {
            rule: verdict.rule.to_string(),
            reason: format!("{} was denied by the person who was asked{why}", call.tool),
            is_expired: false,
        }
    }

    fn expired(call: &ToolCall, verdict: &Verdict, after: Duration) -> Self {
        let minutes = after.as_secs().div_ceil(60);
        Self {
            rule: verdict.rule.to_string(),
            reason: format!(
                "{} was not approved in time: nobody answered within {minutes} min. This is not a denial; it may be asked for again when somebody is there.",
                call.tool
            ),
            is_expired: true,
        }
    }
}

#[cfg(test)]
mod tests;
