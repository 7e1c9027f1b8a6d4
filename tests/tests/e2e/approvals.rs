//! Questions about tool calls: put where the user is, answered once, and kept over a restart.

use kata_testkit::{
    SLUG, WORKSPACE,
    host::{AcpAgent, Channel, Config, FakeHost},
};
use serde_json::{Value, json};

use crate::agent::Scene;

/// A call that the scenes of this module ask about.
const LS: &str = r#"ask Bash {"command": "ls"}"#;

/// What the question with this answer in it says: `yes 7Q4`.
fn code(approval: &Value) -> &str {
    approval["code"].as_str().expect("a code")
}

/// A daemon whose agent in `C1` waits for an answer about `ls`, and the question.
async fn waiting(scene: &Scene) -> (FakeHost, Value) {
    let host = scene.play().await;
    scene.tell("U2", &[LS]);
    let approval = host.wait_approval(0).await;
    scene.card().await;
    (host, approval)
}

#[tokio::test]
async fn a_pressed_button_lets_the_tool_run_and_the_agent_answer() {
    let scene = Scene::set().await;
    let host = scene.play().await;
    let message = scene.stage.slack.user_posts("C1", "U2", "hello");
    scene.stage.slack.wait_text("you said: hello").await;
    let call = format!(r#"call slack_react {{"timestamp": "{message}", "name": "tada"}}"#);
    scene.tell("U2", &[&call, "say thank you"]);

    let card = scene.card().await;
    for part in ["slack_react", "tada", "bob", "yes "] {
        assert!(card.text.contains(part), "{part} in {}", card.text);
    }
    assert!(
        !scene
            .stage
            .slack
            .reactions("C1", &message)
            .contains(&"tada".to_owned())
    );
    scene.stage.slack.press("U1", &card.ts, "Allow once");
    scene.stage.slack.wait_closed(&card.ts).await;
    scene.heard("thank you").await;
    let reacted = |(reaction, _, on): &&(String, String, String)| reaction == "+tada" && *on == message;
    let log = scene.stage.slack.reaction_log();
    assert_eq!(log.iter().filter(reacted).count(), 1, "{log:#?}");
    host.wait_verdict(0, "slack_react", "allow").await;
}

#[tokio::test]
async fn a_word_and_the_code_do_what_a_button_does() {
    let scene = Scene::asking(&["Bash"]).await;
    let (host, approval) = waiting(&scene).await;
    scene
        .stage
        .slack
        .user_posts("C1", "U1", &format!(" YES  {}. ", code(&approval).to_lowercase()));
    scene.stage.slack.wait_text("allowed").await;
    let resolved = host.wait_resolved(&approval).await;
    assert_eq!(resolved["outcome"], "allowed_once");
    assert!(
        resolved["by"].as_str().is_some_and(|by| by.contains("U1")),
        "{resolved}"
    );
    // It was no message for the agent.
    assert_eq!(scene.told(&["turns"]).await, "2");
}

#[tokio::test]
async fn the_host_can_answer_too() {
    let scene = Scene::asking(&["Bash"]).await;
    let start = scene.start(&AcpAgent::new()).capabilities(&["approvals"]);
    let host = scene.stage.up(start).await;
    scene.tell("U2", &[LS]);
    let approval = host.wait_approval(0).await;
    assert_eq!(approval["tool"], "Bash");
    assert_eq!(approval["input"]["command"], "ls");
    let open = host.query("approvals").await;
    assert_eq!(open[0]["approvalId"], approval["approvalId"], "{open:#?}");
    let card = scene.card().await;
    assert_eq!(host.resolve(&approval, "allow_once").await["ok"], true);
    scene.stage.slack.wait_text("allowed").await;
    scene.stage.slack.wait_closed(&card.ts).await;
    // One answer counts.
    assert_eq!(
        host.resolve(&approval, "deny").await["error"]["code"],
        "already_resolved"
    );
}

#[tokio::test]
async fn a_denial_reaches_the_agent() {
    let scene = Scene::asking(&["Bash"]).await;
    let (host, approval) = waiting(&scene).await;
    let card = scene.card().await;
    scene.stage.slack.press("U1", &card.ts, "Deny");
    scene.stage.slack.wait_text("rejected").await;
    assert_eq!(host.wait_resolved(&approval).await["outcome"], "denied");
}

#[tokio::test]
async fn a_member_who_may_not_answer_is_told_so_and_the_question_stands() {
    let scene = Scene::asking(&["Bash"]).await;
    let (host, approval) = waiting(&scene).await;
    let card = scene.card().await;
    let before = scene.stage.slack.posted().len();
    scene.stage.slack.press("U2", &card.ts, "Allow once");
    let said = scene.stage.slack.wait_posted(before + 1).await;
    assert!(said[before].text.contains("owner"), "{}", said[before].text);
    scene
        .stage
        .slack
        .user_posts("C1", "U2", &format!("yes {}", code(&approval)));
    scene.stage.slack.wait_posted(before + 2).await;
    assert!(host.events_of("approval_resolved").is_empty());
    scene.stage.slack.press("U1", &card.ts, "Allow once");
    scene.stage.slack.wait_text("allowed").await;
}

#[tokio::test]
async fn a_stranger_gets_silence() {
    let scene = Scene::asking(&["Bash"]).await;
    scene.stage.slack.add_user("U3", "eve");
    let channel = Channel::slack(SLUG)
        .conversations(&["C1"])
        .settings(json!({"senders": ["U2"]}))
        .agent(&AcpAgent::new());
    let config = Config::new().channel(WORKSPACE, channel);
    let host = scene
        .stage
        .up(scene.stage.home.start(&scene.stage.slack).config(config))
        .await;
    scene.tell("U2", &[LS]);
    let approval = host.wait_approval(0).await;
    let card = scene.card().await;
    let before = scene.stage.slack.posted().len();
    scene.stage.slack.press("U3", &card.ts, "Allow once");
    scene
        .stage
        .slack
        .user_posts("C1", "U3", &format!("yes {}", code(&approval)));
    scene.stage.slack.wait_all_acknowledged().await;
    // What comes after it shows that nothing came of it.
    scene.stage.slack.press("U1", &card.ts, "Deny");
    scene.stage.slack.wait_text("rejected").await;
    let said = scene.stage.slack.posted();
    assert!(
        said[before..].iter().all(|p| !p.text.contains("owner")),
        "{said:#?}"
    );
    assert_eq!(host.wait_resolved(&approval).await["outcome"], "denied");
}

#[tokio::test]
async fn one_answer_counts() {
    let scene = Scene::asking(&["Bash"]).await;
    let (host, approval) = waiting(&scene).await;
    let yes = format!("yes {}", code(&approval));
    let no = format!("no {}", code(&approval));
    scene.stage.slack.user_posts("C1", "U1", &yes);
    scene.stage.slack.wait_text("allowed").await;
    scene.stage.slack.user_posts("C1", "U1", &no);
    scene.heard("answered already").await;
    assert_eq!(host.events_of("approval_resolved").len(), 1);
}

#[tokio::test]
async fn nobody_answering_is_no_denial() {
    let scene = Scene::with(json!({"approvals": {"expireMin": 0.02}})).await;
    scene.permit(json!({"askTools": ["slack_react"]}));
    let host = scene.play().await;
    scene.tell(
        "U2",
        &[r#"call slack_react {"timestamp": "1700000000.000100", "name": "tada"}"#],
    );
    let approval = host.wait_approval(0).await;
    let resolved = host.wait_resolved(&approval).await;
    assert_eq!(resolved["outcome"], "expired");
    assert!(resolved["decision"].is_null(), "{resolved}");
    let answer = scene.heard("not a denial").await;
    assert!(answer.text.starts_with("error:"), "{}", answer.text);
    scene
        .stage
        .slack
        .user_posts("C1", "U1", &format!("yes {}", code(&approval)));
    scene.heard("has expired").await;
}

#[tokio::test]
async fn a_question_survives_a_killed_daemon_and_is_not_put_twice() {
    let scene = Scene::asking(&["Bash"]).await;
    let (host, approval) = waiting(&scene).await;
    let card = scene.card().await;
    host.kill9().await;

    let host = scene.play().await;
    scene.stage.slack.press("U1", &card.ts, "Allow once");
    scene.stage.slack.wait_text("allowed").await;
    assert_eq!(host.wait_resolved(&approval).await["outcome"], "allowed_once");
    assert!(host.events_of("approval_requested").is_empty(), "{}", host.dump());
    let cards = scene
        .stage
        .said()
        .iter()
        .filter(|text| text.contains("Approval needed"))
        .count();
    assert_eq!(cards, 1, "{:#?}", scene.stage.said());
}

#[tokio::test]
async fn a_turn_that_waits_gives_its_place_to_others_and_is_released_past_its_own_lane() {
    let scene = Scene::with(json!({"maxTurns": 1})).await;
    scene.permit(json!({"askTools": ["Bash"]}));
    let (_host, approval) = waiting(&scene).await;
    // Another conversation is served meanwhile, and its own lane waits.
    scene.stage.slack.user_posts("C1", "U2", "behind it");
    assert_eq!(scene.told_in("C2", &["say meanwhile"]).await, "meanwhile");
    assert!(!scene.stage.said().iter().any(|text| text.contains("behind it")));
    scene
        .stage
        .slack
        .user_posts("C1", "U1", &format!("yes {}", code(&approval)));
    scene.stage.slack.wait_text("allowed").await;
    scene.stage.slack.wait_text("you said: behind it").await;
}

#[tokio::test]
async fn a_turn_that_waits_does_not_age() {
    let scene = Scene::asking(&["Bash"]).await;
    let host = scene
        .up(&AcpAgent::new().set("turnDeadlineMin", json!(0.1)))
        .await;
    scene.tell("U2", &[LS, "say in time"]);
    let approval = host.wait_approval(0).await;
    scene.card().await;
    // Two turns of another conversation last longer than the deadline of six seconds.
    for _ in 0..2 {
        assert_eq!(scene.told_in("C2", &["silent 4", "say awake"]).await, "awake");
    }
    host.resolve(&approval, "allow_once").await;
    scene.heard("in time").await;
    assert!(host.events_of("message_failed").is_empty(), "{}", host.dump());
}

#[tokio::test]
async fn a_yes_for_an_hour_holds_for_this_call_in_this_conversation_alone() {
    let scene = Scene::asking(&["Bash"]).await;
    let (host, approval) = waiting(&scene).await;
    scene
        .stage
        .slack
        .user_posts("C1", "U1", &format!("yes {} 1h", code(&approval)));
    scene.stage.slack.wait_text("allowed").await;
    assert_eq!(scene.told(&[LS, LS]).await, "allowed\nallowed");
    assert_eq!(host.events_of("approval_requested").len(), 1);
    let grants = host.query("grants").await;
    assert_eq!(grants.len(), 1, "{grants:#?}");

    let mark = host.mark();
    scene.tell("U2", &[r#"ask Bash {"command": "ls -a"}"#]);
    let other = host.wait_approval(mark).await;
    host.resolve(&other, "deny").await;
    let mark = host.mark();
    scene.tell_in("C2", "U2", &[LS]);
    let elsewhere = host.wait_approval(mark).await;
    host.resolve(&elsewhere, "deny").await;

    let revoke = json!({"type": "revoke_grant", "grantId": grants[0]["grantId"]});
    assert_eq!(host.request(revoke).await["ok"], true);
    let mark = host.mark();
    scene.tell("U2", &[LS]);
    host.wait_approval(mark).await;
}

#[tokio::test]
async fn where_nobody_can_be_asked_the_answer_is_no() {
    let scene = Scene::asking(&["Bash"]).await;
    scene.stage.home.write_settings(&json!({}));
    let host = scene.play().await;
    assert_eq!(scene.told(&[LS]).await, "rejected");
    let verdict = host.wait_verdict(0, "Bash", "deny").await;
    assert!(
        verdict["reason"].as_str().is_some_and(|why| why.contains("ask")),
        "{verdict}"
    );
    assert!(host.events_of("approval_requested").is_empty());
}

#[tokio::test]
async fn a_question_whose_turn_is_stopped_is_taken_back() {
    let scene = Scene::asking(&["Bash"]).await;
    let (host, approval) = waiting(&scene).await;
    let card = scene.card().await;
    scene.stage.slack.user_posts("C1", "U1", "/stop");
    assert_eq!(host.wait_resolved(&approval).await["outcome"], "withdrawn");
    scene.stage.slack.wait_closed(&card.ts).await;
    assert_eq!(scene.told(&["say next"]).await, "next");
}

#[tokio::test]
async fn a_question_from_a_thread_stands_in_the_thread() {
    let scene = Scene::asking(&["Bash"]).await;
    let _host = scene.play().await;
    let root = scene.stage.slack.user_posts("C1", "U2", "hello");
    scene.stage.slack.wait_text("you said: hello").await;
    scene
        .stage
        .slack
        .user_replies("C1", &root, "U2", &format!("do: {LS}"));
    let card = scene.card().await;
    assert_eq!(card.thread.as_deref(), Some(root.as_str()));
    scene.stage.slack.press("U1", &card.ts, "Allow once");
    let answer = scene.stage.slack.wait_text("allowed").await;
    assert_eq!(answer.thread.as_deref(), Some(root.as_str()));
}

#[tokio::test]
async fn a_secret_is_not_shown_on_the_card_nor_told() {
    let scene = Scene::asking(&["Bash"]).await;
    let host = scene.play().await;
    let token = ["xoxb", "1234567890", "abcdefghijklmnop"].join("-");
    scene.tell(
        "U2",
        &[&format!(
            r#"ask Bash {{"command": "curl -H 'Authorization: Bearer {token}' x"}}"#
        )],
    );
    let approval = host.wait_approval(0).await;
    let card = scene.card().await;
    assert!(!card.text.contains(&token), "{}", card.text);
    assert!(!approval.to_string().contains(&token), "{approval}");
    let said = host.query("approvals").await;
    assert!(!said[0].to_string().contains(&token));
}
