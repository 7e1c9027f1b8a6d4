//! `katad channels list`: what the folder has, where the tokens are, and what is wrong as far as no platform is asked.

use std::sync::Arc;

use kata_channel::{Adapter, Clock, ingress::Trigger};
use kata_ipc::config::RawConfig;
use serde_json::json;
use tokio_util::task::TaskTracker;

use crate::{
    daemon::{Spec, TokensOf},
    exit::Exit,
    folder::{Local, OfWorkspace, Workspace},
    terminal,
};

/// A channel, as it is shown.
struct Line {
    slug: String,
    workspace: String,
    adapter: String,
    is_on: bool,
    /// Where its token comes from; none where there is none.
    token: Option<&'static str>,
    /// Why it would not run. Of a channel that is switched off nothing is said.
    problem: Option<String>,
}

/// Prints the channels of every workspace.
pub(crate) fn run(as_json: bool) -> Exit {
    let local = match Local::read() {
        Ok(local) => local,
        Err(exit) => return exit,
    };
    let lines = lines(&local);
    for refusal in &local.folder.refusals {
        terminal::fail(&refusal.error, Exit::BadConfig);
    }
    match (as_json, lines.is_empty()) {
        (true, _) => print_json(&lines),
        (false, true) => terminal::say("No channel is configured; `katad channels add` writes one."),
        (false, false) => print(&lines),
    }
}

fn lines(local: &Local) -> Vec<Line> {
    // Held until all are looked at: two that serve the same are found by that.
    let mut made: Vec<(Spec, Arc<dyn Adapter>)> = Vec::new();
    let mut lines = Vec::new();
    for workspace in &local.folder.workspaces {
        let vault = local.vault.of(&local.folder, workspace);
        for raw in &workspace.configs {
            let problem = if raw.is_enabled() {
                make(local, workspace, &vault, raw, &made)
                    .map(|one| made.push(one))
                    .err()
            } else {
                None
            };
            lines.push(line(workspace, &vault, raw, problem));
        }
    }
    lines
}

/// Makes the channel as the daemon would. No connection is opened.
fn make(
    local: &Local,
    workspace: &Workspace,
    vault: &OfWorkspace<'_>,
    raw: &RawConfig,
    made: &[(Spec, Arc<dyn Adapter>)],
) -> Result<(Spec, Arc<dyn Adapter>), String> {
    let spec = super::spec(local, workspace, vault, raw)?;
    if made.iter().any(|(known, _)| known.key == spec.key) {
        return Err(
            "a channel and a source have this name, and only the channel is run; rename one of them"
                .to_owned(),
        );
    }
    Trigger::compile(spec.filter.patterns()).map_err(|why| why.to_string())?;
    let adapter = spec
        .adapter(Clock::system(), TaskTracker::new())
        .map_err(|refusal| refusal.error)?;
    Ok((spec, adapter))
}

fn line(workspace: &Workspace, vault: &OfWorkspace<'_>, raw: &RawConfig, problem: Option<String>) -> Line {
    let tokens = raw
        .parse()
        .ok()
        .and_then(|config| vault.tokens(&workspace.id, &config).ok());
    Line {
        slug: raw.slug().unwrap_or("?").to_owned(),
        workspace: workspace.id.clone(),
        adapter: raw.adapter().unwrap_or("?").to_owned(),
        is_on: raw.is_enabled(),
        token: tokens.and_then(|tokens| tokens.token.and(tokens.from)),
        problem,
    }
}

fn print(lines: &[Line]) -> Exit {
    let row = |line: &Line| {
        let state = match (line.is_on, &line.problem) {
            (false, _) => "off",
            (true, None) => "on",
            (true, Some(_)) => "cannot run",
        };
        [
            line.slug.clone(),
            line.workspace.clone(),
            line.adapter.clone(),
            state.to_owned(),
            line.token.unwrap_or("none").to_owned(),
        ]
    };
    let rows: Vec<[String; 5]> = lines.iter().map(row).collect();
    terminal::say(terminal::table(
        ["CHANNEL", "WORKSPACE", "PLATFORM", "STATE", "TOKEN FROM"],
        &rows,
    ));
    for line in lines {
        if let Some(problem) = &line.problem {
            terminal::say(format_args!("{} ({}): {problem}", line.slug, line.workspace));
        }
    }
    Exit::Done
}

fn print_json(lines: &[Line]) -> Exit {
    let channels: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({
                "slug": line.slug, "workspaceId": line.workspace, "adapter": line.adapter, "enabled": line.is_on,
                "tokenFrom": line.token, "problem": line.problem,
            })
        })
        .collect();
    terminal::json(&channels)
}
