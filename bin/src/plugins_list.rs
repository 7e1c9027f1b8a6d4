//! `katad plugins`: what this build has.

use crate::{exit::Exit, plugins, query, tasks::Desk, terminal};

/// Prints the plugins and what they bring.
pub(crate) fn run(as_json: bool) -> Exit {
    let plugins = match plugins::all(&Desk::default()) {
        Ok(plugins) => plugins,
        Err(why) => return terminal::fail(why, Exit::Bug),
    };
    let listed = query::plugins_of_build(&plugins);
    if as_json {
        return terminal::json(&serde_json::json!(listed));
    }
    let rows: Vec<[String; 5]> = listed
        .into_iter()
        .map(|p| {
            [
                p.plugin_id,
                p.version,
                p.channels.join(", "),
                p.tools.join(", "),
                p.actions.join(", "),
            ]
        })
        .collect();
    terminal::say(terminal::table(
        ["PLUGIN", "VERSION", "CHANNELS", "TOOLS", "ACTIONS"],
        &rows,
    ))
}
