//! The daemon's end of the socket.

use std::{sync::Arc, time::Duration};

use kata_ipc::socket::{self, Answers, Arrival, Ask, Data, Request, RequestError};
use kata_perm::ToolCall;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::sessions::Session;
use crate::{daemon::Daemon, open::sentence, query, stack};

/// Clients at once. Each agent has one, and the command line one for a moment.
const CLIENTS: usize = 256;
/// The command line asks at once, and goes: who only stays takes a place from others.
const COMMAND_LINE: Duration = Duration::from_secs(5);
/// How long to wait when the system gives no connection.
const BREATH: Duration = Duration::from_secs(1);

/// Serves tools until `stop`. Without a socket agents have no tools of ours, and the daemon goes on.
pub(crate) async fn serve(daemon: Arc<Daemon>, stop: CancellationToken) {
    let listener = match socket::listen(super::socket(&daemon.home)) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(error = sentence(&error), "agents get no tools of ours");
            return stop.cancelled().await;
        }
    };
    daemon.gate.tools.set_served();
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            Some(_) = clients.join_next(), if !clients.is_empty() => {}
            arrival = listener.accept(), if clients.len() < CLIENTS => match arrival {
                Ok(arrival) => {
                    clients.spawn(client(Arc::clone(&daemon), arrival));
                }
                Err(error) => {
                    tracing::warn!(%error, "the tools' socket gives no connection");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
}

async fn client(daemon: Arc<Daemon>, arrival: Arrival) {
    let guest = match arrival.greeted().await {
        Ok(guest) => guest,
        Err(error) => return tracing::debug!(%error, "a client of the tools' socket went"),
    };
    let session = match guest.secret() {
        None => None,
        Some(secret) => match daemon.gate.tools.find(secret) {
            Some(session) => Some(session),
            None => {
                let _ = guest
                    .refuse("this secret stands for no session of the running daemon")
                    .await;
                return;
            }
        },
    };
    let Ok((mut requests, answers)) = guest.welcome().await else {
        return;
    };
    // Dropped with the connection: a call whose agent is gone ends.
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = calls.join_next(), if !calls.is_empty() => {}
            () = tokio::time::sleep(COMMAND_LINE), if session.is_none() => return,
            request = requests.next() => match request {
                Ok(Some(request)) => {
                    calls.spawn(answer(Arc::clone(&daemon), session.clone(), request, answers.clone()));
                }
                Ok(None) => return,
                Err(RequestError::NotUnderstood { id, why }) => {
                    let _ = answers.send(id, Err(why.to_string())).await;
                }
                Err(error) => return tracing::debug!(%error, "a client of the tools' socket went"),
            },
        }
    }
}

async fn answer(daemon: Arc<Daemon>, session: Option<Session>, request: Request, answers: Answers) {
    let outcome = match (request.ask, session) {
        (Ask::List, Some(session)) => Ok(Data::Tools(
            super::of_workspace(&daemon, &session.workspace).collect(),
        )),
        (Ask::Call { tool, input }, Some(session)) => {
            call(&daemon, &session, ToolCall::new(tool, input)).await
        }
        (Ask::List | Ask::Call { .. }, None) => {
            Err("tools are for sessions: say hello with a session's secret".to_owned())
        }
        (Ask::Grants, _) => query::live_grants(&daemon).await.map(Data::Grants),
        (Ask::RevokeGrant { grant_id }, _) => {
            let revoked = daemon.store.revoke_grant(grant_id, "the command line").await;
            revoked.map(Data::Revoked).map_err(|error| error.to_string())
        }
    };
    if let Err(error) = answers.send(request.id, outcome).await {
        tracing::debug!(%error, "a client did not wait for its answer");
    }
}

async fn call(daemon: &Arc<Daemon>, session: &Session, call: ToolCall) -> Result<Data, String> {
    let (docket, turn) = daemon
        .open_turns
        .by_session(Some(&session.workspace), &session.key)
        .ok_or("no turn of this session is open; tools are called in a turn")?;
    let output = stack::tool(daemon, &docket, &turn).oneshot(call).await;
    output
        .map(|output| Data::Output(output.content))
        .map_err(|error| error.to_string())
}
