//! Writes `docs/platforms.md` from what the adapters say of themselves, and keeps it in step. The conformance suite goes by it.

use std::{collections::BTreeMap, fs, sync::Arc};

use kata_channel::{
    Adapter, ChannelKey, Clock, Unit,
    settings::{Filter, Settings},
};
use kata_plugin::ChannelContext;
use tokio_util::task::TaskTracker;

use super::all;
use crate::tasks::Desk;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/platforms.md");

const HEAD: &str = "# What each platform has

This page is written from the adapters by a test: `UPDATE_DOCS=1 cargo test -p katad platforms` writes it anew. The conformance
suite ([tests](../tests/README.md)) goes by it: what a platform has must work there as on every other one, and where it has a
thing not, the suite shows what is true without. Cards alone are shown by each platform's own tests.
";

/// A thing, what it is, and whether an adapter has it.
type Row = (&'static str, &'static str, fn(&dyn Adapter) -> String);

const ROWS: &[Row] = &[
    (
        "history",
        "What was said can be read afterwards: nothing is lost while the daemon is away",
        |it| yes(it.history().is_some()),
    ),
    (
        "readBack",
        "It can be asked whether an answer has arrived: none is sent twice",
        |it| yes(it.read_back().is_some()),
    ),
    (
        "push",
        "Messages are told as they come, and so are edits; without it history is asked every `pollIntervalMs`, and there are no edits",
        |it| yes(it.push().is_some()),
    ),
    (
        "approvals",
        "Senders are who they seem: chat commands (`/reset`) count, and questions about tool calls are asked and answered there",
        |it| yes(it.descriptor().approvals),
    ),
    (
        "notices",
        "What a person must know is said in the conversation",
        |it| yes(it.descriptor().notices),
    ),
    (
        "signs",
        "A turn that runs is seen: a reaction, a status, typing",
        |it| yes(it.signs().is_some()),
    ),
    (
        "cards",
        "Questions have buttons, which go when they are answered",
        |it| yes(it.cards().is_some()),
    ),
    (
        "files",
        "Files that come with a message are fetched for its turn; without it they are named",
        |it| yes(it.files().is_some()),
    ),
    ("length", "The longest message; a longer answer is split", |it| {
        let length = it.descriptor().length;
        let unit = match length.unit {
            Unit::Chars => "characters",
            Unit::Utf16 => "UTF-16 units",
            Unit::Bytes => "bytes",
        };
        format!("{} {unit}", length.limit)
    }),
];

fn yes(has: bool) -> String {
    if has { "yes" } else { "no" }.to_owned()
}

/// A token of each kind that is well-formed, and good for nothing.
fn token(adapter: &str) -> &'static str {
    match adapter {
        "slack" => "xoxb-1",
        "discord" => "OTAwMDAwMDAwMDAwMDAwMDAz.Gkata0.good-for-nothing",
        _ => r#"{"refreshToken":"1//0","clientId":"nobody.apps.example"}"#,
    }
}

/// A channel with all that a person can give it. Making it opens no connection.
fn channel(adapter: &str) -> ChannelContext {
    ChannelContext {
        key: ChannelKey::new("w", adapter),
        filter: Filter {
            channel_ids: Some(vec!["1".into()]),
            ..Filter::default()
        },
        owners: Default::default(),
        settings: Settings::default(),
        poll_interval: None,
        token: Some(token(adapter).into()),
        app_token: Some("xapp-1".into()),
        endpoint: None,
        clock: Clock::system(),
        tasks: TaskTracker::new(),
    }
}

#[tokio::test]
async fn the_page_of_platforms_says_what_the_adapters_do() {
    let plugins = all(&Desk::default()).unwrap();
    let adapters: BTreeMap<&str, Arc<dyn Adapter>> = plugins
        .registrar()
        .channels()
        .map(|kind| (kind.adapter, (kind.make)(channel(kind.adapter)).unwrap()))
        .collect();
    let names: Vec<&str> = adapters.keys().copied().collect();
    let mut page = format!(
        "{HEAD}\n| | | {} |\n|---|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for (name, what, of) in ROWS {
        let cells: Vec<String> = adapters.values().map(|adapter| of(&**adapter)).collect();
        page.push_str(&format!("| `{name}` | {what} | {} |\n", cells.join(" | ")));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "docs/platforms.md is not what the adapters say; run this test with UPDATE_DOCS=1"
    );
}
