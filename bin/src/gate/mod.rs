//! What decides the tool calls of a turn.

use std::sync::Arc;

use async_trait::async_trait;
use kata_agent::{Bind, Bound, Turn};
use kata_perm::{
    Context, Policy, Role, ToolCall, Verdict,
    gate::{Authority, Error, Resolution, Situation},
};

/// Gives each turn the base policy.
#[derive(Debug)]
pub(crate) struct Warden {
    policy: Arc<Policy>,
}

/// Decides for one turn.
#[derive(Debug)]
struct Docket {
    policy: Arc<Policy>,
    role: Role,
}

/// There is no way to ask yet.
#[derive(Debug, thiserror::Error)]
#[error("nobody can be asked here")]
struct NobodyToAsk;

// === impl Warden ===

impl Warden {
    pub(crate) fn new(policy: Arc<Policy>) -> Self {
        Self { policy }
    }
}

impl Bind for Warden {
    fn bind(&self, turn: &Turn) -> Bound {
        Bound {
            policy: Arc::clone(&self.policy),
            authority: Arc::new(Docket {
                policy: Arc::clone(&self.policy),
                role: turn.role,
            }),
        }
    }
}

// === impl Docket ===

#[async_trait]
impl Authority for Docket {
    async fn situation(&self) -> Result<Situation, Error> {
        Ok(Situation {
            policy: Arc::clone(&self.policy),
            context: Context::new(self.role),
        })
    }

    async fn record(&self, _: &ToolCall, verdict: Verdict) -> Result<Verdict, Error> {
        Ok(verdict)
    }

    async fn ask(&self, _: &ToolCall, _: &Verdict) -> Result<Resolution, Error> {
        Err(NobodyToAsk.into())
    }
}
