//! What stands in the code, and what never does.

use anyhow::Result;

use crate::files::{self, File};

/// A file with more production lines says in its first paragraph why it is one file.
const LONGEST: usize = 400;
/// The words by which it says so: all of something "in one" place, file, table.
const WHY: &str = "in one ";

/// Where words for people are printed. In `katad run` stdout belongs to the protocol.
const PRINTS: [&str; 3] = [
    "bin/src/terminal.rs",
    "bin/src/terminal/",
    "crates/adapters/kata-terminal/",
];
/// Where the process's stdout is touched at all: taken away in `katad run`, handed to kata-terminal in `katad chat`, given
/// to an agent in `katad tools`, and in kata-ipc's examples.
const STDOUT: [&str; 4] = [
    "bin/src/stdio.rs",
    "bin/src/chat.rs",
    "crates/kata-plugin/src/mcp/",
    "crates/kata-ipc/",
];

/// Folders in which people and machines keep their checkouts. A path into one of them works for nobody else.
const PRIVATE_FOLDERS: [&str; 7] = ["home", "Users", "root", "work", "workspace", "builds", "mnt"];

/// The lines of a text that are code, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn starts_with_any(file: &File, places: &[&str]) -> bool {
    places.iter().any(|place| file.path.starts_with(place))
}

/// The places of a word in the code of the files.
fn places(files: &[File], words: &[String], of: impl Fn(&File) -> &str) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (n, line) in code(of(file)) {
            if let Some(word) = words.iter().find(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{n}: {word}", file.path));
            }
        }
    }
    found
}

#[test]
fn a_file_is_short_or_says_why_not() -> Result<()> {
    let mut long = Vec::new();
    for file in files::sources()? {
        let lines = file.production().lines().count();
        let first_paragraph = file
            .text
            .lines()
            .take_while(|line| line.trim_end().len() > "//!".len());
        let says_why = first_paragraph.collect::<Vec<_>>().join(" ").contains(WHY);
        if lines > LONGEST && !says_why {
            long.push(format!("{}: {lines} lines", file.path));
        }
    }
    assert!(
        long.is_empty(),
        "split it, or say why it is {WHY:?}something: {long:#?}"
    );
    Ok(())
}

#[test]
fn nothing_is_left_to_be_done() -> Result<()> {
    let macros = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let found = places(&files::sources()?, &macros, |file| &file.text);
    assert!(found.is_empty(), "{found:#?}");
    // In comments too; a note for later has a number that can be looked up.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    for file in files::sources()? {
        for (n, line) in file
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains("//"))
        {
            let marked = line
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| marks.contains(&word));
            assert!(!marked || line.contains('#'), "{}:{}: {line}", file.path, n + 1);
        }
    }
    Ok(())
}

#[test]
fn only_the_terminal_prints() -> Result<()> {
    let files: Vec<File> = files::sources()?
        .into_iter()
        .filter(|file| !file.path.starts_with("tests/") && !starts_with_any(file, &PRINTS))
        .collect();
    let macros = ["print", "println", "eprint", "eprintln"].map(|name| format!("{name}!("));
    let found = places(&files, &macros, File::production);
    assert!(found.is_empty(), "{found:#?}");
    let elsewhere: Vec<File> = files
        .into_iter()
        .filter(|file| !starts_with_any(file, &STDOUT))
        .collect();
    let found = places(&elsewhere, &["io::stdout(".to_owned()], File::production);
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[test]
fn a_lint_is_expected_with_a_reason_and_never_allowed() -> Result<()> {
    let allowed = ["#[", "#!["].map(|open| format!("{open}allow("));
    let found = places(&files::sources()?, &allowed, |file| &file.text);
    assert!(found.is_empty(), "{found:#?}");
    let expected = format!("{}expect(", "#[");
    let mut unexplained = Vec::new();
    for file in files::sources()? {
        let lines: Vec<&str> = file.text.lines().collect();
        for (n, _) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.trim_start().starts_with(&expected))
        {
            let end = lines[n..]
                .iter()
                .position(|line| line.contains(")]"))
                .unwrap_or(0);
            if !lines[n..=n + end].iter().any(|line| line.contains("reason")) {
                unexplained.push(format!("{}:{}", file.path, n + 1));
            }
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    Ok(())
}

#[test]
fn no_file_knows_one_persons_machine() -> Result<()> {
    let folders = PRIVATE_FOLDERS.map(|folder| format!("/{folder}/"));
    // The start of a path, and not the middle of one.
    let starts = |text: &str, at: usize| {
        text[..at]
            .chars()
            .next_back()
            .is_none_or(|before| before.is_whitespace() || "\"'`(=:".contains(before))
    };
    let mut found = Vec::new();
    for extension in ["rs", "md", "toml", "json", "sql", "yml"] {
        for file in files::with_extension(extension)? {
            for folder in &folders {
                let text = &file.text;
                let known = text
                    .match_indices(folder.as_str())
                    .find(|(at, _)| starts(text, *at));
                found.extend(known.map(|(at, _)| {
                    format!(
                        "{}: {}",
                        file.path,
                        &text[at..].chars().take(40).collect::<String>()
                    )
                }));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[test]
fn every_crate_says_what_it_is() -> Result<()> {
    for file in files::sources()?
        .iter()
        .filter(|f| f.path.ends_with("src/lib.rs"))
    {
        assert!(
            file.text.starts_with("//! "),
            "{} begins with what the crate is for",
            file.path
        );
        let folder = file.folder().trim_end_matches("/src");
        assert!(
            files::root().join(folder).join("README.md").is_file(),
            "{folder} has a README.md"
        );
    }
    Ok(())
}
