//! What holds of every conversation.

use proptest::prelude::*;

use super::{
    super::{limits::LEAST_SUMMARY, *},
    entry, secret,
};
use crate::{
    Entry, Speaker, Transcript, estimate,
    history::{FRAME, Parts},
    transcript::{costs_of, tokens_of},
};

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
