//! Between the types of the wire, the store and the crates: conversions, both ways, and nothing else.

use kata_channel::Role;
use kata_ipc::event::{ToolVerdict, Verdict};
use kata_perm::Decision;

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

/// A verdict of the gate.
pub(crate) fn verdict(verdict: kata_perm::Verdict) -> ToolVerdict {
    ToolVerdict {
        verdict: match verdict.decision {
            Decision::Allow => Verdict::Allow,
            Decision::Deny => Verdict::Deny,
            Decision::Ask => Verdict::Ask,
        },
        rule: verdict.rule.into_owned(),
        reason: verdict.reason,
        approval_id: None,
    }
}
