//! The plugin as the daemon uses it, without the daemon.

use std::sync::atomic::{AtomicBool, Ordering};

use kata_channel::{
    Adapter, Admitted, ChannelError, ChannelKey, Clock, Error, IdempotencyKey, Outbound, Page, Place,
    Timestamp,
    drive::Sink,
    settings::{Filter, Settings},
};
use kata_plugin::{
    ChannelContext, MemoryState, Plugins, ServiceContext, ServiceEnd, ServiceState, Supervision, Supervisor,
    ToolCall, ToolContext, Tools, ValidateLayer, act,
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{ServiceBuilder, ServiceExt as _, service_fn, util::BoxCloneSyncService};

use super::*;

fn plugins(board: &Board) -> Plugins {
    Plugins::new([Arc::new(BoardPlugin::new(board.clone())) as _]).unwrap()
}

fn channel(board: &Board) -> Arc<dyn Adapter> {
    let context = ChannelContext {
        key: ChannelKey::new("w1", "hall"),
        filter: Filter::default(),
        settings: Settings::default(),
        owners: Vec::new(),
        poll_interval: None,
        token: None,
        app_token: None,
        endpoint: None,
        clock: Clock::system(),
        tasks: TaskTracker::new(),
    };
    (plugins(board).registrar().channel("board").unwrap().make)(context).unwrap()
}

/// A store that takes what is pushed, unless it is full; and what it took.
fn store(is_full: &Arc<AtomicBool>) -> (Sink, mpsc::UnboundedReceiver<(String, String, bool)>) {
    let (took, taken) = mpsc::unbounded_channel();
    let is_full = Arc::clone(is_full);
    let ingress = service_fn(move |page: Page| {
        let (took, is_full) = (took.clone(), is_full.load(Ordering::Relaxed));
        async move {
            if is_full {
                return Err(Error::from("the disk is full"));
            }
            for message in &page.messages {
                let what = (message.id.to_string(), message.text.readable.clone());
                took.send((what.0, what.1, message.sender.is_self)).unwrap();
            }
            Ok(Admitted::default())
        }
    });
    (Sink::new(BoxCloneSyncService::new(ingress)).0, taken)
}

#[tokio::test]
async fn what_is_pinned_is_heard_in_its_order_and_we_know_ourselves() {
    let board = Board::default();
    board.pin("ada", "is anybody here?");
    let channel = channel(&board);
    let (sink, mut taken) = store(&Arc::default());
    let hear = async {
        let first = taken.recv().await.unwrap();
        board.pin("kata", "yes");
        (first, taken.recv().await.unwrap())
    };
    let heard = tokio::select! {
        heard = hear => heard,
        ended = channel.push().unwrap().subscribe(sink) => panic!("it ended: {ended:?}"),
    };
    assert_eq!(heard.0, ("1".into(), "is anybody here?".into(), false));
    assert_eq!(heard.1, ("2".into(), "yes".into(), true));
}

#[tokio::test]
async fn a_line_that_was_not_stored_comes_again() {
    let board = Board::default();
    board.pin("ada", "hello");
    let channel = channel(&board);
    let is_full = Arc::new(AtomicBool::new(true));
    let (sink, mut taken) = store(&is_full);
    let refused = channel.push().unwrap().subscribe(sink.clone()).await;
    assert!(
        matches!(refused, Err(ChannelError::ConnectionLost(_))),
        "{refused:?}"
    );
    is_full.store(false, Ordering::Relaxed);
    let again = tokio::select! {
        again = taken.recv() => again,
        ended = channel.push().unwrap().subscribe(sink) => panic!("it ended: {ended:?}"),
    };
    assert_eq!(again, Some(("1".into(), "hello".into(), false)));
}

#[tokio::test]
async fn an_answer_is_pinned_and_named() {
    let board = Board::default();
    let answer = Outbound {
        channel: ChannelKey::new("w1", "hall"),
        place: Place::conversation("board"),
        reply_to: None,
        text: "hello".into(),
        key: IdempotencyKey("k1".into()),
        part: 1,
        of: 1,
        metadata: serde_json::Map::new(),
        choices: Vec::new(),
        created_at: Timestamp::from_millis(0),
    };
    let receipt = channel(&board).send(&answer).await.unwrap();
    assert_eq!(receipt.id, Some("1".into()));
    assert_eq!(board.lines()[0].text, "hello");
}

#[tokio::test]
async fn the_agent_reads_the_newest_lines() {
    let board = Board::default();
    for text in ["one", "two", "three"] {
        board.pin("ada", text);
    }
    let tools = plugins(&board).registrar().tool_set(|plugin| plugin == ID);
    let place = Place::conversation("board");
    let context = ToolContext::new(ChannelKey::new("w1", "hall"), place, "daemon-hall-1");
    let stack = ServiceBuilder::new()
        .layer(ValidateLayer::new(tools.clone()))
        .service(Tools::new(tools, Arc::new(context)));
    let call = |input| stack.clone().oneshot(ToolCall::new("board_read", input));
    let said = call(json!({"limit": 2})).await.unwrap().content;
    let line = |text: &str| json!({"author": "ada", "text": text});
    assert_eq!(said, json!({"lines": [line("two"), line("three")]}));
    for misfit in [json!({}), json!({"limit": 0}), json!({"limit": 2, "from": 1})] {
        assert!(call(misfit).await.is_err());
    }
}

#[tokio::test]
async fn the_service_counts_and_the_action_says_how_many() {
    let (board, state, stop) = (Board::default(), MemoryState::new(), CancellationToken::new());
    let plugins = plugins(&board);
    let service = plugins.registrar().services().next().unwrap().clone();
    let context = ServiceContext::new(
        state.of(ID, "w1"),
        stop.clone(),
        Clock::system(),
        TaskTracker::new(),
    );
    let supervisor = Supervisor::new(service, context, Supervision::default());
    let mut status = supervisor.status();
    let counted = async {
        status
            .wait_for(|status| status.state == ServiceState::Running)
            .await
            .unwrap();
        board.pin("ada", "hello");
        let context = ActionContext::new(state.of(ID, "w1"));
        let plugin = plugins.plugin(ID).unwrap();
        while act(&**plugin, &context, "count", Value::Null).await.unwrap()["lines"] != 1 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (end, ()) = tokio::join!(supervisor.run(), counted);
    assert_eq!(end, ServiceEnd::Stopped);
    let elsewhere = ActionContext::new(state.of(ID, "w2"));
    let plugin = plugins.plugin(ID).unwrap();
    let none = act(&**plugin, &elsewhere, "count", Value::Null).await;
    assert_eq!(none, Ok(json!({"lines": null})));
}

#[test]
fn every_snippet_of_the_guide_stands_in_this_crate() {
    let guide = include_str!("../../../docs/writing-a-plugin.md");
    let files = [
        include_str!("../Cargo.toml"),
        include_str!("board.rs"),
        include_str!("channel.rs"),
        include_str!("lib.rs"),
        include_str!("service.rs"),
        include_str!("tests.rs"),
        include_str!("tool.rs"),
    ]
    .map(unindented);
    let mut snippets = 0;
    let mut blocks = guide.split("\n```").skip(1);
    while let (Some(block), Some(_)) = (blocks.next(), blocks.next()) {
        let (language, snippet) = block.split_once('\n').unwrap();
        if !["rust", "toml"].contains(&language) {
            continue;
        }
        snippets += 1;
        // An ellipsis stands for what is left out.
        for part in snippet.split("// …") {
            let part = unindented(part);
            let part = part.trim();
            assert!(
                files.iter().any(|file| file.contains(part)),
                "nowhere here:\n{part}"
            );
        }
    }
    assert!(
        snippets >= 8,
        "{snippets} snippets: is the guide read as it is written?"
    );
}

/// A snippet may be set in less than the code that it quotes.
fn unindented(text: &str) -> String {
    text.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")
}
