//! What an agent is told when it asks for permission.
//!
//! The protocol has no word for why a call is refused, nor one for a question that nobody answered in time: that comes to the
//! agent as a rejection for this once. `cancelled` would be wrong, since it stands for a prompt that was cancelled. The
//! reason goes along as `_meta.kata`, which agents may pass over; the card in the conversation says which it was.

use agent_client_protocol::v1::schema::{
    Meta, PermissionOption,
    PermissionOptionKind::{self, AllowOnce, RejectAlways, RejectOnce},
    RequestPermissionOutcome, RequestPermissionResponse, SelectedPermissionOutcome,
};
use kata_perm::{Decision, ToolCall, Verdict, gate};
use serde_json::json;

use super::{open::OpenTurn, tool::Told};

/// The rule in the verdicts on calls of our own tools.
const OWN: &str = "tools:own";

/// The rule in those on calls of which more was told than is remembered.
const TOO_LARGE: &str = "input";

/// What is written down of a call that the gate is not asked about, and does not allow it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotAllowed(String);

/// Decides a request of an open turn. May take as long as a person does.
///
/// # Cancel safety
/// Cancel safe, as [`gate::admit`] is.
pub(super) async fn decide(
    open: &OpenTurn,
    told: Told,
    options: Vec<PermissionOption>,
) -> RequestPermissionResponse {
    let _room = open.room().await;
    let admitted = tokio::select! {
        biased;
        () = open.over.cancelled() => {
            return RequestPermissionResponse::new(RequestPermissionOutcome::Cancelled);
        }
        admitted = admit(open, &told) => admitted,
    };
    open.decided(&told);
    match admitted {
        Ok(()) => RequestPermissionResponse::new(choose(&options, true)),
        Err(refused) => {
            open.refused(refused.to_string());
            because(&options, &refused)
        }
    }
}

/// Refuses, where nothing is open that could allow it.
pub(super) fn refuse(options: &[PermissionOption]) -> RequestPermissionResponse {
    RequestPermissionResponse::new(choose(options, false))
}

/// A tool of ours comes to the daemon's own gate when it is called, with the arguments that it is called with: asked here
/// as well, a person would answer twice. This trusts the agent for the tool's name, and for no more than it is trusted
/// anyway: an agent that would misname a tool need not ask at all. What was let through is written down all the same.
async fn admit(open: &OpenTurn, told: &Told) -> Result<(), gate::Error> {
    let (own, authority) = (open.own.as_ref(), &*open.turn.authority);
    if let Some(call) = own.and_then(|own| told.of_own(own)) {
        let reason = "The daemon's own tool; its call passes the gate.".to_owned();
        return recorded(authority, &call, Decision::Allow, OWN, reason).await;
    }
    let call = told.call(&open.directory, own);
    if told.is_too_large() {
        // As the gate says it of arguments that it does see.
        let reason = format!("{} was called with arguments that are too large.", call.tool);
        return recorded(authority, &call, Decision::Deny, TOO_LARGE, reason).await;
    }
    gate::admit(authority, &call).await
}

/// A verdict that is not the gate's, written down before anything comes of it.
async fn recorded(
    authority: &dyn gate::Authority,
    call: &ToolCall,
    decision: Decision,
    rule: &'static str,
    reason: String,
) -> Result<(), gate::Error> {
    let verdict = Verdict {
        decision,
        rule: rule.into(),
        reason,
    };
    let stands = authority.record(call, verdict).await?;
    if stands.is_allowed() {
        Ok(())
    } else {
        Err(NotAllowed(stands.reason).into())
    }
}

/// A refusal that says why.
fn because(options: &[PermissionOption], error: &gate::Error) -> RequestPermissionResponse {
    let is_expired = error
        .downcast_ref::<gate::Refused>()
        .is_some_and(|refused| refused.is_expired);
    let why = json!({ "reason": error.to_string(), "expired": is_expired });
    refuse(options).meta(Meta::from_iter([("kata".to_owned(), why)]))
}

/// Chooses by kind, since agents name their options as they like. `allow_always` is never chosen: the agent would stop
/// asking.
fn choose(options: &[PermissionOption], is_allowed: bool) -> RequestPermissionOutcome {
    let of_kind = |kind: PermissionOptionKind| options.iter().find(|option| option.kind == kind);
    let once = is_allowed.then(|| of_kind(AllowOnce)).flatten();
    let chosen = once
        .or_else(|| of_kind(RejectOnce))
        .or_else(|| of_kind(RejectAlways));
    match chosen {
        Some(option) => {
            RequestPermissionOutcome::Selected(SelectedPermissionOutcome::new(option.option_id.clone()))
        }
        None => RequestPermissionOutcome::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use PermissionOptionKind::AllowAlways;

    use super::*;

    fn chosen(kinds: &[PermissionOptionKind], is_allowed: bool) -> Option<PermissionOptionKind> {
        let options: Vec<_> = kinds
            .iter()
            .enumerate()
            .map(|(n, kind)| PermissionOption::new(format!("option {n}"), "named as it likes", *kind))
            .collect();
        let RequestPermissionOutcome::Selected(selected) = choose(&options, is_allowed) else {
            return None;
        };
        let option = options
            .iter()
            .find(|option| option.option_id == selected.option_id);
        option.map(|option| option.kind)
    }

    #[test]
    fn a_yes_is_for_once_wherever_it_stands() {
        assert_eq!(
            chosen(&[AllowAlways, AllowOnce, RejectOnce], true),
            Some(AllowOnce)
        );
        assert_eq!(chosen(&[RejectOnce, AllowOnce], true), Some(AllowOnce));
    }

    #[test]
    fn a_yes_for_ever_is_a_no() {
        assert_eq!(chosen(&[AllowAlways, RejectOnce], true), Some(RejectOnce));
        assert_eq!(chosen(&[AllowAlways], true), None);
    }

    #[test]
    fn a_no_is_for_once_where_that_is_offered() {
        assert_eq!(
            chosen(&[AllowOnce, RejectAlways, RejectOnce], false),
            Some(RejectOnce)
        );
        assert_eq!(chosen(&[AllowOnce, RejectAlways], false), Some(RejectAlways));
        assert_eq!(chosen(&[AllowOnce, AllowAlways], false), None);
        assert_eq!(chosen(&[], true), None);
    }
}
