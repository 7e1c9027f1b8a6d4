//! Reactions that stop and retry, and edits that come too late.

use kata_testkit::{
    SLUG, Stage, WORKSPACE,
    host::{Answer, Channel, Config, FakeHost, Policy},
    slack::BOT_USER,
};
use serde_json::{Value, json};

/// A daemon for `C1`, whose owner is Bob. Eve (`U9`) may not speak there.
async fn stage(settings: &Value) -> Stage {
    let stage = Stage::set().await;
    stage.slack.add_user("U9", "eve");
    let owners = json!({"workspaces": {WORKSPACE: {"owners": {"slack": ["U2"]}}}});
    let mut all = owners.as_object().cloned().unwrap_or_default();
    all.extend(settings.as_object().cloned().unwrap_or_default());
    stage.home.write_settings(&Value::Object(all));
    stage
}

fn config(settings: Value) -> Config {
    let mut settings = settings;
    settings["senders"] = json!(["U1", "U3"]);
    let channel = Channel::slack(SLUG).conversations(&["C1"]).settings(settings);
    Config::new().channel(WORKSPACE, channel)
}

async fn up(stage: &Stage, settings: Value, policy: Policy) -> FakeHost {
    stage
        .up(stage.start().config(config(settings)).policy(policy))
        .await
}

/// Says everything back but `long`, on which it works for ever.
fn patient() -> Policy {
    Policy::script(|t| match t.content.as_str() {
        "long" => Answer::Silent,
        other => Answer::Say(other.into()),
    })
}

#[tokio::test]
async fn a_stop_sign_ends_the_turn_and_nothing_is_sent() {
    let stage = stage(&json!({})).await;
    stage.slack.add_user("U3", "carol");
    let host = up(&stage, json!({}), patient()).await;
    let long = stage.slack.user_posts("C1", "U1", "long");
    let turn = host.wait_turn("long").await;
    // A stranger's, another member's and our own do nothing; nor does a thumb.
    stage.slack.user_reacts("C1", "U9", "octagonal_sign", &long);
    stage.slack.user_reacts("C1", "U3", "octagonal_sign", &long);
    stage.slack.user_reacts("C1", BOT_USER, "octagonal_sign", &long);
    stage.slack.user_reacts("C1", "U1", "thumbsup", &long);
    stage.slack.wait_all_acknowledged().await;
    let open = host.query("queue").await;
    assert_eq!(open[0]["state"], "processing", "{open:#?}");

    stage.slack.user_reacts("C1", "U1", "octagonal_sign", &long);
    stage.slack.user_posts("C1", "U1", "next");
    stage.slack.wait_text("next").await;
    host.answer(turn.message_id, "far too late");
    stage.slack.user_posts("C1", "U1", "last");
    stage.slack.wait_text("last").await;
    assert_eq!(stage.said(), ["next", "last"]);
}

#[tokio::test]
async fn an_owner_stops_anybodys_turn() {
    let stage = stage(&json!({})).await;
    let host = up(&stage, json!({}), patient()).await;
    let long = stage.slack.user_posts("C1", "U1", "long");
    host.wait_turn("long").await;
    stage.slack.user_reacts("C1", "U2", "octagonal_sign", &long);
    stage.slack.user_posts("C1", "U1", "next");
    stage.slack.wait_text("next").await;
}

#[tokio::test]
async fn a_repeat_sign_brings_a_parked_message_back_and_asks_an_answered_one_again() {
    let stage = stage(&json!({"attempts": 1})).await;
    let host = up(
        &stage,
        json!({}),
        Policy::script(|_| Answer::Fail("it choked".into())),
    )
    .await;
    let poison = stage.slack.user_posts("C1", "U1", "poison");
    host.wait_for("message_failed").await;
    let notice = stage.slack.wait_posted(1).await.remove(0);
    // A message of ours is known by its id once that is written down, which is a moment after Slack shows it.
    host.wait_for("message_sent").await;
    host.set_policy(Policy::echo());
    let mark = host.mark();
    // On what we said about it, by which one may find it: it is the message's own sign.
    stage.slack.user_reacts("C1", "U1", "repeat", &notice.ts);
    let answer = stage.slack.wait_text("poison").await;
    assert_eq!(host.turns().len(), 2);

    host.wait_event_since(mark, "message_sent", |event| event["type"] == "message_sent")
        .await;
    stage.slack.user_reacts("C1", "U1", "repeat", &answer.ts);
    host.wait_turns(3).await;
    stage.slack.wait_posted(3).await;
    let event = stage.slack.user_reacts("C1", "U2", "repeat", &poison);
    host.wait_turns(4).await;
    stage.slack.wait_posted(4).await;
    stage.slack.user_reacts("C1", "U9", "repeat", &poison);
    stage.slack.user_posts("C1", "U1", "last");
    stage.slack.wait_text("last").await;
    assert_eq!(host.turns().len(), 5, "{}", host.dump());
    host.stop().await;

    // Delivered once more to the next daemon, a reaction asks nothing again.
    let host = up(&stage, json!({}), Policy::echo()).await;
    stage.slack.event(&event);
    stage.slack.user_posts("C1", "U1", "after");
    stage.slack.wait_text("after").await;
    assert_eq!(host.turns().len(), 1, "{}", host.dump());
}

#[tokio::test]
async fn an_edit_that_comes_too_late_is_ignored_unless_it_is_asked_for() {
    let stage = stage(&json!({})).await;
    let host = up(&stage, json!({}), Policy::echo()).await;
    let first = stage.slack.user_posts("C1", "U1", "hlelo");
    stage.slack.wait_text("hlelo").await;
    stage.slack.user_edits("C1", &first, "hello");
    stage.slack.user_posts("C1", "U1", "second");
    stage.slack.wait_text("second").await;
    assert_eq!(stage.said(), ["hlelo", "second"]);
    host.stop().await;

    let host = up(&stage, json!({"edits": "followUp"}), Policy::echo()).await;
    let third = stage.slack.user_posts("C1", "U1", "thrid");
    stage.slack.wait_text("thrid").await;
    stage.slack.user_edits("C1", &third, "third");
    stage.slack.wait_text("third").await;
    let followed = host.wait_turn("third").await;
    assert_eq!(followed.metadata["editOf"], third.as_str());
    // An edit that says the same is none.
    stage.slack.user_edits("C1", &third, "third");
    stage.slack.user_posts("C1", "U1", "last");
    stage.slack.wait_text("last").await;
    assert_eq!(stage.said().iter().filter(|text| *text == "third").count(), 1);
}
