//! What stands behind the gate of one turn: the rules of its workspace, the grants in its conversation, and the person
//! there who can be asked.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use kata_agent::{Bind, Bound, Stopwatch, Turn};
use kata_channel::{Place, Role};
use kata_perm::{
    Context, Policy, ToolCall, Verdict,
    gate::{Authority, Error, Resolution, Situation},
};
use kata_plugin::{ToolContext, ToolLimitLayer};
use kata_store::{ClaimedRow, ClaimedTurn, Counted, Judge, Scope};
use serde_json::{Value, json};

use super::{approvals::Asked, grants};
use crate::{
    daemon::{Channel, Daemon, share},
    turn::Slot,
    wire,
};

/// Calls of our tools that a turn may have under way.
const TOOLS: usize = 4;

/// Decides for one turn, or for a caller without one.
#[derive(Clone, Debug)]
pub(crate) struct Docket {
    pub(crate) daemon: Arc<Daemon>,
    pub(crate) workspace: String,
    pub(crate) role: Role,
    /// The turn; none for a question that names no open one.
    pub(crate) turn: Option<Standing>,
    /// The command that caused the call, where one did.
    pub(crate) cause: Option<String>,
    /// So many of our tools at once.
    tools: ToolLimitLayer,
}

/// A turn, as far as its gate knows it.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) channel: Arc<Channel>,
    /// Its row.
    pub(crate) id: i64,
    pub(crate) session_key: String,
    pub(crate) place: Place,
    /// Who caused it, for the card.
    pub(crate) requester: String,
    /// From which messages of whom it was made: the provenance of everything that it does.
    pub(crate) origin: Value,
    /// The folder in which its agent works, where the daemon runs the agent.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) slot: Slot,
    pub(crate) watch: Stopwatch,
}

// === impl Docket ===

impl Docket {
    /// Of a turn that was claimed.
    pub(crate) fn of_turn(daemon: &Arc<Daemon>, turn: &ClaimedTurn, standing: Standing) -> Self {
        Self {
            daemon: Arc::clone(daemon),
            workspace: turn.workspace.clone(),
            role: least_trusted(&turn.rows),
            turn: Some(standing),
            cause: None,
            tools: ToolLimitLayer::new(TOOLS),
        }
    }

    /// Of a caller that names no open turn: a member's rights, and nobody to ask.
    pub(crate) fn without_a_turn(daemon: &Arc<Daemon>, workspace: &str) -> Self {
        Self {
            daemon: Arc::clone(daemon),
            workspace: workspace.to_owned(),
            role: Role::Member,
            turn: None,
            cause: None,
            tools: ToolLimitLayer::new(TOOLS),
        }
    }

    /// The same, for a call that a command caused.
    pub(crate) fn caused_by(self, request_id: Option<&str>) -> Self {
        Self {
            cause: request_id.map(str::to_owned),
            ..self
        }
    }

    /// Shared by all calls of the turn.
    pub(crate) fn tool_limit(&self) -> ToolLimitLayer {
        self.tools.clone()
    }

    /// The rules in force for it.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        self.daemon.gate.policies.of(&self.workspace)
    }

    /// Puts a question.
    pub(crate) async fn put(&self, call: &ToolCall, verdict: &Verdict) -> Result<Asked, Error> {
        let turn = self.turn.as_ref().ok_or(NobodyToAsk)?;
        self.daemon.gate.approvals.open(self, turn, call, verdict).await
    }

    /// Waits for the answer. D12: meanwhile the turn's clocks stand still, others may start, and its lane stays held; it has
    /// a slot again before it goes on.
    pub(crate) async fn wait(&self, asked: Asked) -> Resolution {
        let Some(turn) = &self.turn else {
            return asked.resolution().await;
        };
        let hold = turn.watch.hold();
        turn.slot.lend();
        let resolution = asked.resolution().await;
        let configured = self.daemon.channels.claimable().configured;
        let share = share(self.daemon.slots.max(), configured);
        turn.slot.take_again(&self.daemon.slots, share).await;
        drop(hold);
        resolution
    }

    /// D28: whether there is somebody to ask, and a way to ask them.
    pub(crate) fn can_ask(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| {
            turn.asks_in_conversation() || self.daemon.host.as_ref().is_some_and(|host| host.can().approvals)
        })
    }

    async fn context(&self, policy: &Policy) -> Result<Context, Error> {
        let now = self.daemon.clock.wall();
        let mut context = Context::new(wire::perm_role(self.role)).at(wire::system_time(now));
        if self.can_ask() {
            context = context.asking();
        }
        if let Some(turn) = &self.turn {
            context = context
                .in_channel(turn.channel.key.slug.as_str())
                .in_session(turn.session_key.as_str());
            if let Some(directory) = &turn.directory {
                context = context.in_directory(directory);
            }
        }
        if policy.counted_rules().next().is_some() {
            for (rule, uses) in self.daemon.store.grant_uses(&self.workspace).await? {
                context = context.with_uses(grants::rule_id(&rule), uses);
            }
        }
        Ok(context)
    }

    pub(crate) fn scope(&self) -> Scope {
        let turn = self.turn.as_ref();
        Scope {
            workspace: self.workspace.clone(),
            channel: turn.map(|t| t.channel.id),
            conversation: turn.map(|t| t.place.conversation.to_string()),
            session_key: turn.map(|t| t.session_key.clone()),
            message: turn.map(|t| t.id),
        }
    }

    /// The rule that ends, or allows only so many calls, if this verdict is one of its: it is a grant, and may be revoked.
    fn counted(&self, verdict: &Verdict) -> Option<Counted> {
        let id = verdict
            .rule
            .strip_prefix(grants::RULE)
            .filter(|_| verdict.is_allowed())?;
        let grant = self.policy().file_grants().find(|grant| grant.id == id)?;
        Some(Counted {
            rule: verdict.rule.to_string(),
            limit: grant.uses,
        })
    }
}

#[async_trait]
impl Authority for Docket {
    async fn situation(&self) -> Result<Situation, Error> {
        let policy = self.policy();
        let context = self.context(&policy).await?;
        Ok(Situation { policy, context })
    }

    async fn record(&self, call: &ToolCall, verdict: Verdict) -> Result<Verdict, Error> {
        let judged = self
            .daemon
            .store
            .judge(Judge {
                scope: self.scope(),
                tool: call.tool.clone(),
                digest: call.digest().to_string(),
                decision: wire::ruling(verdict.decision),
                counted: self.counted(&verdict),
                rule: verdict.rule.into_owned(),
                reason: verdict.reason,
                role: wire::role_name(self.role).to_owned(),
                origin: self.turn.as_ref().map(|turn| turn.origin.clone()),
            })
            .await?;
        let stands = Verdict {
            decision: wire::decision(judged.decision),
            rule: judged.rule.into(),
            reason: judged.reason,
        };
        tracing::debug!(tool = call.tool, rule = %stands.rule, "a tool call: {:?}", stands.decision);
        self.daemon
            .events
            .tool_call(self, call, &stands, judged.grant)
            .await;
        Ok(stands)
    }

    async fn ask(&self, call: &ToolCall, verdict: &Verdict) -> Result<Resolution, Error> {
        let asked = self.put(call, verdict).await?;
        Ok(self.wait(asked).await)
    }
}

impl Bind for Docket {
    fn bind(&self, _: &Turn) -> Bound {
        Bound {
            policy: self.policy(),
            authority: Arc::new(self.clone()),
        }
    }
}

/// Asking needs a turn, and a conversation that it belongs to.
#[derive(Debug, thiserror::Error)]
#[error("nobody can be asked: the call belongs to no open turn")]
struct NobodyToAsk;

// === impl Standing ===

impl Standing {
    /// What the gate knows of a claimed turn.
    pub(crate) fn of(
        daemon: &Daemon,
        channel: &Arc<Channel>,
        turn: &ClaimedTurn,
        slot: &Slot,
        watch: &Stopwatch,
    ) -> Self {
        let agent = &channel.spec.settings.agent;
        Self {
            channel: Arc::clone(channel),
            id: turn.id,
            session_key: turn.session_key.clone(),
            place: Place {
                conversation: turn.conversation.as_str().into(),
                thread: turn.thread.as_deref().map(Into::into),
            },
            requester: requester(&turn.rows),
            origin: origin(&turn.rows),
            directory: daemon.agents.directory(agent, &turn.session_key),
            slot: slot.clone(),
            watch: watch.clone(),
        }
    }

    /// On whose behalf its tools run.
    pub(crate) fn tool_context(&self) -> ToolContext {
        ToolContext::new(
            self.channel.key.clone(),
            self.place.clone(),
            self.session_key.as_str(),
        )
    }

    /// Whether the question can be put, and answered, where the turn's messages come from.
    pub(crate) fn asks_in_conversation(&self) -> bool {
        !self.channel.spec.owners.is_empty() && self.channel.adapter.descriptor().approvals
    }
}

/// Of several senders the least trusted one decides what the turn may do.
pub(crate) fn least_trusted(rows: &[ClaimedRow]) -> Role {
    rows.iter()
        .map(|row| wire::role(row.role.as_deref()))
        .max()
        .unwrap_or(Role::Stranger)
}

/// Who said what the turn is about, each once.
fn requester(rows: &[ClaimedRow]) -> String {
    let mut people: Vec<String> = Vec::new();
    for row in rows {
        let id = row.sender.as_deref().unwrap_or("somebody unknown");
        let person = match row.metadata.get("senderName").and_then(Value::as_str) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_owned(),
        };
        if !people.contains(&person) {
            people.push(person);
        }
    }
    people.join(", ")
}

fn origin(rows: &[ClaimedRow]) -> Value {
    rows.iter()
        .map(|row| json!({"row": row.id, "message": row.platform_id, "sender": row.sender, "role": row.role}))
        .collect()
}
