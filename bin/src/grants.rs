//! `katad grants`: what agents may do beyond the rules for good, and taking it back. Reads the file, also while the daemon
//! runs; what changes something goes through the daemon that runs, since only one process writes.

use std::sync::Arc;

use kata_channel::Clock;
use kata_ipc::event::view::GrantView;
use kata_store::{GrantFilter, UnixMs};

use crate::{
    cli::GrantsCommand,
    exit::Exit,
    home::{self, Home, Lock, LockError},
    open::{self, sentence},
    query, status, terminal, tools,
};

/// More are not shown at once.
const MOST: usize = 1000;

/// Lists or revokes.
pub(crate) fn run(command: Option<&GrantsCommand>, all: bool, as_json: bool) -> Exit {
    let home = match Home::from_env() {
        Ok(home) => home,
        Err(why) => return terminal::fail(why, Exit::BadConfig),
    };
    match command {
        None => list(&home, all, as_json),
        Some(GrantsCommand::Revoke { grant }) => match revoke(&home, *grant) {
            Ok(true) => terminal::say(format_args!("Grant {grant} is revoked.")),
            Ok(false) => terminal::fail(
                format!("there is no grant {grant} in force; `katad grants` lists those that are"),
                Exit::BadConfig,
            ),
            Err(why) => terminal::fail(why, Exit::TryLater),
        },
    }
}

fn list(home: &Home, all: bool, as_json: bool) -> Exit {
    let now = UnixMs(Clock::system().wall().as_millis());
    let filter = GrantFilter {
        live_at: (!all).then_some(now),
        ..GrantFilter::default()
    };
    let listed =
        status::open(home).and_then(|view| view.grants(&filter, None, MOST).map_err(|e| sentence(&e)));
    let grants: Vec<GrantView> = match listed {
        Ok(listed) => listed.into_iter().map(|g| query::grant(g, now)).collect(),
        Err(why) => return terminal::fail(why, Exit::TryLater),
    };
    if as_json {
        return terminal::json(&serde_json::json!(grants));
    }
    if grants.is_empty() {
        return terminal::say("No grant is in force.");
    }
    let rows: Vec<[String; 6]> = grants.iter().map(columns).collect();
    terminal::say(terminal::table(
        ["GRANT", "TOOL", "WHERE", "FROM", "USED", "UNTIL"],
        &rows,
    ))
}

fn columns(grant: &GrantView) -> [String; 6] {
    let place = match (&grant.channel_id, &grant.conversation) {
        (Some(channel), Some(conversation)) => format!("{}/{channel}/{conversation}", grant.workspace_id),
        _ => grant.workspace_id.clone(),
    };
    let from = match (&grant.rule, grant.approval_id) {
        (Some(rule), _) => rule.clone(),
        (None, Some(approval)) => format!("approval {approval}"),
        (None, None) => String::new(),
    };
    let used = match grant.uses {
        Some(uses) => format!("{} of {uses}", grant.used),
        None => grant.used.to_string(),
    };
    [
        grant.grant_id.to_string(),
        grant.tool.clone(),
        place,
        from,
        used,
        grant.expires_at.clone().unwrap_or_default(),
    ]
}

/// Ends a grant: by the daemon if one runs, else in its place.
fn revoke(home: &Home, grant: i64) -> Result<bool, String> {
    let runtime = crate::runtime().map_err(|e| e.to_string())?;
    match Lock::try_take(&home.lock_file()) {
        Err(LockError::Held { .. }) => {
            runtime.block_on(tools::ask(home, async |daemon| daemon.revoke_grant(grant).await))
        }
        Err(why) => Err(why.to_string()),
        Ok(_lock) => runtime.block_on(in_its_place(home, grant)),
    }
}

async fn in_its_place(home: &Home, grant: i64) -> Result<bool, String> {
    status::open(home)?;
    let config = home::parse_daemon_json(&home.daemon_json())?;
    let opened = open::store(home, &config, &Clock::system()).map_err(|e| open::refusal(home, &e))?;
    let store = Arc::new(opened.store);
    let revoked = store.revoke_grant(grant, "the command line").await;
    let closed = store.close().await;
    let revoked = revoked.map_err(|e| e.to_string())?;
    closed.map_err(|e| e.to_string())?;
    Ok(revoked)
}
