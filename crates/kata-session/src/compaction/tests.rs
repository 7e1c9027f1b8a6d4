use kata_channel::Timestamp;

use super::*;
use crate::{Entry, Speaker, Transcript};

mod properties;

fn entry(speaker: Speaker, name: Option<&str>, text: &str) -> Entry {
    Entry {
        speaker,
        name: name.map(str::to_owned),
        text: text.into(),
        at: Timestamp::from_millis(1_700_000_000_000),
        tokens: None,
    }
}

fn person(name: &str, text: &str) -> Entry {
    entry(Speaker::People, Some(name), text)
}

fn agent(text: &str) -> Entry {
    entry(Speaker::Agent, None, text)
}

/// Put together here, so that no token stands in the source for those who look for one.
fn secret() -> String {
    ["xoxb-", "1234567890-", "A1b2C3d4"].concat()
}

/// A week of talk that is to be cut, with an earlier summary, and a newest exchange that stays.
fn talk() -> Vec<Entry> {
    let mut talk = vec![
        entry(
            Speaker::Summary,
            None,
            "Pinned: the code name is Heron.\nAnn leads the launch.",
        ),
        person(
            "Ben",
            "Hello. I am new here. I work on the notes, which are long.",
        ),
        agent("Welcome, Ben! Ask me anything. I will remember you."),
        person(
            "Ann",
            "We talked a lot. We decided to ship on 2026-11-22. The weather is fine. See docs/launch.md.",
        ),
        agent("Noted. I have looked at it all. It is good."),
        person("Ben", &format!("Use {} for the bot. Thanks.", secret())),
        agent("Done."),
    ];
    talk.extend((0..60).flat_map(|n| {
        [
            person(
                "Ben",
                &format!("And what about page {n}? I have no idea. Tell me."),
            ),
            agent(&format!("Page {n} is as it was.")),
        ]
    }));
    talk
}

fn cut(entries: Vec<Entry>, limits: &Limits, next: u64) -> Cut {
    match plan(&Transcript::new(entries), limits, next) {
        Plan::Compact(cut) => cut,
        other => panic!("it is to be cut: {other:?}"),
    }
}

#[test]
fn an_instruction_reads_like_this() {
    let cut = Cut::new(&talk()[..7], &[], 250, 3_000);
    insta::assert_snapshot!(cut.instruction().expect("it is short"));
}

#[test]
fn a_summary_without_a_model_reads_like_this() {
    insta::assert_snapshot!(cut(talk(), &Limits::new(3_000, 500, 250), 100).fallback());
}

#[test]
fn a_summary_is_taken_only_if_it_says_something_in_the_room_that_is_left() {
    let cut = cut(talk(), &Limits::new(3_000, 500, 250), 100);
    let room = usize::try_from(cut.room()).unwrap();
    for (summary, expect) in [
        (String::new(), Some(Refused::Empty)),
        (" \n\t ".to_owned(), Some(Refused::Empty)),
        ("word".repeat(room), None),
        (
            "word".repeat(room) + "s",
            Some(Refused::NotSmaller {
                tokens: cut.room() + 1,
                room: cut.room(),
            }),
        ),
    ] {
        assert_eq!(cut.apply(&summary).err(), expect);
    }
}

#[test]
fn the_newest_exchange_stays_even_where_it_is_longer_than_what_is_kept() {
    let mut talk = talk();
    talk.extend([person("Ann", &"word".repeat(600)), agent("I see.")]);
    let cut = cut(talk.clone(), &Limits::new(3_000, 100, 250), 100);
    assert_eq!(cut.kept(), &talk[talk.len() - 2..]);
    assert!(!cut.folds_newest());
}

#[test]
fn a_newest_exchange_that_is_too_long_alone_is_folded_and_said_to_be() {
    let mut talk = talk();
    talk.extend([person("Ann", &"word".repeat(3_000)), agent("I see.")]);
    let cut = cut(talk, &Limits::new(3_000, 100, 250), 100);
    assert!(cut.folds_newest() && cut.kept().is_empty());
}

#[test]
fn a_prompt_that_is_too_long_alone_costs_no_history() {
    let limits = Limits::new(3_000, 100, 250);
    for next in [2_900, 3_000, u64::MAX] {
        assert_eq!(
            plan(&Transcript::new(talk()), &limits, next),
            Plan::Over,
            "{next}"
        );
    }
    assert_eq!(plan(&Transcript::default(), &limits, 3_001), Plan::Over);
    assert_eq!(plan(&Transcript::default(), &limits, 3_000), Plan::Fits);
}

#[test]
fn an_instruction_that_is_too_long_itself_is_not_given() {
    let entries = (0..200).map(|_| person("Ann", &"word".repeat(100))).collect();
    assert_eq!(
        cut(entries, &Limits::new(3_000, 500, 250), 100).instruction(),
        None
    );
}

#[test]
fn no_secret_gets_into_an_instruction_or_a_summary() {
    let secret = secret();
    let mut talk = talk();
    talk.push(person("Ben", &format!("Remember: the token is {secret}")));
    let cut = Cut::new(&talk, &[], 250, 10_000);
    let instruction = cut.instruction().expect("it is short");
    assert!(!instruction.contains(&secret) && instruction.contains("Use ••• for the bot."));
    assert!(!cut.fallback().contains(&secret));
    let taken = cut.apply(&format!("The token is {secret}.")).unwrap();
    assert_eq!(taken.entries()[0].text, "The token is •••.");
}

/// The oldest facts stay however often it is done, and whoever pins what after them.
#[test]
fn pinned_facts_and_first_words_outlive_any_number_of_summaries_without_a_model() {
    let limits = Limits::new(2_000, 300, 400);
    let mut transcript = Transcript::new(vec![
        person("Ann", "The launch is called Heron. Good to see you."),
        agent("Hello."),
        person("Ann", "Please remember: the door code is in the blue book."),
        agent("I will."),
    ]);
    let mut generations = 0;
    for n in 0..800 {
        transcript.push(person("Mallory", &format!("Remember: this is thing number {n}.")));
        transcript.push(agent(&format!("Thing {n} was decided.")));
        if let Plan::Compact(cut) = plan(&transcript, &limits, 200) {
            transcript = cut.apply(&cut.fallback()).unwrap();
            generations += 1;
            let summary = &transcript.entries()[0].text;
            assert!(
                summary.contains("Ann: The launch is called Heron."),
                "{n}: {summary}"
            );
            assert!(
                summary.contains("Ann: Please remember: the door code is in the blue book."),
                "{n}: {summary}"
            );
        }
    }
    assert!(generations > 50, "{generations}");
}
