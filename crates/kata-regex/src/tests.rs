use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    longest: 4096,
    compiled: 4 << 20,
    backtracks: 1_000_000,
};

fn compiled(pattern: &str, case: Case) -> JsRegex {
    JsRegex::new(pattern, case, &LIMITS).unwrap_or_else(|error| panic!("{error}"))
}

fn check_in(case: Case, pattern: &str, text: &str, expect: bool) {
    let found = compiled(pattern, case).is_match(text);
    assert_eq!(found, Ok(expect), "/{pattern}/ on {text:?}, case {case:?}");
}

/// What holds with the flag `i` and without it.
fn check(pattern: &str, text: &str, expect: bool) {
    for case in [Case::Counts, Case::Ignored] {
        check_in(case, pattern, text, expect);
    }
}

fn refused(pattern: &str) {
    for case in [Case::Counts, Case::Ignored] {
        let compiled = JsRegex::new(pattern, case, &LIMITS);
        assert!(compiled.is_err(), "/{pattern}/ is not to be taken, case {case:?}");
    }
}

#[test]
fn case_counts_unless_it_is_ignored() {
    for (pattern, text, counts, ignored) in [
        ("status", "git status", true, true),
        ("status", "git Status", false, true),
        ("^[a-c]$", "B", false, true),
        (r"^\x41$", "a", false, true),
        (r"^(a|b)\1$", "aA", false, true),
        ("^ß$", "ẞ", false, true),
        ("k", "\u{212A}", false, true),
        (r"\w", "\u{212A}", false, false),
    ] {
        check_in(Case::Counts, pattern, text, counts);
        check_in(Case::Ignored, pattern, text, ignored);
    }
}

#[test]
fn shorthands_are_ascii_as_in_javascript() {
    for (pattern, text, expect) in [
        (r"^\d+$", "42", true),
        (r"^\d+$", "٤٢", false),
        (r"^\w+$", "Kata_7", true),
        (r"^\w+$", "größe", false),
        (r"\W", "ö", true),
        (r"\bos\b", "größe os x", true),
        (r"ß\b", "größe", true),
        (r"\bkata\b", "ask kata.", true),
        (r"\bkata\b", "katana", false),
        (r"\Bta\b", "kata", true),
        (r"^\s$", "\u{feff}", true),
        (r"^\s$", "\u{85}", false),
        (r"^\S$", "\u{85}", true),
        (r"^[\d\s]+$", "1 2", true),
        (r"^[^\W\d]$", "x", true),
        (r"^[^\W\d]$", "1", false),
    ] {
        check(pattern, text, expect);
    }
}

#[test]
fn dot_and_anchors_know_javascripts_lines() {
    for (pattern, text, expect) in [
        ("a.b", "a\u{2028}b", false),
        ("a.b", "a\rb", false),
        ("a.b", "a\u{85}b", true),
        ("^.$", "😀", true),
        ("a.b", "a\nb", false),
        ("a$", "a\n", false),
        ("^b", "a\nb", false),
        ("a[^]b", "a\nb", true),
        ("a[]", "a", false),
        ("^[]*a", "a", true),
        ("kata.{0,1000}please", "kata, would you please", true),
    ] {
        check(pattern, text, expect);
    }
}

#[test]
fn escapes_are_read_as_without_the_flag_u() {
    for (pattern, text, expect) in [
        (r"^\/kata\-x$", "/kata-x", true),
        (r"^\x41\u0042\t$", "AB\t", true),
        (r"^\u{3}$", "uuu", true),
        (r"^\uD83D\uDE00$", "😀", true),
        (r"^\cJ$", "\n", true),
        (r"^\c$", "\\c", true),
        (r"^\0$", "\0", true),
        (r"^\101$", "A", true),
        (r"^\8$", "8", true),
        (r"^\p{L}$", "p{L}", true),
        (r"^\xg\ug$", "xgug", true),
        (r"^\h\A\z\G\K\e$", "hAzGKe", true),
        (r"^[\b]$", "\u{8}", true),
        (r"^[\]\-\\]+$", r"-]\", true),
        (r"^[\w-x]+$", "a-x", true),
        (r"^[a&&b[~~-]+$", "[&~-", true),
        (r"^[+--]$", ",", true),
        (r"^a{,2}$", "a{,2}", true),
        (r"^x{a}]}$", "x{a}]}", true),
        (r"^a{2}$", "aa", true),
        (r"^a{2,}?$", "aaa", true),
        (r"^# (?:x) #$", "# x #", true),
    ] {
        check(pattern, text, expect);
    }
}

#[test]
fn groups_references_and_look_around_work() {
    for (pattern, text, expect) in [
        (r"^(a+)\1$", "aaaa", true),
        (r"^(a+)\1$", "aaa", false),
        (r"^(a|b)\1$", "ab", false),
        (r"^(?<hälfte$>..)\k<hälfte$>$", "toto", true),
        (r"^\k<x>(?<x>a)$", "a", true),
        (r"^\k<x>$", "k<x>", true),
        (r"^(?:(a)|b)\1$", "b", true),
        (r"^(?:(a)|b)\1$", "a", false),
        (r"(?<=@)kata(?!na)", "hey @kata", true),
        (r"(?<=@)kata(?!na)", "hey @katana", false),
        (r"(?<!no )kata", "no kata", false),
        (r"(?<=o+ )kata", "noooo kata", true),
        (r"^(?=.*please)(?=.*kata)", "kata, please", true),
        (r"^(?=.*please)(?=.*kata)", "kata!", false),
    ] {
        check(pattern, text, expect);
    }
}

#[test]
fn what_javascript_refuses_is_refused() {
    for pattern in [
        "(",
        ")",
        "[",
        "a**",
        "a++",
        "a{2}+",
        "^*",
        r"\b+",
        "*a",
        "{2}",
        "a{3,2}",
        "[b-a]",
        r"a\",
        "(?<x>a)(?<x>b)",
        "(?<>a)",
        r"(?<x>a)\k<y>",
        r"(?<x>a)\k",
        "(?",
        "(?<x",
        r"\uD83D",
        "(?<=a)*",
    ] {
        refused(pattern);
    }
}

#[test]
fn what_cannot_be_translated_is_refused() {
    for pattern in [
        "(?i:a)",
        "(?>a)",
        "(?#x)",
        "(?P<x>a)",
        r"(a\1)",
        r"(?<x>a\k<x>)",
        "(?(1)a)",
        "(?=a)*",
    ] {
        refused(pattern);
    }
    refused(&"(".repeat(5000));
    refused(&format!("{}a{}", "(".repeat(1000), ")".repeat(1000)));
    refused("((a{1000}){1000}){1000}");
}

#[test]
fn a_catastrophic_pattern_gives_up_or_is_fast() {
    let text = format!("{}!", "a".repeat(5000));
    check("(a+)+$", &text, false);
    let regex = compiled(r"^(?=((a|a)+)+$)x|(\w+)+\b$", Case::Ignored);
    assert_eq!(regex.is_match(&text), Err(Exhausted(())));
    assert_eq!(regex.find(&text), Err(Exhausted(())));
}

#[test]
fn limits_are_the_callers() {
    let within = |limits: Limits, pattern: &str| JsRegex::new(pattern, Case::Counts, &limits);
    let short = Limits { longest: 3, ..LIMITS };
    assert!(within(short, "abc").is_ok());
    assert_eq!(
        within(short, "abcd").err(),
        Some(PatternError::TooLong { longest: 3 })
    );

    let large = "(?:a{100}){100}";
    assert!(within(LIMITS, large).is_ok());
    let small = within(
        Limits {
            compiled: 1 << 10,
            ..LIMITS
        },
        large,
    );
    assert!(matches!(small, Err(PatternError::Refused { .. })), "{small:?}");

    let hard = r"^(a|aa)+(?!a)$\1";
    let text = format!("{}b", "a".repeat(15));
    let patient = within(LIMITS, hard).expect("a valid pattern");
    assert_eq!(patient.is_match(&text), Ok(false));
    let hasty = within(
        Limits {
            backtracks: 100,
            ..LIMITS
        },
        hard,
    );
    assert_eq!(
        hasty.expect("a valid pattern").is_match(&text),
        Err(Exhausted(()))
    );
}

#[test]
fn an_error_names_the_pattern_and_the_reason() {
    let error = JsRegex::new("a**", Case::Ignored, &LIMITS).expect_err("nothing to repeat");
    assert_eq!(
        error.to_string(),
        "the pattern `a**` cannot be used: there is nothing to repeat"
    );
}

proptest! {
    #[test]
    fn no_pattern_and_no_text_panics(pattern in r#"[ab(){}\[\]|?*+.^$\\<>=!:,\-&~kuxcdwsbB01238A€😀]{0,24}"#, text in "[abk01 <😀€]{0,16}") {
        if let Ok(regex) = JsRegex::new(&pattern, Case::Ignored, &LIMITS)
            && let Ok(Some(found)) = regex.find(&text)
        {
            prop_assert!(text.get(found).is_some(), "a match lies on character borders");
        }
    }

    #[test]
    fn arbitrary_strings_never_panic(pattern in any::<String>()) {
        let _ = JsRegex::new(&pattern, Case::Ignored, &LIMITS);
    }

    #[test]
    fn ascii_letters_and_digits_match_themselves_in_any_case(word in "[a-zA-Z0-9 ]{1,20}", before in "[.!]{0,3}") {
        let regex = compiled(&word, Case::Ignored);
        let text = format!("{before}{}{before}", word.to_ascii_uppercase());
        prop_assert_eq!(regex.find(&text), Ok(Some(before.len()..before.len() + word.len())));
        prop_assert_eq!(regex.is_match(&word.to_ascii_lowercase()), Ok(true));
    }

    #[test]
    fn every_escaped_mark_matches_itself(mark in "[!-/:-@\\[-`{-~]") {
        check(&format!(r"^\{mark}$"), &mark, true);
        check(&format!(r"^[\{mark}]$"), &mark, true);
    }
}
