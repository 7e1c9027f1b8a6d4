//! `katad pair`: who was let in beside those whom the settings name, letting somebody in, and putting out again. Reads the
//! file, also while the daemon runs; what changes something goes through the daemon that runs, as with `katad grants`.

use kata_channel::Clock;
use kata_ipc::{
    event::view::{PairingState, PairingView},
    socket,
};

use crate::{
    exit::Exit,
    home::{self, Home, Lock, LockError},
    open::{self, sentence},
    pairing, status, terminal, tools,
};

/// More are not shown at once.
const MOST: usize = 1000;
/// Who lets somebody in from here.
const BY: &str = "the command line";

/// What is to change.
enum Change<'a> {
    Pair(&'a str),
    Revoke(i64),
}

/// Lists, confirms or takes back.
pub(crate) fn run(code: Option<&str>, revoke: Option<i64>, all: bool, as_json: bool) -> Exit {
    let home = match Home::from_env() {
        Ok(home) => home,
        Err(why) => return terminal::fail(why, Exit::BadConfig),
    };
    let change = match (code, revoke) {
        (Some(code), _) => Change::Pair(code),
        (None, Some(pairing)) => Change::Revoke(pairing),
        (None, None) => return list(&home, all, as_json),
    };
    match carry_out(&home, &change) {
        Ok(Ok(done)) if as_json => terminal::json(&serde_json::json!(done)),
        Ok(Ok(done)) => terminal::say(match change {
            Change::Pair(_) => format!("{} may now speak in {}.", who(&done), place(&done)),
            Change::Revoke(_) => format!("{} may no longer speak in {}.", who(&done), place(&done)),
        }),
        Ok(Err(refused)) => terminal::fail(refused, Exit::BadConfig),
        Err(why) => terminal::fail(why, Exit::TryLater),
    }
}

fn list(home: &Home, all: bool, as_json: bool) -> Exit {
    let now = Clock::system().wall();
    let listed = status::open(home).and_then(|view| view.pairings(all, None, MOST).map_err(|e| sentence(&e)));
    let pairings: Vec<PairingView> = match listed {
        Ok(listed) => listed
            .into_iter()
            .map(|pairing| pairing::shown(pairing, now))
            .filter(|p| all || matches!(p.state, PairingState::Asked | PairingState::Paired))
            .collect(),
        Err(why) => return terminal::fail(why, Exit::TryLater),
    };
    if as_json {
        return terminal::json(&serde_json::json!(pairings));
    }
    if pairings.is_empty() {
        return terminal::say("Nobody is paired, and nobody waits.");
    }
    let rows: Vec<[String; 5]> = pairings.iter().map(columns).collect();
    terminal::say(terminal::table(
        ["PAIRING", "CHANNEL", "SENDER", "STATE", "SINCE"],
        &rows,
    ))
}

fn columns(pairing: &PairingView) -> [String; 5] {
    let state = match pairing.state {
        PairingState::Asked => "waits",
        PairingState::Paired => "paired",
        PairingState::Expired => "expired",
        PairingState::Revoked => "revoked",
    };
    let since = pairing.paired_at.as_ref().unwrap_or(&pairing.asked_at);
    [
        pairing.pairing_id.to_string(),
        place(pairing),
        who(pairing),
        state.to_owned(),
        since.clone(),
    ]
}

fn place(pairing: &PairingView) -> String {
    format!("{}/{}", pairing.workspace_id, pairing.channel_id)
}

fn who(pairing: &PairingView) -> String {
    match &pairing.name {
        Some(name) => format!("{name} ({})", pairing.sender),
        None => pairing.sender.clone(),
    }
}

/// By the daemon if one runs, else in its place. The inner error is a refusal, the outer one says that it was not tried.
fn carry_out(home: &Home, change: &Change<'_>) -> Result<Result<PairingView, String>, String> {
    let runtime = crate::runtime().map_err(|e| e.to_string())?;
    match Lock::try_take(&home.lock_file()) {
        Err(LockError::Held { .. }) => runtime.block_on(ask_the_daemon(home, change)),
        Err(why) => Err(why.to_string()),
        Ok(_lock) => runtime.block_on(in_its_place(home, change)),
    }
}

async fn ask_the_daemon(home: &Home, change: &Change<'_>) -> Result<Result<PairingView, String>, String> {
    let (client, link) = socket::connect(&tools::socket(home), None)
        .await
        .map_err(|e| sentence(&e))?;
    let asking = async {
        match change {
            Change::Pair(code) => client.pair(*code).await,
            Change::Revoke(pairing) => client.unpair(*pairing).await,
        }
    };
    let done = tokio::select! {
        done = asking => done,
        ended = link.run() => return Err(match ended {
            Ok(()) => "the daemon closed the connection".to_owned(),
            Err(error) => error.to_string(),
        }),
    };
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(socket::AskError::Refused(why)) => Ok(Err(why)),
        Err(error) => Err(error.to_string()),
    }
}

async fn in_its_place(home: &Home, change: &Change<'_>) -> Result<Result<PairingView, String>, String> {
    status::open(home)?;
    let config = home::parse_daemon_json(&home.daemon_json())?;
    let clock = Clock::system();
    let store = open::store(home, &config, &clock)
        .map_err(|e| open::refusal(home, &e))?
        .store;
    let done = match change {
        Change::Pair(code) => {
            let outcome = store.pair(pairing::code((*code).to_owned(), None, BY)).await;
            outcome.map(pairing::confirmed)
        }
        Change::Revoke(id) => {
            let revoked = store.unpair(*id, BY).await;
            revoked.map(|found| found.ok_or_else(|| pairing::over(*id)))
        }
    };
    let closed = store.close().await;
    let done = done.map_err(|e| e.to_string())?;
    closed.map_err(|e| e.to_string())?;
    Ok(done
        .map(|pairing| pairing::shown(pairing, clock.wall()))
        .map_err(|refused| refused.message().to_owned()))
}
