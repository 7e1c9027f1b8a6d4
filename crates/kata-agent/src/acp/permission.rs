//! What an agent is told when it asks for permission.

use agent_client_protocol::v1::schema::{
    PermissionOption,
    PermissionOptionKind::{self, AllowOnce, RejectAlways, RejectOnce},
    RequestPermissionOutcome, RequestPermissionRequest, SelectedPermissionOutcome,
};
use kata_perm::gate;

use super::open::OpenTurn;

/// Decides a request of an open turn. May take as long as a person does.
///
/// # Cancel safety
/// Cancel safe, as [`gate::admit`] is.
pub(super) async fn decide(open: &OpenTurn, request: RequestPermissionRequest) -> RequestPermissionOutcome {
    let told = open.told(request.tool_call);
    let _room = open.room().await;
    // A tool of ours comes to the daemon's own gate when it is called, with the arguments that it is called with: asked
    // here as well, a person would answer twice. This trusts the agent for the tool's name, and for no more than it is
    // trusted anyway: an agent that would misname a tool need not ask at all.
    if open
        .server
        .as_ref()
        .is_some_and(|server| told.is_of_server(server))
    {
        return choose(&request.options, true);
    }
    let call = told.call(&open.directory);
    let admitted = tokio::select! {
        biased;
        () = open.over.cancelled() => return RequestPermissionOutcome::Cancelled,
        admitted = gate::admit(&*open.turn.authority, &call) => admitted,
    };
    match admitted {
        Ok(()) => choose(&request.options, true),
        Err(refused) => {
            open.refused(refused.to_string());
            choose(&request.options, false)
        }
    }
}

/// Refuses, where nothing is open that could allow it.
pub(super) fn refuse(request: &RequestPermissionRequest) -> RequestPermissionOutcome {
    choose(&request.options, false)
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
