//! What is answered, and that it is said once.

use kata_testkit::host::{Answer, Policy};

use crate::fake::{Fake, Scene, Trouble};

/// Asks once, with trouble at the first attempt to answer; the answer must be there exactly once.
async fn answered_once_despite<F: Fake>(trouble: Trouble) {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.play().await;
    scene.fake.trouble(trouble);
    scene.fake.says(here, "one");
    host.wait_for("message_sent").await;
    scene.fake.says(here, "two");
    scene.fake.wait_text("two").await;
    assert_eq!(scene.said(), ["one", "two"], "{}", scene.fake.dump());
}

macro_rules! answered_once {
    ($($name:ident: $trouble:ident;)*) => {$(
        pub(crate) async fn $name<F: Fake>() {
            answered_once_despite::<F>(Trouble::$trouble).await;
        }
    )*};
}

answered_once! {
    an_answer_is_sent_once_when_the_connection_is_cut_before_it_took_effect: CutBefore;
    an_answer_is_sent_once_when_the_connection_is_cut_after_it_took_effect: CutAfter;
    an_answer_is_sent_once_when_a_503_comes_instead: Unavailable;
    an_answer_is_sent_once_when_a_503_follows_its_effect: UnavailableAfter;
    an_answer_is_sent_once_when_the_reply_is_a_page_of_a_hotel: Html;
    an_answer_is_sent_once_when_no_reply_ever_comes: HangAfter;
    an_answer_is_sent_once_when_the_reply_is_slow: Slow;
}

/// The daemon dies after the effect and before it knows of it.
pub(crate) async fn an_unknown_outcome_is_settled_by_the_next_life<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.play().await;
    scene.fake.trouble(Trouble::HangAfter);
    scene.fake.says(here, "one");
    scene.fake.wait_text("one").await;
    host.kill9().await;
    let host = scene.play().await;
    scene.fake.says(here, "two");
    scene.fake.wait_text("two").await;
    assert_eq!(scene.said(), ["one", "two"], "{}", host.dump());
}

pub(crate) async fn a_long_answer_is_split_in_the_platforms_unit_and_nothing_is_lost<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    // Characters of one, two and four bytes, and of one and two UTF-16 units.
    let lines: Vec<String> = (0..1500)
        .map(|n| format!("line {n} of a long program – 🦀 é"))
        .collect();
    let answer = format!("Here it is:\n\n```\n{}\n```\n\nThe end.", lines.join("\n"));
    let script = Policy::script(move |_| Answer::Say(answer.clone()));
    let host = scene.up(scene.start().policy(script)).await;
    scene.fake.says(here, "write it");
    let sent = host.wait_for("message_sent").await;
    let said = scene.said();
    assert!(said.len() > 1);
    for (n, part) in said.iter().enumerate() {
        assert!(
            F::length(part) <= F::LIMIT,
            "part {n} is {} long",
            F::length(part)
        );
        assert_eq!(part.matches("```").count() % 2, 0, "part {n} leaves a fence open");
    }
    let all: Vec<&str> = said
        .iter()
        .flat_map(|part| part.lines())
        .filter(|l| l.starts_with("line "))
        .collect();
    assert_eq!(all, lines);
    assert!(said.last().is_some_and(|part| part.ends_with("The end.")));
    assert_eq!(host.events_of("message_sent"), [sent]);
}

pub(crate) async fn an_answer_is_written_in_the_platforms_markup<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let script = Policy::script(|turn| {
        let n = turn
            .content
            .strip_prefix("golden ")
            .and_then(|n| n.parse::<usize>().ok());
        Answer::Say(n.map_or("", |n| F::MARKUP[n].0).to_owned())
    });
    let _host = scene.up(scene.start().policy(script)).await;
    for (n, (_, shown)) in F::MARKUP.iter().enumerate() {
        scene.fake.says(here, &format!("golden {n}"));
        scene.fake.wait_posted(n + 1).await;
        assert_eq!(scene.said()[n], *shown);
    }
}

pub(crate) async fn a_sign_of_life_is_shown_while_a_turn_runs<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    let message = scene.fake.says(here, "hello");
    let turn = host.wait_turn("hello").await;
    scene.fake.wait_sign(here, &message).await;
    host.answer(turn.message_id, "done");
    scene.fake.wait_text("done").await;
}
