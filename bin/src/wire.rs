//! Between the types of the wire, the store and the crates: conversions, both ways, and nothing else.

use std::time::{Duration, SystemTime};

use kata_channel::{ApprovalDecision, Role, Timestamp};
use kata_ipc::event::{
    ApprovalOutcome, SessionStats, ToolVerdict, Verdict,
    view::{self, ToolView},
};
use kata_perm::Decision;
use kata_plugin::{RegisteredTool, SideEffect, ToolEffect, mcp::ToolListing};
use kata_store::{Approval, ApprovalDecision as StoreDecision, ApprovalState, Ruling, UnixMs};
use serde_json::Value;

/// A role as the store keeps it.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Member => "member",
        Role::Stranger => "stranger",
    }
}

/// A role from the store. A row of the 0.7 daemon has none: who could speak to that one was a member.
pub(crate) fn role(stored: Option<&str>) -> Role {
    match stored {
        Some("owner") => Role::Owner,
        Some("stranger") => Role::Stranger,
        _ => Role::Member,
    }
}

/// The role that the permission gate knows.
pub(crate) fn perm_role(role: Role) -> kata_perm::Role {
    match role {
        Role::Owner => kata_perm::Role::Owner,
        Role::Member => kata_perm::Role::Member,
        Role::Stranger => kata_perm::Role::Stranger,
    }
}

/// How long a session has become.
pub(crate) fn session_stats(stats: kata_session::life::SessionStats) -> SessionStats {
    SessionStats {
        tokens: stats.tokens,
        messages: stats.messages,
        turns: stats.turns,
        limit: stats.limit,
    }
}

/// A verdict of the gate.
pub(crate) fn verdict(verdict: kata_perm::Verdict) -> ToolVerdict {
    ToolVerdict {
        verdict: verdict_word(verdict.decision),
        rule: verdict.rule.into_owned(),
        reason: verdict.reason,
        approval_id: None,
    }
}

/// A decision of the gate.
pub(crate) fn verdict_word(decision: Decision) -> Verdict {
    match decision {
        Decision::Allow => Verdict::Allow,
        Decision::Deny => Verdict::Deny,
        Decision::Ask => Verdict::Ask,
    }
}

/// A decision, as the store is told.
pub(crate) fn ruling(decision: Decision) -> Ruling {
    match decision {
        Decision::Allow => Ruling::Allow,
        Decision::Deny => Ruling::Deny,
        Decision::Ask => Ruling::Ask,
    }
}

/// A decision, as the store says.
pub(crate) fn decision(ruling: Ruling) -> Decision {
    match ruling {
        Ruling::Allow => Decision::Allow,
        Ruling::Deny => Decision::Deny,
        Ruling::Ask => Decision::Ask,
    }
}

/// A person's answer, by the host.
pub(crate) fn approval_decision(decision: kata_ipc::command::Decision) -> StoreDecision {
    match decision {
        kata_ipc::command::Decision::AllowOnce => StoreDecision::AllowOnce,
        kata_ipc::command::Decision::AllowHour => StoreDecision::AllowHour,
        kata_ipc::command::Decision::Deny => StoreDecision::Deny,
    }
}

/// A person's answer, in a conversation.
pub(crate) fn answer_decision(decision: ApprovalDecision) -> StoreDecision {
    match decision {
        ApprovalDecision::AllowOnce => StoreDecision::AllowOnce,
        ApprovalDecision::AllowHour => StoreDecision::AllowHour,
        ApprovalDecision::Deny => StoreDecision::Deny,
    }
}

/// How a question was closed; none while it is open.
pub(crate) fn approval_outcome(approval: &Approval) -> Option<ApprovalOutcome> {
    match approval.state {
        ApprovalState::Open => None,
        ApprovalState::AllowedHour => Some(ApprovalOutcome::AllowedHour),
        ApprovalState::AllowedOnce => Some(ApprovalOutcome::AllowedOnce),
        ApprovalState::Denied => Some(ApprovalOutcome::Denied),
        ApprovalState::Expired => Some(ApprovalOutcome::Expired),
        ApprovalState::Withdrawn => Some(ApprovalOutcome::Withdrawn),
    }
}

/// A tool, for the host and for `katad tools`.
pub(crate) fn tool(tool: &RegisteredTool) -> ToolView {
    let spec = &tool.spec;
    ToolView {
        name: spec.name.to_owned(),
        plugin_id: tool.plugin.to_owned(),
        description: spec.description.to_owned(),
        default: match spec.default {
            kata_plugin::ToolDefault::Allow => view::ToolDefault::Allow,
            kata_plugin::ToolDefault::Ask => view::ToolDefault::Ask,
        },
        effects: spec.effects.iter().map(|effect| tool_effect(*effect)).collect(),
        side_effect: match spec.side_effect {
            SideEffect::None => view::SideEffect::None,
            SideEffect::Idempotent => view::SideEffect::Idempotent,
            SideEffect::EveryTime => view::SideEffect::EveryTime,
        },
        input_schema: spec.input.clone(),
    }
}

fn tool_effect(effect: ToolEffect) -> view::ToolEffect {
    match effect {
        ToolEffect::Reads => view::ToolEffect::Reads,
        ToolEffect::Writes => view::ToolEffect::Writes,
        ToolEffect::Deletes => view::ToolEffect::Deletes,
        ToolEffect::Daemon => view::ToolEffect::Daemon,
    }
}

/// Wall time, as kata-perm has it.
pub(crate) fn system_time(at: Timestamp) -> SystemTime {
    let since = Duration::from_millis(at.as_millis().max(0).unsigned_abs());
    SystemTime::UNIX_EPOCH + since
}

/// Wall time, as the store has it.
pub(crate) fn unix_ms(at: SystemTime) -> UnixMs {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How a question was closed, as its state.
pub(crate) fn approval_state(outcome: ApprovalOutcome) -> view::ApprovalState {
    match outcome {
        ApprovalOutcome::AllowedOnce => view::ApprovalState::AllowedOnce,
        ApprovalOutcome::AllowedHour => view::ApprovalState::AllowedHour,
        ApprovalOutcome::Denied => view::ApprovalState::Denied,
        ApprovalOutcome::Expired => view::ApprovalState::Expired,
        ApprovalOutcome::Withdrawn => view::ApprovalState::Withdrawn,
    }
}

/// A tool as it came over the socket, for MCP.
pub(crate) fn listing(tool: ToolView) -> ToolListing {
    ToolListing {
        name: tool.name,
        description: tool.description,
        input: match tool.input_schema {
            Value::Object(schema) => schema,
            _ => serde_json::Map::new(),
        },
        effects: tool
            .effects
            .into_iter()
            .map(|effect| match effect {
                view::ToolEffect::Reads => ToolEffect::Reads,
                view::ToolEffect::Writes => ToolEffect::Writes,
                view::ToolEffect::Deletes => ToolEffect::Deletes,
                view::ToolEffect::Daemon => ToolEffect::Daemon,
            })
            .collect(),
        side_effect: match tool.side_effect {
            view::SideEffect::None => SideEffect::None,
            view::SideEffect::Idempotent => SideEffect::Idempotent,
            view::SideEffect::EveryTime => SideEffect::EveryTime,
        },
    }
}
/// What a reaction asks, for the store.
pub(crate) fn control(what: kata_channel::Control) -> kata_store::Control {
    match what {
        kata_channel::Control::Stop => kata_store::Control::Stop,
        kata_channel::Control::Retry => kata_store::Control::Retry,
    }
}
