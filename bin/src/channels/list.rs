//! `katad channels list`: what the folder has, and where the tokens are.

use kata_ipc::config::RawConfig;
use serde_json::json;

use crate::{
    daemon::TokensOf,
    exit::Exit,
    folder::{Local, Workspace},
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
}

/// Prints the channels of every workspace.
pub(crate) fn run(as_json: bool) -> Exit {
    let local = match Local::read() {
        Ok(local) => local,
        Err(exit) => return exit,
    };
    let lines: Vec<Line> = local
        .folder
        .workspaces
        .iter()
        .flat_map(|workspace| workspace.configs.iter().map(|raw| line(&local, workspace, raw)))
        .collect();
    for refusal in &local.folder.refusals {
        terminal::fail(&refusal.error, Exit::BadConfig);
    }
    match (as_json, lines.is_empty()) {
        (true, _) => print_json(&lines),
        (false, true) => terminal::say("No channel is configured; `katad channels add` writes one."),
        (false, false) => print(lines),
    }
}

fn line(local: &Local, workspace: &Workspace, raw: &RawConfig) -> Line {
    let vault = local.vault.of(&local.folder, workspace);
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
    }
}

fn print(lines: Vec<Line>) -> Exit {
    let rows: Vec<[String; 5]> = lines
        .into_iter()
        .map(|line| {
            let state = if line.is_on { "on" } else { "off" };
            let token = line.token.unwrap_or("none");
            [
                line.slug,
                line.workspace,
                line.adapter,
                state.to_owned(),
                token.to_owned(),
            ]
        })
        .collect();
    terminal::say(terminal::table(
        ["CHANNEL", "WORKSPACE", "PLATFORM", "STATE", "TOKEN FROM"],
        &rows,
    ))
}

fn print_json(lines: &[Line]) -> Exit {
    let channels: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({
                "slug": line.slug, "workspaceId": line.workspace, "adapter": line.adapter, "enabled": line.is_on,
                "tokenFrom": line.token,
            })
        })
        .collect();
    terminal::json(&channels)
}
