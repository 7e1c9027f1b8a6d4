//! What a host would be told, in words for the log.

use kata_ipc::{
    Event,
    event::{ApprovalRequested, ChannelStatus, ConnectionStatus, MessageFailed, PairingRequested, Verdict},
};
use tokio::sync::mpsc;

/// Says what is heard, until nobody tells any more.
pub(crate) async fn tell(mut heard: mpsc::Receiver<Event>) {
    while let Some(event) = heard.recv().await {
        say(event);
    }
}

fn say(event: Event) {
    match event {
        Event::ChannelStatus(status) => channel(&status),
        Event::MessageFailed(failed) => message(&failed),
        Event::PairingRequested(asked) => pairing(&asked),
        Event::ApprovalRequested(asked) => approval(&asked),
        Event::ApprovalResolved(resolved) => {
            let id = resolved.approval_id;
            let decision = resolved.decision;
            tracing::info!(tool = resolved.tool, ?decision, "question {id} is closed");
        }
        Event::ToolCall(call) if call.verdict == Verdict::Deny => {
            tracing::info!(tool = call.tool, rule = call.rule, "a tool call was denied");
        }
        Event::TaskFired(task) => {
            tracing::info!(workspace = task.workspace_id, "task {} fired", task.task_id)
        }
        Event::QrCode(code) => tracing::info!(channel = code.channel_id, "scan this code: {}", code.data),
        Event::MessageReceived(message) => {
            tracing::debug!(channel = message.channel_id, msg = message.message_id, "stored");
        }
        Event::MessageSent(sent) => {
            tracing::debug!(
                channel = sent.channel_id,
                msg = sent.message_id,
                "the answer is out"
            );
        }
        // What people must act on was logged where it arose, and the rest is the log's already.
        _ => {}
    }
}

fn channel(status: &ChannelStatus) {
    let channel = &status.channel_id;
    let workspace = &status.workspace_id;
    let state = match status.status {
        ConnectionStatus::Connecting => "connecting",
        ConnectionStatus::Connected => "connected",
        ConnectionStatus::Degraded => "degraded",
        ConnectionStatus::AuthExpired => "needs a new token",
        ConnectionStatus::RateLimited => "rate limited",
        ConnectionStatus::Stopped => "stopped",
    };
    match &status.error {
        Some(fault) => tracing::warn!(channel, workspace, "the channel is {state}: {}", fault.message),
        None => tracing::info!(channel, workspace, "the channel is {state}"),
    }
}

fn message(failed: &MessageFailed) {
    let next = match &failed.next_attempt_at {
        Some(at) => format!("it is tried again at {at}"),
        None => "it is parked".to_owned(),
    };
    let (row, attempt, error) = (failed.message_id, failed.attempt, &failed.error);
    tracing::warn!(
        channel = failed.channel_id,
        attempt,
        "message {row}: {error}; {next}"
    );
}

fn pairing(asked: &PairingRequested) {
    let (sender, code, until) = (&asked.sender, &asked.code, &asked.expires_at);
    tracing::info!(
        channel = asked.channel_id,
        workspace = asked.workspace_id,
        "{sender} asks to be let in with the code {code}, until {until}"
    );
}

fn approval(asked: &ApprovalRequested) {
    tracing::info!(
        tool = asked.tool,
        channel = asked.channel_id,
        "question {} waits for an owner in its conversation",
        asked.approval_id
    );
}
