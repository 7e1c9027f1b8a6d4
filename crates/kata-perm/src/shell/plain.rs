//! Text that has nothing but plain words, and signs between commands. The parser takes longer for it than the rules do.
//!
//! Whatever is a little more goes to the parser. That both read the same commands is held by a property test.

use super::{Command, MOST_COMMANDS, RESERVED};

/// The commands of `text`; none where that is for the parser to say.
pub(super) fn commands(text: &str) -> Option<Vec<Command>> {
    let mut commands = Vec::new();
    // What follows `&&`, `||` or `|` is a command, on the same line.
    let mut must_follow = false;
    let mut rest = text;
    loop {
        let end = rest.find(is_operator).unwrap_or(rest.len());
        let (words, operator) = rest.split_at(end);
        match command(words)? {
            Some(command) => commands.push(command),
            // `a;` has an end and no more; `;;` has more.
            None if operator.is_empty() && !must_follow && !commands.is_empty() => break,
            None => return None,
        }
        if commands.len() == MOST_COMMANDS {
            return None;
        }
        if operator.is_empty() {
            break;
        }
        (must_follow, rest) = after(operator)?;
    }
    Some(commands)
}

fn is_operator(c: char) -> bool {
    matches!(c, ';' | '&' | '|' | '\n')
}

/// What comes after the operator at the beginning, and whether it must be a command.
fn after(operator: &str) -> Option<(bool, &str)> {
    let joined = ["&&", "||", "|"];
    if let Some(rest) = joined.iter().find_map(|sign| operator.strip_prefix(sign)) {
        return Some((true, rest));
    }
    let rest = operator.strip_prefix([';', '\n'])?;
    Some((false, rest))
}

/// One command, or none where there are only spaces. The outer none: it has more than plain words.
fn command(text: &str) -> Option<Option<Command>> {
    let mut plain = String::with_capacity(text.len());
    for word in text.split([' ', '\t']).filter(|word| !word.is_empty()) {
        if !word.bytes().all(is_plain) {
            return None;
        }
        let is_first = plain.is_empty();
        // A program's name with `=` in it sets a variable; some shells expand a word that begins with it.
        if word.starts_with('=') || is_first && (word.contains('=') || is_grammar(word)) {
            return None;
        }
        if !is_first {
            plain.push(' ');
        }
        plain.push_str(word);
    }
    let written = plain.clone();
    Some((!plain.is_empty()).then_some(Command { written, plain }))
}

/// Means itself wherever it stands, but for `=`.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./,:@%+=".contains(&byte)
}

fn is_grammar(word: &str) -> bool {
    RESERVED.contains(&word) || matches!(word, "fi" | "done")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::parsed, *};

    #[test]
    fn plain_text_needs_no_parser() {
        for (text, expect) in [
            ("ls", vec!["ls"]),
            ("  git \t log  -3 ", vec!["git log -3"]),
            ("a && b|c||d ; e\nf", vec!["a", "b", "c", "d", "e", "f"]),
            ("a;", vec!["a"]),
            ("make CC=gcc if then", vec!["make CC=gcc if then"]),
        ] {
            let found = commands(text).unwrap_or_else(|| panic!("{text}"));
            let found: Vec<_> = found.into_iter().map(|command| command.plain).collect();
            assert_eq!(found, expect, "{text}");
        }
    }

    #[test]
    fn what_is_a_little_more_is_for_the_parser() {
        for text in [
            "",
            " ",
            "\n",
            ";",
            "a;;b",
            "a &",
            "a & b",
            "a |& b",
            "a &&& b",
            "a ||| b",
            "a &&",
            "a |",
            "&& a",
            "a &&\nb",
            "a\n\nb",
            "\na",
            "A=1",
            "A=1 b",
            "a =b",
            "a 'b'",
            "a \"b\"",
            "a\\ b",
            "a *",
            "a ~",
            "a:~/x",
            "a $b",
            "a > b",
            "a # b",
            "!a",
            "! a",
            "a\r",
            "a\u{a0}b",
            "gr\u{f6}n",
            "if a",
            "time a",
            "a; done",
            "a && fi",
            "coproc a",
            "a {b,c}",
            "a^b",
            "(a)",
            "a\0",
        ] {
            assert_eq!(commands(text), None, "{text:?}");
        }
        assert_eq!(commands(&"a;".repeat(MOST_COMMANDS)), None);
    }

    proptest! {
        #[test]
        fn it_reads_what_the_parser_reads(
            text in "(a|b-c|/x/y|A=1|=|if|then|fi|do|done|time|in|esac|coproc|function|1|%|,|\\+|[ \t\n;&|=~'\"\\\\#!]|&&|\\|\\|| ; ){0,12}",
        ) {
            if let Some(commands) = commands(&text) {
                prop_assert_eq!(parsed(&text), Ok(commands));
            }
        }

        /// Else the property above would hold of nothing.
        #[test]
        fn it_reads_lists_of_plain_commands(parts in prop::collection::vec("[a-z]{4,8}x( x[a-z=./-]{0,3})*", 1..5), by in "( && | \\|\\| | \\| |; |\n)") {
            let text = parts.join(&by);
            prop_assert_eq!(commands(&text), parsed(&text).ok());
        }
    }
}
