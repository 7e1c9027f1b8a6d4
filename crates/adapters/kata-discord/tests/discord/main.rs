//! The adapter against a Discord that is written from Discord's documentation.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test may")]

mod cards;
mod connect;
mod directs;
mod files;
mod flood;
mod history;
mod push;
mod read_back;
mod rig;
mod send;
mod sessions;
mod tools;

#[test]
fn every_test_file_is_listed() {
    let listed = include_str!("main.rs");
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/discord")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(module) = name.strip_suffix(".rs").filter(|&module| module != "main") else {
            continue;
        };
        assert!(listed.contains(&format!("mod {module};")), "{name}");
    }
}
