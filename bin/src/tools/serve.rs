//! The daemon's end of the socket.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kata_ipc::{
    event::view::PairingView,
    socket::{self, Answers, Arrival, Ask, Data, Request, RequestError},
};
use kata_perm::ToolCall;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::sessions::Session;
use crate::{commands::Refused, daemon::Daemon, open::sentence, pairing, query, stack};

/// Clients at once.
const CLIENTS: usize = 512;
/// Clients at once with one session's secret, and of the command line: so that one cannot take the places of others. An
/// agent has one as a rule.
const CLIENTS_OF_ONE: usize = 8;
/// Requests of a client under way at once; the next one is read when one is answered.
const REQUESTS: usize = 16;
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
    let guests = Guests::default();
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            Some(_) = clients.join_next(), if !clients.is_empty() => {}
            arrival = listener.accept(), if clients.len() < CLIENTS => match arrival {
                Ok(arrival) => {
                    clients.spawn(client(Arc::clone(&daemon), guests.clone(), arrival));
                }
                Err(error) => {
                    tracing::warn!(%error, "the tools' socket gives no connection");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
}

/// How many clients each session has, and the command line.
#[derive(Clone, Debug, Default)]
struct Guests(Arc<Mutex<HashMap<Option<Session>, usize>>>);

/// A client's place, given back when it is dropped.
struct Seat {
    guests: Guests,
    session: Option<Session>,
}

// === impl Guests ===

impl Guests {
    fn take(&self, session: Option<&Session>) -> Option<Seat> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(session.cloned()).or_default();
        (*count < CLIENTS_OF_ONE).then(|| {
            *count += 1;
            Seat {
                guests: self.clone(),
                session: session.cloned(),
            }
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.session);
            }
        }
    }
}

async fn client(daemon: Arc<Daemon>, guests: Guests, arrival: Arrival) {
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
    let Some(_place) = guests.take(session.as_ref()) else {
        let _ = guest
            .refuse("too many connections are open already for this session; close some")
            .await;
        return;
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
            request = requests.next(), if calls.len() < REQUESTS => match request {
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
        (Ask::Plugins, _) => Ok(Data::Plugins(query::running_plugins(&daemon))),
        (Ask::Grants, _) => query::live_grants(&daemon).await.map(Data::Grants),
        (Ask::RevokeGrant { grant_id }, _) => {
            let revoked = daemon.store.revoke_grant(grant_id, "the command line").await;
            revoked.map(Data::Revoked).map_err(|error| error.to_string())
        }
        (Ask::Pair { .. } | Ask::Unpair { .. }, Some(_)) => {
            Err("who may speak is not an agent's to decide".to_owned())
        }
        (Ask::Pair { code }, None) => {
            paired(pairing::pair(&daemon, pairing::code(code, None, "the command line")).await)
        }
        (Ask::Unpair { pairing_id }, None) => {
            paired(pairing::unpair(&daemon, pairing_id, "the command line").await)
        }
    };
    if let Err(error) = answers.send(request.id, outcome).await {
        tracing::debug!(%error, "a client did not wait for its answer");
    }
}

fn paired(done: Result<PairingView, Refused>) -> Result<Data, String> {
    done.map(Data::Pairing)
        .map_err(|refused| refused.message().to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_opens_many_connections_takes_no_others_place() {
        let guests = Guests::default();
        let session = |key: &str| Session {
            workspace: "w1".into(),
            key: key.into(),
        };
        let one = session("one");
        let mut places: Vec<Seat> = std::iter::from_fn(|| guests.take(Some(&one))).collect();
        assert_eq!(places.len(), CLIENTS_OF_ONE);
        assert!(guests.take(Some(&session("other"))).is_some());
        assert!(guests.take(None).is_some());
        places.pop();
        assert!(guests.take(Some(&one)).is_some());
    }
}
