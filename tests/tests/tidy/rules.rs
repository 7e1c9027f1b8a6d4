//! The delivery rules D1 to D28: each is quoted where the code keeps it, and has a test.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::files::{self, File};

/// The page that says what each rule is, with its tests.
const PAGE: &str = "docs/delivery.md";
const LAST: u32 = 28;
/// Rules whose subject does not exist yet: turns of scheduled tasks.
const LATER: [u32; 1] = [15];

/// The rules that a text quotes: `D12`, and nothing longer.
fn quoted(text: &str) -> impl Iterator<Item = u32> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter_map(|word| word.strip_prefix('D')?.parse().ok())
}

fn quoted_in<'f>(files: &'f [File], part: impl Fn(&'f File) -> &'f str) -> BTreeSet<u32> {
    files.iter().flat_map(|file| quoted(part(file))).collect()
}

/// Whether each rule's line of the page names a test.
fn page() -> Result<BTreeMap<u32, bool>> {
    let text = std::fs::read_to_string(files::root().join(PAGE)).context(PAGE)?;
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| D")?.split_once('|'));
    Ok(rows
        .filter_map(|(rule, rest)| {
            let tests = rest
                .trim_end_matches(['|', ' '])
                .rsplit('|')
                .next()
                .unwrap_or_default();
            Some((rule.trim().parse().ok()?, tests.contains('`')))
        })
        .collect())
}

#[test]
fn every_rule_is_quoted_where_it_is_kept() -> Result<()> {
    let files = files::sources()?;
    let shipped: Vec<File> = files
        .into_iter()
        .filter(|f| !f.path.starts_with("tests/"))
        .collect();
    let quoted = quoted_in(&shipped, File::production);
    let missing: Vec<u32> = (1..=LAST)
        .filter(|n| !LATER.contains(n) && !quoted.contains(n))
        .collect();
    assert!(missing.is_empty(), "no code says that it keeps D{missing:?}");
    Ok(())
}

#[test]
fn every_rule_has_a_test() -> Result<()> {
    let page = page()?;
    let all: Vec<u32> = (1..=LAST).collect();
    assert_eq!(
        page.keys().copied().collect::<Vec<_>>(),
        all,
        "{PAGE} has a line for every rule"
    );
    let untested: Vec<u32> = page
        .into_iter()
        .filter(|(n, tested)| !tested && !LATER.contains(n))
        .map(|(n, _)| n)
        .collect();
    assert!(untested.is_empty(), "{PAGE} names no test of D{untested:?}");
    Ok(())
}

#[test]
fn a_rule_is_quoted_by_its_whole_number() {
    assert_eq!(
        quoted("// D1: and (D12, D3); not ID4, D5x or DD6").collect::<Vec<_>>(),
        [1, 12, 3]
    );
}
