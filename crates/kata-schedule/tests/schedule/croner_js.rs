//! Pattern by pattern, the same as croner for JavaScript. Where the runs and its words come from: `croner_js/SOURCE.md`.

use std::collections::{BTreeMap, BTreeSet};

use kata_schedule::Zone;

use crate::{cron, time};

const RUNS: &str = include_str!("croner_js/runs.txt");

/// Where we differ, and why: what its code lets through and its documentation does not name.
const DIFFERENCES: [(&str, &str); 10] = [
    (
        "0 0 15 * ?",
        "`?` is `*`, also in what it means for the other field",
    ),
    (
        "0 0 ? * MON",
        "`?` is `*`, also in what it means for the other field",
    ),
    ("0 0 1L * *", "two items without a comma"),
    ("0 0 15L * *", "two items without a comma"),
    ("0 0 L15 * *", "two items without a comma"),
    ("0 0 LL * *", "two items without a comma"),
    ("0 0 * * 5#", "no number after #"),
    ("5* * * * *", "signs after a number, which parseInt does not see"),
    ("0 0 5W5 * *", "signs after a number, which parseInt does not see"),
    ("0 0 0 1 1 * 5001", "years end with 4999"),
];

fn ours(pattern: &str) -> String {
    let start = time("2026-11-22T00:00:00Z");
    match cron(pattern, &Zone::UTC) {
        Ok(schedule) => {
            let runs: Vec<String> = schedule
                .upcoming(start)
                .take(3)
                .map(|run| run.to_string())
                .collect();
            runs.join(" ")
        }
        Err(error) if error.to_string().contains("no run after") => "never".to_owned(),
        Err(_) => "refused".to_owned(),
    }
}

#[test]
fn patterns_mean_what_they_mean_in_the_app() {
    let theirs: BTreeMap<&str, &str> = RUNS.lines().filter_map(|line| line.split_once(" | ")).collect();
    assert!(theirs.len() > 450, "{}", theirs.len());
    let differs: BTreeSet<&str> = theirs
        .iter()
        .filter(|(pattern, runs)| ours(pattern) != **runs)
        .map(|(pattern, _)| *pattern)
        .collect();
    let known: BTreeSet<&str> = DIFFERENCES.iter().map(|(pattern, _)| *pattern).collect();
    assert_eq!(differs, known);
}
