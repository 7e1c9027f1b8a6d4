//! Messages with buttons, and what is heard when one is pressed.

use kata_channel::{Choice, ChoiceStyle, Kind, Outbound, Place};

use crate::rig::{ADA, Ear, GENERAL, Rig};

fn card(rig: &Rig) -> Outbound {
    let choice = |label: &str, says: &str, style| Choice {
        label: label.into(),
        says: says.into(),
        style,
    };
    Outbound {
        choices: vec![
            choice("Allow", "yes 7Q4", ChoiceStyle::Primary),
            choice("Deny", "no 7Q4", ChoiceStyle::Danger),
        ],
        ..rig.answer(Place::conversation(GENERAL), "k1", "may I?")
    }
}

#[tokio::test]
async fn a_press_says_what_the_button_says_and_closes_nothing_by_itself() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    let id = adapter.send(&card(&rig)).await.unwrap().id.unwrap();
    assert_eq!(rig.discord.buttons(id.as_str()), ["Allow", "Deny"]);
    let press = rig.discord.press(ADA, id.as_str(), "Allow");
    let heard = ear.next().await;
    assert_eq!((&heard.kind, &*heard.text.readable), (&Kind::Press, "yes 7Q4"));
    assert_eq!((heard.id.as_str(), heard.sender.id.as_str()), (&*press, ADA));
    assert!(
        !heard.metadata.contains_key("responseUrl"),
        "its token stays outside"
    );
    assert_eq!(rig.discord.wait_answered(&press).await.kind, 6);
}

#[tokio::test]
async fn a_closed_card_has_its_outcome_and_no_buttons() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let id = adapter.send(&card(&rig)).await.unwrap().id.unwrap();
    let place = Place::conversation(GENERAL);
    adapter
        .cards()
        .unwrap()
        .close(&place, &id, "allowed by ada")
        .await;
    assert_eq!(rig.discord.wait_closed(id.as_str()).await, "allowed by ada");
    assert!(rig.discord.buttons(id.as_str()).is_empty());
}
