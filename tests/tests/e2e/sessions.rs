//! Sessions that last: what an agent that keeps nothing is told of before, and how a session begins and ends.

use std::path::PathBuf;

use kata_store::SESSION_KILL_POINTS;
use kata_testkit::{
    SLUG, Stage, WORKSPACE,
    host::{AcpAgent, Channel, Config, FakeHost, Policy, Start},
};
use serde_json::{Value, json};

use crate::agent::Scene;

/// A small program: it knows what it is told, and writes a summary when it is asked for one.
const PROGRAM: &str = r#"
prompt=$(cat)
case "$prompt" in
*"has become too long to be kept whole"*)
    echo "Pinned: my name is Grace, said the summary."
    exit 0 ;;
esac
case "$prompt" in
*"my name is Grace, said the summary"*) who="Grace by the summary" ;;
*"my name is Grace"*) who="Grace" ;;
*) who="nobody I know" ;;
esac
echo "turn of $who"
"#;

/// A daemon whose channel has that program as its agent.
struct Talk {
    stage: Stage,
    program: PathBuf,
    session: Value,
}

impl Talk {
    async fn with(session: Value) -> Self {
        let stage = Stage::set().await;
        let program = stage.home.path().join("program.sh");
        std::fs::write(&program, PROGRAM).expect("a program");
        Self {
            stage,
            program,
            session,
        }
    }

    fn start(&self) -> Start {
        let agent = json!({"backend": "command", "command": "sh", "args": [self.program]});
        let channel = Channel::slack(SLUG)
            .conversations(&["C1"])
            .session(self.session.clone())
            .settings(json!({"agent": agent, "coalesce": {"max": 1}}));
        let config = Config::new().channel(WORKSPACE, channel);
        self.stage.home.start(&self.stage.slack).config(config)
    }

    async fn up(&self) -> FakeHost {
        self.stage.up(self.start()).await
    }

    /// Says something in `C1`; the answer to it.
    async fn say(&self, text: &str) -> String {
        let before = self.stage.slack.posted().len();
        self.stage.slack.user_posts("C1", "U1", text);
        self.stage.slack.wait_posted(before + 1).await[before]
            .text
            .clone()
    }

    /// Talks until the session was compacted.
    async fn ramble(&self, times: usize) -> String {
        let mut last = String::new();
        for n in 0..times {
            last = self
                .say(&format!("{n}: {}", "the weather is as it was, ".repeat(16)))
                .await;
        }
        last
    }
}

async fn session_of(host: &FakeHost) -> Value {
    host.query("sessions").await.remove(0)
}

#[tokio::test]
async fn a_program_that_keeps_nothing_remembers_also_after_a_restart_and_forgets_with_a_reset() {
    let talk = Talk::with(json!({})).await;
    let host = talk.up().await;
    assert_eq!(talk.say("my name is Grace").await, "turn of Grace");
    assert_eq!(talk.say("who am i").await, "turn of Grace");
    host.stop().await;

    let host = talk.up().await;
    assert_eq!(talk.say("who am i, still").await, "turn of Grace");
    let session = session_of(&host).await;
    assert_eq!(
        (&session["messages"], &session["turns"]),
        (&json!(3), &json!(3)),
        "{session}"
    );
    assert_eq!(session["state"], "active", "{session}");
    assert!(session["tokens"].as_u64() > Some(0), "{session}");

    talk.say("/reset").await;
    let ended = host.wait_for("session_ended").await;
    assert_eq!(
        (&ended["reason"], &ended["sessionKey"]),
        (&json!("reset"), &session["sessionKey"])
    );
    assert_eq!(talk.say("who am i now").await, "turn of nobody I know");
}

#[tokio::test]
async fn near_its_limit_the_program_itself_writes_the_summary_it_goes_on_with() {
    let talk = Talk::with(json!({"maxTokens": 1200})).await;
    let host = talk.up().await;
    talk.say("my name is Grace").await;
    let last = talk.ramble(6).await;
    assert_eq!(last, "turn of Grace by the summary", "{}", host.dump());
    let session = session_of(&host).await;
    assert!(session["compactions"].as_u64() > Some(0), "{session}");
    assert!(session["tokens"].as_u64() < Some(1200), "{session}");
    assert!(host.events_of("plugin_error").is_empty(), "{}", host.dump());
}

/// A daemon that dies as it writes a compaction down; the next one knows what there was to know.
async fn dies_while_compacting(when: &str) {
    let talk = Talk::with(json!({"maxTokens": 1200})).await;
    let doomed = talk
        .stage
        .up(talk.start().failpoints(&format!("compact.{when}=return")))
        .await;
    talk.say("my name is Grace").await;
    let mut said = 1;
    let exit = loop {
        assert!(said < 12, "it is never compacted\n{}", doomed.dump());
        let text = format!("{said}: {}", "the weather is as it was, ".repeat(16));
        talk.stage.slack.user_posts("C1", "U1", &text);
        said += 1;
        tokio::select! {
            exit = doomed.wait_exit() => break exit,
            _ = talk.stage.slack.wait_posted(said) => {}
        }
    };
    assert_eq!(exit.signal, Some(6), "{}", doomed.dump());
    let survivor = talk.up().await;
    talk.stage.slack.wait_posted(said).await;
    let last = talk.say("who am i").await;
    assert!(last.starts_with("turn of Grace"), "{last}\n{}", survivor.dump());
    assert!(session_of(&survivor).await["compactions"].as_u64() > Some(0));
}

/// Its step comes with retention; it is killed in kata-store's own tests.
const LATE: &str = "expire_sessions";

#[test]
fn every_kill_point_of_sessions_has_its_test() {
    assert_eq!(SESSION_KILL_POINTS, ["compact", LATE]);
}

#[tokio::test]
async fn a_daemon_that_dies_before_a_compaction_is_written_loses_nothing_of_the_session() {
    dies_while_compacting("before_commit").await;
}

#[tokio::test]
async fn a_daemon_that_dies_after_a_compaction_was_written_loses_nothing_of_the_session() {
    dies_while_compacting("after_commit").await;
}

#[tokio::test]
async fn an_agent_that_lost_its_session_is_told_what_was_said_before_once() {
    let scene = Scene::set().await;
    let agent = AcpAgent::new().loads(scene.scratch.path());
    let host = scene.up(&agent).await;
    let before = scene.told(&["session", "say the code is quiet heron"]).await;
    host.stop().await;
    let id = before.lines().next().expect("a session");
    std::fs::remove_file(scene.file(&format!("{id}.json"))).expect("a kept session");

    let host = scene.up(&agent).await;
    assert_eq!(scene.told(&["knows quiet heron"]).await, "yes", "{}", host.dump());
    assert_eq!(
        scene.told(&["knows quiet heron"]).await,
        "no",
        "it knows by itself now"
    );
}

#[tokio::test]
async fn a_host_is_told_how_long_the_session_is_and_what_it_reports_is_counted() {
    let stage = Stage::set().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    for n in 1..=2_u64 {
        stage.slack.user_posts("C1", "U1", "hello");
        let turns = host.wait_turns(usize::try_from(n).expect("few")).await;
        let event = host.events_of("process_message").pop().expect("a turn");
        let stats = &event["sessionStats"];
        assert_eq!(
            (&stats["messages"], &stats["turns"]),
            (&json!(n), &json!(n - 1)),
            "{event}"
        );
        assert!(stats["limit"].is_null());
        assert_eq!(stats["tokens"].as_u64() > Some(0), n > 1, "{event}");
        let id = turns[turns.len() - 1].message_id;
        let usage = json!({"inputTokens": 100, "outputTokens": 20});
        host.send(&json!({"type": "message_processed", "messageId": id, "success": true, "response": "hi", "usage": usage}));
        stage.slack.wait_posted(usize::try_from(n).expect("few")).await;
    }
    let session = session_of(&host).await;
    assert_eq!(
        (&session["inputTokens"], &session["outputTokens"]),
        (&json!(200), &json!(40)),
        "{session}"
    );
}

#[tokio::test]
async fn a_session_is_named_and_ended_by_the_host_and_its_key_stays() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "hello");
    stage.slack.wait_posted(1).await;
    let session = session_of(&host).await;
    let key = &session["sessionKey"];
    let title = json!({"type": "set_session_title", "workspaceId": WORKSPACE, "sessionKey": key, "title": "Release talk"});
    assert_eq!(host.request(title).await["ok"], true);
    let named = session_of(&host).await;
    assert_eq!(
        (&named["title"], &named["sessionKey"]),
        (&json!("Release talk"), key)
    );
    let reset = json!({"type": "reset_session", "workspaceId": WORKSPACE, "sessionKey": key});
    assert_eq!(host.request(reset).await["ok"], true);
    let ended = host.wait_for("session_ended").await;
    assert_eq!(
        (&ended["sessionKey"], &ended["reason"], &ended["channelId"]),
        (key, &json!("reset"), &json!(SLUG))
    );
    let ended = session_of(&host).await;
    assert_eq!(
        (&ended["state"], &ended["endedReason"]),
        (&json!("ended"), &json!("reset"))
    );
}

fn with_session(stage: &Stage, session: Value) -> Start {
    let channel = Channel::slack(SLUG).conversations(&["C1"]).session(session);
    let config = Config::new().channel(WORKSPACE, channel);
    stage
        .home
        .start(&stage.slack)
        .config(config)
        .policy(Policy::echo())
}

#[tokio::test]
async fn in_a_stateless_channel_each_message_is_alone_and_they_keep_their_order() {
    let stage = Stage::set().await;
    let host = stage.up(with_session(&stage, json!({"mode": "stateless"}))).await;
    for text in ["one", "two", "three"] {
        stage.slack.user_posts("C1", "U1", text);
    }
    stage.slack.wait_posted(3).await;
    assert_eq!(stage.said(), ["one", "two", "three"]);
    let turns = host.turns();
    let mut keys: Vec<&str> = turns.iter().map(|turn| turn.session_key.as_str()).collect();
    keys.dedup();
    assert_eq!(keys.len(), 3, "{keys:?}");
    for key in keys {
        host.wait_event("its end", |e| {
            e["type"] == "session_ended" && e["sessionKey"] == key && e["reason"] == "stateless"
        })
        .await;
    }
}

#[tokio::test]
async fn a_stateless_program_is_told_nothing_of_before() {
    let talk = Talk::with(json!({"mode": "stateless"})).await;
    let _host = talk.up().await;
    assert_eq!(talk.say("my name is Grace").await, "turn of Grace");
    assert_eq!(talk.say("who am i").await, "turn of nobody I know");
}

#[tokio::test]
async fn a_thread_goes_on_with_the_conversations_session_where_it_is_asked_to() {
    for (thread, same) in [("inherit", true), ("own", false)] {
        let stage = Stage::set().await;
        let host = stage.up(with_session(&stage, json!({"thread": thread}))).await;
        let root = stage.slack.user_posts("C1", "U1", "above");
        stage.slack.wait_text("above").await;
        stage.slack.user_replies("C1", &root, "U2", "below");
        let answer = stage.slack.wait_text("below").await;
        assert_eq!(
            answer.thread.as_deref(),
            Some(&*root),
            "{thread}: the answer goes where it was asked"
        );
        let turns = host.turns();
        assert_eq!(turns[0].session_key == turns[1].session_key, same, "{thread}");
    }
}
