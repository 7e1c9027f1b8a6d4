//! What the documentation points at is there: links between files, their headings, and the tests that it names.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Component, Path, PathBuf},
};

use anyhow::Result;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::files::{self, File};

/// What matters of a Markdown file.
#[derive(Debug, Default)]
struct Document {
    links: Vec<String>,
    anchors: BTreeSet<String>,
    /// Code spans in the column "test" of its tables.
    tests: Vec<String>,
}

fn read(text: &str) -> Document {
    let mut document = Document::default();
    let mut heading: Option<String> = None;
    let (mut column, mut test_column, mut in_head) = (0, None, false);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                document.links.push(dest_url.into_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                document.anchors.extend(heading.take().map(|text| anchor(&text)));
            }
            Event::Start(Tag::TableHead) => (column, test_column, in_head) = (0, None, true),
            Event::End(TagEnd::TableHead) => in_head = false,
            Event::Start(Tag::TableRow) => column = 0,
            Event::End(TagEnd::TableCell) => column += 1,
            Event::Text(text) | Event::Code(text) if heading.is_some() => {
                heading.get_or_insert_default().push_str(&text);
            }
            Event::Text(text) if in_head && text.eq_ignore_ascii_case("test") => test_column = Some(column),
            Event::Code(name) if !in_head && test_column == Some(column) => {
                document.tests.push(name.into_string())
            }
            Event::End(TagEnd::Table) => test_column = None,
            _ => {}
        }
    }
    document
}

/// A heading as a page's address has it: lower case, blanks become dashes, other signs go.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
}

/// The file that a link in `from` points at, as a path from the root.
fn target(from: &File, link: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in Path::new(from.folder()).join(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_link_between_files_leads_somewhere() -> Result<()> {
    let files = files::with_extension("md")?;
    let documents: HashMap<&str, Document> = files.iter().map(|f| (f.path.as_str(), read(&f.text))).collect();
    let mut dead = Vec::new();
    for file in &files {
        for link in &documents[file.path.as_str()].links {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            if path.contains(':') {
                continue; // Another site's page.
            }
            let to = if path.is_empty() {
                PathBuf::from(&file.path)
            } else {
                target(file, path)
            };
            let there = files::root().join(&to).exists();
            let known = to.to_str().and_then(|to| documents.get(to));
            let heading_there = heading.is_empty() || known.is_some_and(|d| d.anchors.contains(heading));
            if !there || !heading_there {
                dead.push(format!("{}: {link}", file.path));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
    Ok(())
}

#[test]
fn every_test_that_the_documentation_names_exists() -> Result<()> {
    let sources = files::sources()?;
    let mut missing = Vec::new();
    for file in files::with_extension("md")? {
        for name in read(&file.text).tests {
            // `fn name(`, `fn name<` of one that each platform passes, or `name:` in a table of tests that a macro makes.
            let written = [format!("fn {name}("), format!("fn {name}<"), format!(" {name}: ")];
            if !sources
                .iter()
                .any(|source| written.iter().any(|w| source.tests().contains(w)))
            {
                missing.push(format!("{}: {name}", file.path));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    Ok(())
}

#[test]
fn a_document_is_read_as_its_readers_see_it() {
    let document =
        read("# One `two`\n\n[a](b.md#c)\n\n| what | Test |\n|---|---|\n| `x` | `y` |\n\n    [no](link)\n");
    assert_eq!(document.links, ["b.md#c"]);
    assert_eq!(document.anchors.into_iter().collect::<Vec<_>>(), ["one-two"]);
    assert_eq!(document.tests, ["y"]);
}
