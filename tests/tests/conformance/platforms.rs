//! What each platform has, as its adapter says: `docs/platforms.md`, which a test of the binary keeps in step with the adapters.

use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../docs/platforms.md");

/// What a platform may lack. Each has its behaviours, and so has its want.
const MAY_LACK: [&str; 5] = ["push", "approvals", "notices", "signs", "files"];
/// What the suite takes for granted.
const MUST_HAVE: [&str; 2] = ["history", "readBack"];

/// What stands in the page's table: the cells of each row by platform.
fn table() -> BTreeMap<&'static str, BTreeMap<&'static str, &'static str>> {
    let mut rows = PAGE
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| -> Vec<&str> { line.trim_matches('|').split('|').map(str::trim).collect() });
    let platforms = rows.next().expect("a table with a head");
    rows.skip(1)
        .map(|cells| {
            let of = platforms
                .iter()
                .copied()
                .zip(cells.iter().copied())
                .skip(2)
                .collect();
            (cells[0].trim_matches('`'), of)
        })
        .collect()
}

/// The platform's line in the suite says what its adapter does.
pub(crate) fn say(platform: &str, things: &[&str]) {
    let table = table();
    let cell = |thing: &str| table[thing][platform];
    let told: Vec<String> = MAY_LACK
        .iter()
        .map(|thing| match cell(thing) {
            "yes" => (*thing).to_owned(),
            _ => format!("no_{thing}"),
        })
        .collect();
    assert_eq!(things, told, "what docs/platforms.md says of {platform}");
    for thing in MUST_HAVE {
        assert_eq!(cell(thing), "yes", "{platform} has no {thing}");
    }
}

/// The suite is about all platforms of the page.
pub(crate) fn are_all(platforms: &[&str]) {
    let mut platforms = platforms.to_vec();
    platforms.sort_unstable();
    let told: Vec<&str> = table()["history"].keys().copied().collect();
    assert_eq!(platforms, told);
}
