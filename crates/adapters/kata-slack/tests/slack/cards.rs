//! Messages with buttons, and what is heard when one is pressed.

use kata_channel::{Choice, ChoiceStyle, Effect, Finding, Kind, Lookup, MessageId, Outbound, Place, Sender};
use kata_testkit::slack::{ChannelKind, Fault, Via};
use serde_json::json;

use crate::rig::{Ear, Rig};

fn choice(label: &str, says: &str, style: ChoiceStyle) -> Choice {
    Choice {
        label: label.into(),
        says: says.into(),
        style,
    }
}

fn card(rig: &Rig, place: Place) -> Outbound {
    Outbound {
        choices: vec![
            choice("Allow", "yes 7Q4", ChoiceStyle::Primary),
            choice("Allow 1 h", "yes 7Q4 1h", ChoiceStyle::Plain),
            choice("Deny", "no 7Q4", ChoiceStyle::Danger),
        ],
        ..rig.answer(place, "approval:1", "*May I?* Say `yes 7Q4` or `no 7Q4`.")
    }
}

#[tokio::test]
async fn choices_are_buttons_under_the_text() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let card = card(&rig, Place::conversation("C1"));
    let receipt = adapter.send(&card).await.unwrap();
    let posted = rig.slack.posted().remove(0);
    assert_eq!(
        (&*posted.text, posted.key.as_deref()),
        (&*card.text, Some("approval:1"))
    );
    assert_eq!(receipt.id, Some(MessageId::new(&*posted.ts)));
    let blocks = rig.slack.blocks("C1", &posted.ts);
    assert_eq!(blocks[0]["text"], json!({"type": "mrkdwn", "text": card.text}));
    let buttons: Vec<_> = blocks[1]["elements"].as_array().unwrap().iter().collect();
    let shown: Vec<_> = buttons
        .iter()
        .map(|button| (button["text"]["text"].as_str().unwrap(), button["style"].as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("Allow", Some("primary")),
            ("Allow 1 h", None),
            ("Deny", Some("danger"))
        ]
    );
}

#[tokio::test]
async fn a_card_whose_fate_is_unknown_is_looked_up() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let card = card(&rig, Place::conversation("C1"));
    let since = rig.now();
    rig.slack.fail_next("chat.postMessage", Fault::CutAfter);
    assert_eq!(adapter.send(&card).await.unwrap_err().effect, Effect::Maybe);
    let lookup = Lookup {
        outbound: card,
        since,
    };
    let found = adapter.read_back().unwrap().find(&lookup).await.unwrap();
    assert!(matches!(found, Finding::Sent(_)), "{found:?}");
}

#[tokio::test]
async fn a_card_is_posted_also_where_a_command_is_answered() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let mut ear = Ear::open(&adapter).await;
    rig.slack.slash_command("C1", "U1", "/kata", "do it");
    let command = ear.next().await;
    let card = Outbound {
        metadata: command.metadata,
        ..card(&rig, command.place)
    };
    let receipt = adapter.send(&card).await.unwrap();
    assert!(receipt.id.is_some(), "a card without an id could not be closed");
    assert_eq!(rig.slack.posted()[0].via, Via::PostMessage);
}

#[tokio::test]
async fn a_press_says_what_the_button_says_where_the_card_stands() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let mut ear = Ear::open(&adapter).await;
    let root = rig.slack.post_silently("C1", "U1", "do it");
    let threaded = Place::thread("C1", root.as_str());
    for place in [Place::conversation("C1"), threaded] {
        adapter.send(&card(&rig, place.clone())).await.unwrap();
        let card = ear.next().await;
        assert!(card.sender.is_self);
        let at = rig.slack.press("U1", card.id.as_str(), "Allow 1 h");
        let press = ear.next().await;
        assert_eq!((&press.kind, &press.place), (&Kind::Press, &place));
        assert_eq!(press.text.raw, "yes 7Q4 1h");
        let ada = Sender {
            id: "U1".into(),
            name: Some("ada".into()),
            is_bot: false,
            is_self: false,
        };
        assert_eq!((press.sender, press.is_direct), (ada, false));
        let said = serde_json::Value::Object(press.metadata).to_string();
        assert!(
            !said.contains("/response/") && !said.contains("trigger"),
            "{said}"
        );
        rig.slack.wait_acknowledged(&at).await;
    }
}

#[tokio::test]
async fn each_press_is_a_message_of_its_own() {
    let rig = Rig::start().await;
    rig.slack.add_user("U2", "bob");
    let adapter = rig.channel("open", &[]).await;
    let mut ear = Ear::open(&adapter).await;
    let im = rig.slack.add_im("U1");
    adapter.send(&card(&rig, Place::conversation(im))).await.unwrap();
    let card = ear.next().await;
    let mut ids = Vec::new();
    for user in ["U1", "U1", "U2"] {
        rig.slack.press(user, card.id.as_str(), "no 7Q4");
        let press = ear.next().await;
        assert!(press.is_direct);
        ids.push(press.id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_press_is_acknowledged_after_its_commit_and_not_before() {
    let rig = Rig::start().await;
    rig.slack
        .add_channel("C2", "random", ChannelKind::Public, &["U1"]);
    let adapter = rig.channel("support", &["C1"]).await;
    let mut ear = Ear::open(&adapter).await;
    adapter
        .send(&card(&rig, Place::conversation("C1")))
        .await
        .unwrap();
    let card = ear.next().await;
    ear.commits.forget_permits(usize::MAX);
    let at = rig.slack.press("U1", card.id.as_str(), "Deny");
    // A later event that is for nobody: once it is acknowledged, the socket was read up to here.
    let later = rig.slack.user_posts("C2", "U1", "hello");
    rig.slack.wait_acknowledged(&later).await;
    assert!(!rig.slack.is_acknowledged(&at));
    ear.commits.add_permits(1);
    assert_eq!(ear.next().await.text.raw, "no 7Q4");
    rig.slack.wait_acknowledged(&at).await;
}

#[tokio::test]
async fn buttons_of_others_are_acknowledged_and_say_nothing() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let mut ear = Ear::open(&adapter).await;
    let mut card = card(&rig, Place::conversation("C1"));
    card.choices.truncate(1);
    adapter.send(&card).await.unwrap();
    let ts = ear.next().await.id;
    rig.slack.rename_action(ts.as_str(), "yes 7Q4", "survey_yes");
    let at = rig.slack.press("U1", ts.as_str(), "Allow");
    rig.slack.wait_acknowledged(&at).await;
    assert!(ear.heard_nothing());
}

#[tokio::test]
async fn a_closed_card_has_its_text_and_no_buttons() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let place = Place::conversation("C1");
    let id = adapter
        .send(&card(&rig, place.clone()))
        .await
        .unwrap()
        .id
        .unwrap();
    let cards = adapter.cards().unwrap();
    cards.close(&place, &id, "Allowed by ada.").await;
    assert_eq!(rig.slack.wait_closed(id.as_str()).await, "Allowed by ada.");
    assert_eq!(
        rig.slack.posted()[1].key.as_deref(),
        Some("approval:1"),
        "it keeps its key"
    );
    rig.slack
        .fail_next("chat.update", Fault::OkFalse("edit_window_closed"));
    cards.close(&place, &id, "once more").await;
    assert_eq!(rig.slack.texts("C1"), ["Allowed by ada."]);
}
