use super::*;

fn check(pattern: &str, text: &str, expect: bool) {
    let pattern = Pattern::from_text(pattern).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        pattern.is_match(text).ok(),
        Some(expect),
        "{pattern:?} on {text:?}"
    );
}

#[test]
fn patterns_are_searched_for_anywhere_and_case_counts() {
    for (pattern, text, expect) in [
        ("status", "git status", true),
        ("status", "git Status", false),
        (r"^git\s+(status|log)\b", "git  log --all", true),
        (r"^git\s+(status|log)\b", "git logs", false),
        (r"^ls$", "ls\n", false),
        (r"^ls$", "cd\nls", false),
        (r"^git (?!push)\w+$", "git push", false),
        (r"^git (?!push)\w+$", "git pull", true),
    ] {
        check(pattern, text, expect);
    }
}

#[test]
fn what_a_pattern_starts_with_only_spares_searches() {
    for (pattern, start) in [
        ("^git status$", "git status"),
        ("^ab*", "a"),
        ("^ab?c", "a"),
        ("^ab{0}c", "a"),
        ("^ab+c", "ab"),
        ("^a|b", ""),
        ("git", ""),
        ("^*", ""),
        (r"^a\.b", "a"),
        (r"^https://a\.b", "https://a"),
        ("^a\u{e9}?", "a"),
        ("^(?:a)", ""),
    ] {
        assert_eq!(prefix(pattern).unwrap_or_default(), start, "{pattern}");
    }
    check("^ab{0}c", "ac", true);
    check("^a|b", "b", true);
}

#[test]
fn names_are_matched_whole() {
    for (pattern, name, expect) in [
        ("Read", "Read", true),
        ("Read", "ReadAll", false),
        ("Re.*", "ReadAll", true),
        ("a|b", "ab", false),
        ("a|b", "b", true),
        ("^a$", "a", true),
        (r"api_\w+", "api_x", true),
        (r"(a)\1", "aa", true),
    ] {
        let matcher = NamePattern::from_text(pattern).expect("a valid pattern");
        assert_eq!(matcher.is_match(name).ok(), Some(expect), "{pattern} on {name}");
    }
    assert!(NamePattern::from_text("a)|(b").is_err());
    assert!(NamePattern::from_text("").is_err());
}

#[test]
fn a_pattern_that_backtracks_without_end_gives_up() {
    let pattern = Pattern::from_text(r"^(?=((a|a)+)+$)x|(\w+)+\b$").expect("a valid pattern");
    let text = format!("{}!", "a".repeat(5000));
    assert!(pattern.is_match(&text).is_err());
}

#[test]
fn what_cannot_be_used_is_refused() {
    for pattern in ["(", "a**", "(?i:a)", "((a{1000}){1000}){1000}"] {
        assert!(Pattern::from_text(pattern).is_err(), "{pattern}");
    }
    assert!(Pattern::from_text(&"a".repeat(5000)).is_err());
}
