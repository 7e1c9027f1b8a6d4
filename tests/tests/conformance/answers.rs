//! What is answered, and that it is said once.

use kata_testkit::host::{Answer, Policy};

use crate::fake::{Fake, Polled, Scene, Signs, Trouble, text_of, turn_of};

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
    let whole = answer.clone();
    let script = Policy::script(move |_| Answer::Say(whole.clone()));
    let host = scene.up(scene.start().policy(script)).await;
    scene.fake.says(here, "write it");
    let sent = host.wait_for("message_sent").await;
    let said = scene.said();
    assert_eq!(said.len() > 1, F::length(&answer) > F::LIMIT);
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
        .flat_map(|part| part.lines().map(str::trim_start))
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
        let n = text_of::<F>(turn)
            .strip_prefix("golden ")
            .and_then(|n| n.parse::<usize>().ok());
        Answer::Say(n.map_or("", |n| F::MARKUP[n].0).to_owned())
    });
    let _host = scene.up(scene.start().policy(script)).await;
    for n in 0..F::MARKUP.len() {
        scene.fake.says(here, &format!("golden {n}"));
    }
    scene.fake.wait_posted(F::MARKUP.len()).await;
    let shown: Vec<&str> = F::MARKUP.iter().map(|(_, shown)| *shown).collect();
    assert_eq!(scene.fake.written(), shown);
}

pub(crate) async fn a_sign_of_life_is_shown_while_a_turn_runs<F: Signs>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    let message = scene.fake.says(here, "hello");
    let turn = turn_of::<F>(&host, "hello").await;
    scene.fake.wait_sign(here, &message).await;
    host.answer(turn.message_id, "done");
    scene.fake.wait_text("done").await;
}

/// Where a sign would be a change that its owner did not ask for.
pub(crate) async fn nothing_is_changed_on_the_platform_while_a_turn_runs<F: Polled>() {
    let scene = Scene::<F>::set().await;
    let [here, there, _] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    scene.fake.says(here, "hello");
    let turn = turn_of::<F>(&host, "hello").await;
    // A sign would have come long before the next turn.
    scene.fake.says(there, "and hello");
    turn_of::<F>(&host, "and hello").await;
    assert_eq!(scene.fake.changes(), 0, "{}", scene.fake.dump());
    host.answer(turn.message_id, "done");
    scene.fake.wait_text("done").await;
    assert_eq!(scene.fake.changes(), 1, "{}", scene.fake.dump());
}
