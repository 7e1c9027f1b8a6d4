//! Which lines of a conversation are worth keeping, by plain signs: for a summary that no model writes.
//!
//! The words are English, as are those of the instruction; dates, names and paths look alike in most languages.

/// Words that ask for something to be remembered.
const PINNED: [&str; 3] = ["pinned", "pin", "remember"];
/// Phrases that do.
const PINNED_PHRASES: [&str; 3] = ["do not forget", "don't forget", "important:"];
/// Words that decisions and tasks come with.
const NOTED: [&str; 16] = [
    "todo", "task", "decided", "decision", "decide", "agreed", "approved", "rejected", "deadline", "due",
    "assigned", "promised", "owner", "must", "blocked", "until",
];

/// Whether somebody asks in it for something to be remembered: `pinned`, `pin`, `remember`, `don't forget`, `important:`.
pub(super) fn is_pinned(line: &str) -> bool {
    let line = line.to_lowercase().replace('’', "'");
    words(&line).any(|word| PINNED.contains(&word))
        || PINNED_PHRASES.iter().any(|phrase| line.contains(phrase))
}

/// Whether it looks like a decision or a task, or has a date, an `@name`, a file's path or a link in it.
pub(super) fn is_noted(line: &str) -> bool {
    let line = line.to_lowercase();
    words(&line).any(|word| NOTED.contains(&word)) || line.split_whitespace().any(is_reference)
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric())
}

fn is_reference(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '@' | '/' | '~' | '.'));
    let word = word.trim_end_matches('.');
    is_name(word) || is_date(word) || is_path(word)
}

/// `@ann`, `<@U123>`.
fn is_name(word: &str) -> bool {
    word.strip_prefix('@')
        .is_some_and(|name| name.starts_with(char::is_alphanumeric))
}

/// `2026-11-22`, `22.11.2026`, `11/22/26`, and the same with a time behind it.
fn is_date(word: &str) -> bool {
    let day = word.split('t').next().unwrap_or(word);
    ['-', '.', '/'].iter().any(|sign| {
        let parts: Vec<&str> = day.split(*sign).collect();
        let is_number = |part: &&str| matches!(part.len(), 1..=4) && part.bytes().all(|b| b.is_ascii_digit());
        parts.len() == 3 && parts.iter().all(is_number)
    })
}

/// `src/main.rs`, `/etc/hosts`, `~/notes`, `https://x.example/y`; but not `and/or`.
fn is_path(word: &str) -> bool {
    let Some((first, _)) = word.split_once('/') else {
        return false;
    };
    let last = word.rsplit('/').next().unwrap_or_default();
    word.contains("://") || matches!(first, "" | "~" | "." | "..") && word.len() > 2 || last.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_to_remember_is_seen() {
        for (line, expect) in [
            ("Remember: the code name is Heron.", true),
            ("PINNED: x", true),
            ("please don’t forget the keys", true),
            ("Important: no deploys on Friday", true),
            ("the remembrance", false),
            ("an important day", false),
            ("spinning", false),
            ("", false),
        ] {
            assert_eq!(is_pinned(line), expect, "{line}");
        }
    }

    #[test]
    fn decisions_tasks_dates_names_and_paths_are_seen() {
        for (line, expect) in [
            ("We decided to wait", true),
            ("todo: call Ben", true),
            ("ask <@U123>, then", true),
            ("by 2026-11-22.", true),
            ("on 22.11.2026", true),
            ("at 2026-11-22T10:00", true),
            ("see src/main.rs:12", true),
            ("in /etc/hosts", true),
            ("https://x.example/y", true),
            ("ask ann@x.example/", false),
            ("either and/or both", false),
            ("version 1.2", false),
            ("how are you?", false),
            ("a / b", false),
        ] {
            assert_eq!(is_noted(line), expect, "{line}");
        }
    }
}
