//! `katad channels check`: tries channels out against their platforms.

use kata_ipc::config::RawConfig;

use crate::{
    exit::Exit,
    folder::{Local, Workspace},
    terminal,
    tryout::{self, Tried},
};

/// Tries one channel, or all that are switched on. The exit code is that of the worst.
pub(crate) fn run(slug: Option<&str>, workspace: Option<&str>) -> Exit {
    let checked = Local::read().and_then(|local| {
        let workspaces = match workspace {
            Some(_) => {
                let found = local.workspace(workspace);
                vec![found.map_err(|why| terminal::fail(why, Exit::BadConfig))?]
            }
            None => local.folder.workspaces.iter().collect(),
        };
        let mut worst = Exit::Done;
        for refusal in &local.folder.refusals {
            worst = terminal::fail(&refusal.error, Exit::BadConfig);
        }
        let all = workspaces
            .into_iter()
            .flat_map(|workspace| workspace.configs.iter().map(move |raw| (workspace, raw)));
        let meant: Vec<_> = all
            .filter(|(_, raw)| match slug {
                Some(slug) => raw.slug() == Some(slug),
                None => raw.is_enabled(),
            })
            .collect();
        if let (Some(slug), []) = (slug, &meant[..]) {
            return Err(terminal::fail(
                format_args!("there is no channel {slug:?}; `katad channels list` shows them"),
                Exit::BadConfig,
            ));
        }
        let runtime = crate::runtime().map_err(|why| terminal::fail(why, Exit::Bug))?;
        for (workspace, raw) in meant {
            let tried = runtime.block_on(check(&local, workspace, raw));
            worst = worse(worst, report(workspace, raw, tried));
        }
        Ok(worst)
    });
    checked.unwrap_or_else(|exit| exit)
}

async fn check(local: &Local, workspace: &Workspace, raw: &RawConfig) -> Tried {
    let tokens = local.vault.of(&local.folder, workspace);
    match super::spec(local, workspace, &tokens, raw) {
        Ok(spec) => tryout::channel(&spec).await,
        Err(why) => Tried::Refused(why),
    }
}

fn report(workspace: &Workspace, raw: &RawConfig, tried: Tried) -> Exit {
    let name = format!("{} ({})", raw.slug().unwrap_or("?"), workspace.id);
    match tried {
        Tried::Connected(identity, problems) if problems.is_empty() => {
            let off = if raw.is_enabled() {
                ""
            } else {
                ", but it is switched off"
            };
            terminal::say(format_args!("{name}: good; the bot is {:?}{off}", identity.name))
        }
        Tried::Connected(_, problems) => problems.into_iter().fold(Exit::Done, |_, problem| {
            terminal::fail(format_args!("{name}: {problem}"), Exit::BadConfig)
        }),
        Tried::Refused(why) => terminal::fail(format_args!("{name}: {why}"), Exit::BadConfig),
        Tried::Unreached(why) => terminal::fail(format_args!("{name}: {why}"), Exit::TryLater),
    }
}

/// What has to be mended weighs more than what may pass.
fn worse(a: Exit, b: Exit) -> Exit {
    match (a, b) {
        (Exit::BadConfig, _) | (_, Exit::BadConfig) => Exit::BadConfig,
        (Exit::Done, other) => other,
        (other, _) => other,
    }
}
