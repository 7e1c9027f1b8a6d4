//! Commands about tools: verdicts, calls, answers to questions, grants.

use std::sync::Arc;

use kata_ipc::{
    command::{CallTool, CheckTool, GrantRef, ResolveApproval},
    event::Answer,
};
use kata_perm::{
    Decision, ToolCall,
    gate::{self, Resolution},
};
use kata_store::AnsweredWhat;
use serde_json::json;
use tower::ServiceExt as _;

use super::Refused;
use crate::{daemon::Daemon, gate::Docket, stack, wire};

/// A verdict for a host that runs the agent itself. `ask` comes with the question that was put: the host is told when it
/// is answered, and then asks for the verdict again.
pub(super) async fn check(
    daemon: &Arc<Daemon>,
    check: CheckTool,
    request_id: Option<&str>,
) -> Result<Answer, Refused> {
    let docket = docket(daemon, &check).caused_by(request_id);
    let call = ToolCall::new(check.tool, check.input);
    let verdict = gate::decide(&docket, &call).await.map_err(unsure)?;
    if verdict.decision != Decision::Ask {
        return Ok(Answer::with(wire::verdict(verdict)));
    }
    let asked = docket.put(&call, &verdict).await.map_err(unsure)?;
    let mut answer = wire::verdict(verdict);
    answer.approval_id = Some(asked.id);
    if let Some(Resolution::Denied { reason }) = asked.so_far() {
        answer.verdict = kata_ipc::event::Verdict::Deny;
        answer.reason = reason.map_or_else(
            || format!("{} was denied by the person who was asked", call.tool),
            |why| format!("{} was denied by the person who was asked: {why}", call.tool),
        );
        return Ok(Answer::with(answer));
    }
    // D12: the turn's clocks stand still until the answer, whoever waits for it.
    daemon.tasks.spawn(async move { docket.wait(asked).await });
    Ok(Answer::with(answer))
}

/// The open turn that is meant, or nobody's.
fn docket(daemon: &Arc<Daemon>, check: &CheckTool) -> Docket {
    let turns = &daemon.open_turns;
    let by_row = check.message_id.and_then(|row| turns.by_id(row));
    let by_session = || {
        let (docket, _) = turns.by_session(Some(&check.workspace_id), check.session_key.as_deref()?)?;
        Some(docket)
    };
    match by_row.or_else(by_session) {
        // A row of another workspace borrows nothing here.
        Some(docket) if docket.workspace == check.workspace_id => (*docket).clone(),
        _ => Docket::without_a_turn(daemon, &check.workspace_id),
    }
}

/// Calls a plugin's tool on behalf of the session's open turn, through the same gate as its agent.
pub(super) async fn call(
    daemon: &Arc<Daemon>,
    call: CallTool,
    request_id: Option<&str>,
) -> Result<Answer, Refused> {
    let Some((docket, turn)) = daemon.open_turns.by_session(None, &call.session_key) else {
        return Err(Refused::not_found(format!(
            "session {:?} has no open turn; a tool is called on behalf of one",
            call.session_key
        )));
    };
    let docket = Arc::new((*docket).clone().caused_by(request_id));
    let call = ToolCall::new(call.tool, call.input);
    match stack::tool(daemon, &docket, &turn).oneshot(call).await {
        Ok(output) => Ok(Answer::with(output.content)),
        Err(error) => {
            let code = if error.is::<gate::Refused>() {
                "denied"
            } else {
                "tool"
            };
            Err(Refused::new(code, error.to_string()))
        }
    }
}

/// The person at the desk answers a question.
pub(super) async fn resolve(daemon: &Arc<Daemon>, answer: ResolveApproval) -> Result<Answer, Refused> {
    let id = answer.approval_id;
    let answered = daemon.gate.approvals.resolve(daemon, answer).await?;
    match answered.what {
        AnsweredWhat::Taken => Ok(Answer::done()),
        AnsweredWhat::Already => Err(Refused::new(
            "already_resolved",
            format!("approval {id} was answered already, or taken back; the first answer counts"),
        )),
        AnsweredWhat::TooLate => Err(Refused::new(
            "expired",
            format!("approval {id} has expired; if the call is still wanted, it is asked for again"),
        )),
        AnsweredWhat::NotAllowed | AnsweredWhat::Unknown => {
            Err(Refused::not_found(format!("there is no approval {id}")))
        }
    }
}

/// Ends a grant before its time.
pub(super) async fn revoke(daemon: &Daemon, grant: GrantRef) -> Result<Answer, Refused> {
    if daemon.store.revoke_grant(grant.grant_id, "the host").await? {
        Ok(Answer::with(json!({"grantId": grant.grant_id})))
    } else {
        Err(Refused::not_found(format!(
            "there is no grant {} in force",
            grant.grant_id
        )))
    }
}

fn unsure(error: gate::Error) -> Refused {
    Refused::new("gate", error.to_string())
}
