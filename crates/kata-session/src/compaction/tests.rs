use kata_channel::Timestamp;
use proptest::prelude::*;

use super::{limits::LEAST_SUMMARY, *};
use crate::{
    Entry, Speaker, Transcript, estimate,
    history::{FRAME, Parts},
    transcript::{costs_of, tokens_of},
};

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

/// Text that knows of fences, marks and secrets, and any other.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n".to_owned()),
        Just("EARLIER ".to_owned()),
        Just("END ".to_owned()),
        Just("Remember: ".to_owned()),
        Just("token=".to_owned()),
        Just("-----BEGIN ".to_owned()),
        Just("PRIVATE KEY-----".to_owned()),
        Just(secret()),
        "[0-9a-f]{16}",
        "[a-z .]{0,200}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let speaker = prop_oneof![
        4 => Just(Speaker::People),
        4 => Just(Speaker::Agent),
        1 => Just(Speaker::Summary),
    ];
    let name = proptest::option::of(hostile());
    let tokens = prop_oneof![6 => Just(None), 2 => (0..2_000_u64).prop_map(Some), 1 => Just(Some(u64::MAX))];
    (speaker, name, hostile(), tokens).prop_map(|(speaker, name, text, tokens)| Entry {
        tokens,
        ..entry(speaker, name.as_deref(), &text)
    })
}

fn any_case() -> impl Strategy<Value = (Vec<Entry>, Limits, u64)> {
    let entries = proptest::collection::vec(any_entry(), 0..30);
    let limits = (0..6_000_u64, 0..6_000_u64, 0..6_000_u64);
    (entries, limits, 0..7_000_u64).prop_map(|(entries, (tokens, keep, summary), next)| {
        (entries, Limits::new(tokens, keep, summary), next)
    })
}

proptest! {
    // A case is a conversation.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_plan_keeps_whole_exchanges_and_loses_nothing((entries, limits, next) in any_case()) {
        let needed = tokens_of(&entries).saturating_add(next);
        match plan(&Transcript::new(entries.clone()), &limits, next) {
            Plan::Fits => prop_assert!(needed <= limits.tokens()),
            Plan::Over => {
                prop_assert!(needed > limits.tokens());
                prop_assert!(next + Parts::RULES + FRAME + LEAST_SUMMARY > limits.tokens());
            }
            Plan::Compact(cut) => {
                prop_assert!(needed > limits.tokens());
                prop_assert_eq!([cut.folded(), cut.kept()].concat(), entries.clone());
                prop_assert!(cut.room() >= LEAST_SUMMARY && cut.room() <= limits.max_summary());
                let last = cut.folded().last().expect("something is folded");
                if cut.folds_newest() {
                    let begins = (0..entries.len()).rev().find(|n| *n == 0 || entries[n - 1].speaker != Speaker::People);
                    let newest = costs_of(&entries[begins.unwrap()..]);
                    let beside = next + Parts::RULES + FRAME + limits.max_summary();
                    prop_assert!(newest.saturating_add(beside) > limits.tokens());
                } else {
                    prop_assert!(last.speaker != Speaker::People, "a message was cut off from its answer");
                }
            }
        }
    }

    #[test]
    fn a_summary_that_is_taken_makes_it_fit_and_leaves_the_rest_as_it_was(
        (entries, limits, next) in any_case(),
        summary in hostile(),
    ) {
        let before = Transcript::new(entries);
        if let Plan::Compact(cut) = plan(&before, &limits, next) {
            for summary in [summary, "word".repeat(usize::try_from(cut.room()).unwrap()), cut.fallback()] {
                let Ok(after) = cut.apply(&summary) else { continue };
                prop_assert!(after.tokens() < before.tokens());
                prop_assert_eq!(plan(&after, &limits, next), Plan::Fits);
                prop_assert_eq!(&after.entries()[1..], cut.kept());
                prop_assert_eq!(after.entries()[0].speaker, Speaker::Summary);
            }
        }
    }

    #[test]
    fn a_summary_without_a_model_is_always_taken_and_always_the_same((entries, limits, next) in any_case()) {
        if let Plan::Compact(cut) = plan(&Transcript::new(entries), &limits, next) {
            let summary = cut.fallback();
            prop_assert!(cut.apply(&summary).is_ok(), "{} of {}: {}", estimate(&summary), cut.room(), summary);
            prop_assert_eq!(cut.fallback(), summary);
        }
    }

    #[test]
    fn what_is_to_be_summarised_cannot_leave_its_fence((entries, limits, next) in any_case()) {
        let Plan::Compact(cut) = plan(&Transcript::new(entries), &limits, next) else { return Ok(()) };
        let Some(instruction) = cut.instruction() else { return Ok(()) };
        prop_assert!(estimate(&instruction) <= limits.tokens());
        let fence = instruction.split("EARLIER ").nth(1).unwrap().split(' ').next().unwrap();
        let (opening, end) = (format!("\nEARLIER {fence} {{"), format!("\nEND {fence}\n"));
        let parts: Vec<&str> = instruction.split(&opening).skip(1).collect();
        prop_assert_eq!(parts.len(), cut.folded().len());
        for (part, folded) in parts.iter().zip(cut.folded()) {
            let (heading, rest) = part.split_once('\n').unwrap();
            let heading: serde_json::Value = serde_json::from_str(&format!("{{{heading}")).unwrap();
            prop_assert_eq!(heading["name"].as_str(), folded.name.as_deref());
            prop_assert_eq!(heading["speaker"].as_str(), Some(folded.speaker.as_str()));
            let (text, after) = rest.split_once(&end).unwrap();
            prop_assert_eq!(text, crate::redact(&folded.text));
            prop_assert!(matches!(after, "" | "\nNow write the summary.\n"), "{:?}", after);
        }
    }
}
