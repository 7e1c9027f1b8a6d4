//! Agents that speak the Agent Client Protocol: their lives, and what becomes of a turn when one ends.

use kata_testkit::{
    WORKSPACE,
    host::{AcpAgent, FakeHost},
    no_orphans,
};
use serde_json::{Value, json};

use crate::agent::Scene;

/// Waits until a message is given up; gives the reason.
async fn given_up(host: &FakeHost, mark: usize) -> String {
    let failed = host
        .wait_event_since(mark, "the end of it", |e| {
            e["type"] == "message_failed" && e["nextAttemptAt"].is_null()
        })
        .await;
    failed["error"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_agent_is_kept_between_turns_and_ends_with_the_daemon() {
    let scene = Scene::set().await;
    let host = scene.play().await;
    let pids = scene.file("pids");
    let first = scene
        .told(&["turns", "pid", &format!("children 0 {}", pids.display())])
        .await;
    let second = scene.told(&["turns", "pid"]).await;
    assert_eq!(
        first.replacen('1', "2", 1),
        second,
        "the same process, one turn later"
    );
    assert_eq!(host.stop().await.code, Some(0));
    no_orphans(&pids).await;
}

#[tokio::test]
async fn each_conversation_has_an_agent_of_its_own() {
    let scene = Scene::set().await;
    let _host = scene.play().await;
    let here = scene.told_in("C1", &["pid"]).await;
    let there = scene.told_in("C2", &["pid"]).await;
    assert_ne!(here, there);
    assert_eq!(scene.told_in("C1", &["turns"]).await, "2");
}

#[tokio::test]
async fn an_agent_that_nobody_talks_to_is_stopped_and_another_takes_its_place() {
    let scene = Scene::set().await;
    let _host = scene.up(&AcpAgent::new().set("idleMin", json!(0.002))).await;
    let pids = scene.file("pids");
    let said = scene
        .told(&["pid", &format!("children 0 {}", pids.display())])
        .await;
    no_orphans(&pids).await;
    assert_ne!(scene.told(&["pid"]).await, said);
}

#[tokio::test]
async fn of_too_many_agents_the_one_that_is_idle_longest_goes() {
    let scene = Scene::with(json!({"maxWarmAgents": 1})).await;
    let _host = scene.play().await;
    let pids = scene.file("pids");
    scene
        .told_in("C1", &["pid", &format!("children 0 {}", pids.display())])
        .await;
    scene.told_in("C2", &["pid"]).await;
    no_orphans(&pids).await;
    assert_eq!(scene.told_in("C2", &["turns"]).await, "2");
}

#[tokio::test]
async fn a_session_goes_on_after_a_restart_if_the_agent_can_load_or_resume_it() {
    for agent in [
        |state: &std::path::Path| AcpAgent::new().loads(state),
        |state: &std::path::Path| AcpAgent::new().resumes(state),
    ] {
        let scene = Scene::set().await;
        let agent = agent(scene.scratch.path());
        let host = scene.up(&agent).await;
        let session = scene.told(&["session", "say remember me"]).await;
        host.stop().await;

        let _host = scene.up(&agent).await;
        let after = scene.told(&["session", "history"]).await;
        let (id, history) = after.split_once('\n').expect("two lines");
        assert!(session.starts_with(id), "{session} / {after}");
        assert!(history.contains("remember me"), "{history}");
    }
}

#[tokio::test]
async fn a_session_that_the_agent_forgot_begins_anew() {
    let scene = Scene::set().await;
    let agent = AcpAgent::new().loads(scene.scratch.path());
    let host = scene.up(&agent).await;
    let before = scene.told(&["session"]).await;
    host.stop().await;
    std::fs::remove_file(scene.file(&format!("{before}.json"))).expect("a kept session");

    let _host = scene.up(&agent).await;
    assert_ne!(scene.told(&["session"]).await, before);
}

#[tokio::test]
async fn a_reset_conversation_has_a_new_session() {
    let scene = Scene::set().await;
    let _host = scene.play().await;
    let before = scene.told(&["session"]).await;
    scene.stage.slack.user_posts("C1", "U1", "/reset");
    scene.stage.slack.wait_posted(2).await;
    assert_ne!(scene.told(&["session"]).await, before);
}

#[tokio::test]
async fn the_environment_is_scrubbed_and_the_directory_is_the_sessions_own() {
    let scene = Scene::set().await;
    let agent = AcpAgent::new().env(&["NAMED_FOR_IT"]);
    let start = scene.start(&agent);
    let _host = scene
        .stage
        .up(start.env("NAMED_FOR_IT", "given").env("SOME_TOKEN", "secret"))
        .await;
    let said = scene
        .told(&[
            "env NAMED_FOR_IT",
            "env SOME_TOKEN",
            "env KATA_CONFIG_DIR",
            "env KATA_WORKSPACE_ID",
        ])
        .await;
    assert_eq!(said, format!("given\nunset\nunset\n{WORKSPACE}"));
    let here = scene.told_in("C1", &["cwd"]).await;
    let there = scene.told_in("C2", &["cwd"]).await;
    assert!(here.contains("/sessions/"), "{here}");
    assert_ne!(here, there);
}

#[tokio::test]
async fn an_agent_that_starts_slowly_and_offers_models_is_waited_for_and_given_its_model() {
    let scene = Scene::set().await;
    let agent = AcpAgent::new()
        .arg("--start-delay-ms=1500")
        .arg("--model=small")
        .arg("--model=large")
        .set("model", json!("large"));
    let _host = scene.up(&agent).await;
    assert_eq!(scene.told(&["model"]).await, "large");
}

#[tokio::test]
async fn what_is_thought_or_unknown_is_no_part_of_the_answer() {
    let scene = Scene::set().await;
    let _host = scene.play().await;
    let said = scene
        .told(&["think let me see", "unknown-notification", "say done"])
        .await;
    assert_eq!(said, "done");
}

/// Tells an agent something that ends it, with three children that ignore SIGTERM: the turn fails, nobody of the group is
/// left, and the next message of the lane is answered.
async fn ends_badly(settings: Value, steps: &[&str]) -> String {
    let scene = Scene::with(json!({"attempts": 1})).await;
    let mut agent = AcpAgent::new();
    for (key, value) in settings.as_object().into_iter().flatten() {
        agent = agent.set(key, value.clone());
    }
    let host = scene.up(&agent).await;
    let pids = scene.file("pids");
    let children = format!("children 3 {}", pids.display());
    let steps: Vec<&str> = std::iter::once(&*children).chain(steps.iter().copied()).collect();
    scene.tell("U1", &steps);
    let why = given_up(&host, 0).await;
    scene.stage.slack.user_posts("C1", "U1", "next");
    scene.stage.slack.wait_text("you said: next").await;
    no_orphans(&pids).await;
    why
}

#[tokio::test]
async fn an_agent_that_dies_fails_its_turn() {
    let why = ends_badly(json!({}), &["mutter no more", "crash 3"]).await;
    assert!(why.contains("no more"), "its last words: {why}");
}

#[tokio::test]
async fn an_agent_that_hangs_is_ended_at_the_deadline() {
    // Longer than it takes to end a deaf agent: the next turn's time is running by then.
    ends_badly(json!({"turnDeadlineMin": 0.12}), &["deaf"]).await;
}

#[tokio::test]
async fn an_agent_that_falls_silent_is_ended() {
    let why = ends_badly(json!({"noProgressMin": 0.02}), &["silent 600"]).await;
    assert!(why.contains("wrote nothing"), "{why}");
}

#[tokio::test]
async fn an_agent_that_floods_is_ended() {
    let why = ends_badly(json!({}), &["flood 100"]).await;
    assert!(why.contains("MiB"), "{why}");
}

#[tokio::test]
async fn an_agent_whose_line_does_not_end_is_ended() {
    let why = ends_badly(json!({}), &["flood-line 100"]).await;
    assert!(why.contains("MiB"), "{why}");
}

#[tokio::test]
async fn garbage_ends_the_turn_one_way_or_the_other_and_the_lane_goes_on() {
    let scene = Scene::with(json!({"attempts": 1})).await;
    let _host = scene.play().await;
    scene.tell("U1", &["garbage", "say after all"]);
    scene.stage.slack.wait_posted(1).await;
    scene.stage.slack.user_posts("C1", "U1", "next");
    scene.stage.slack.wait_text("you said: next").await;
}

#[tokio::test]
async fn a_fork_bomb_is_stopped_in_the_middle() {
    let scene = Scene::with(json!({"attempts": 1})).await;
    let host = scene.play().await;
    let pids = scene.file("pids");
    scene.tell("U1", &[&format!("fork-bomb 60 {}", pids.display()), "crash 1"]);
    given_up(&host, 0).await;
    no_orphans(&pids).await;
    scene.stage.slack.user_posts("C1", "U1", "next");
    scene.stage.slack.wait_text("you said: next").await;
}

#[tokio::test]
async fn nobody_survives_a_daemon_that_is_killed() {
    let scene = Scene::set().await;
    let host = scene.play().await;
    let pids = scene.file("pids");
    // The question tells that the children are there.
    scene.tell(
        "U1",
        &[
            &format!("children 3 {}", pids.display()),
            r#"ask Bash {"command": "ls"}"#,
            "deaf",
        ],
    );
    host.wait_verdict(0, "Bash", "deny").await;
    host.kill9().await;
    no_orphans(&pids).await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_an_agent_that_is_deaf() {
    let scene = Scene::set().await;
    let host = scene.play().await;
    let pids = scene.file("pids");
    scene.tell(
        "U1",
        &[
            &format!("children 3 {}", pids.display()),
            r#"ask Bash {"command": "ls"}"#,
            "deaf",
        ],
    );
    host.wait_verdict(0, "Bash", "deny").await;
    let exit = host.stop().await;
    assert_eq!((exit.code, exit.overdue), (Some(0), false), "{}", host.dump());
    no_orphans(&pids).await;
}

#[tokio::test]
async fn a_stopped_turn_is_cancelled_and_its_agent_kept() {
    let scene = Scene::set().await;
    let host = scene.play().await;
    let pid = scene.told(&["pid"]).await;
    scene.tell("U1", &[r#"ask Bash {"command": "ls"}"#, "hang"]);
    host.wait_verdict(0, "Bash", "deny").await;
    scene.stage.slack.user_posts("C1", "U1", "/stop");
    scene.stage.slack.wait_text("Stopped.").await;
    assert_eq!(scene.told(&["pid"]).await, pid);
}

#[tokio::test]
async fn an_agent_that_nobody_logged_in_says_so() {
    let scene = Scene::with(json!({"attempts": 1})).await;
    let host = scene.up(&AcpAgent::new().arg("--needs-login")).await;
    scene.tell("U1", &["pid"]);
    let why = given_up(&host, 0).await;
    assert!(why.to_lowercase().contains("log"), "{why}");
}

#[tokio::test]
async fn a_program_that_is_not_there_fails_its_turn() {
    let scene = Scene::with(json!({"attempts": 1})).await;
    let agent = AcpAgent::new();
    let mut settings = agent.settings();
    settings["command"] = "no-such-agent".into();
    let channel = kata_testkit::host::Channel::slack(kata_testkit::SLUG)
        .conversations(&["C1"])
        .settings(json!({"agent": settings}));
    let config = kata_testkit::host::Config::new().channel(WORKSPACE, channel);
    let host = scene
        .stage
        .up(scene.stage.home.start(&scene.stage.slack).config(config))
        .await;
    scene.tell("U1", &["pid"]);
    let why = given_up(&host, 0).await;
    assert!(why.contains("no-such-agent"), "{why}");
}
