//! `files.info`.

use serde_json::json;

use super::Answer;
use crate::slack::{args::Args, json, state::State};

/// <https://docs.slack.dev/reference/methods/files.info>
pub(super) fn info(state: &State, args: &Args) -> Answer {
    let file = state
        .world
        .files
        .get(args.required("file")?)
        .ok_or("file_not_found")?;
    Ok(json!({
        "file": json::file(file, &state.base), "comments": [], "response_metadata": {"next_cursor": ""},
    }))
}
