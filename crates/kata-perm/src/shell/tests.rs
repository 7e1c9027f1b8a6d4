use proptest::prelude::*;

use super::*;

fn plain(text: &str) -> Vec<String> {
    let commands = commands(text).unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
    commands.into_iter().map(|command| command.plain).collect()
}

#[test]
fn every_simple_command_is_found() {
    for (text, expect) in [
        ("ls", vec!["ls"]),
        ("  ls   -la  ", vec!["ls -la"]),
        ("a && b || c ; d", vec!["a", "b", "c", "d"]),
        ("a | b | c", vec!["a", "b", "c"]),
        ("a\nb", vec!["a", "b"]),
        ("a;", vec!["a"]),
        ("a |\n b", vec!["a", "b"]),
        ("git show HEAD~1:src/lib.rs", vec!["git show HEAD~1:src/lib.rs"]),
        ("env A=b c", vec!["env A=b c"]),
        ("echo if then", vec!["echo if then"]),
    ] {
        assert_eq!(plain(text), expect, "{text}");
    }
}

#[test]
fn quotes_are_taken_off_as_a_shell_does() {
    for (text, written, plain) in [
        ("echo 'a b'", "echo 'a b'", "echo a b"),
        (r#"echo "a;b" 'c|d'"#, r#"echo "a;b" 'c|d'"#, "echo a;b c|d"),
        (r#"e"ch"o \;"#, r#"e"ch"o \;"#, "echo ;"),
        (r#"echo "\$x \n \\""#, r#"echo "\$x \n \\""#, r"echo $x \n \"),
        ("echo '$x `y` *'", "echo '$x `y` *'", "echo $x `y` *"),
        ("echo ''", "echo ''", "echo "),
    ] {
        let found = commands(text).unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
        let expect = Command {
            written: written.to_owned(),
            plain: plain.to_owned(),
        };
        assert_eq!(found, [expect], "{text}");
    }
}

#[test]
fn what_is_more_than_simple_commands_is_refused() {
    for text in [
        "",
        " ",
        "\n",
        "# only a comment",
        "ls # more",
        "ls;;",
        "ls &&",
        "| ls",
        "&& ls",
        "'ls",
        "\"ls",
        "ls \\",
        "ls $(x)",
        "ls `x`",
        "ls $x",
        "ls \"$x\"",
        "ls ${x}",
        "ls $((1))",
        "ls $'x'",
        "ls $\"x\"",
        "\"`x`\"",
        "ls > x",
        "ls >> x",
        "ls < x",
        "ls 2>&1",
        "ls &> x",
        "ls <<E\nx\nE",
        "ls <<< x",
        "ls |& x",
        "ls >| x",
        "ls <(x)",
        "ls >(x)",
        "ls &",
        "ls & rm x",
        "ls &\n",
        "A=1 ls",
        "A=1",
        "A+=1 ls",
        "a[0]=1 ls",
        "(ls)",
        "{ ls; }",
        "! ls",
        "ls !x",
        "ls \"!x\"",
        "time ls",
        "coproc ls",
        "if a; then b; fi",
        "while a; do b; done",
        "for a in b; do c; done",
        "case a in b) c;; esac",
        "f() { ls; }",
        "function f { ls; }",
        "[[ a ]]",
        "((1))",
        "ls *",
        "ls ?",
        "ls [a]",
        "ls {a,b}",
        "ls ~",
        "ls ~/x",
        "ls a:~/x",
        "x=~ ls",
        "ls =x",
        "ls ^x",
        "ls \\\nrm",
        "ls \"\\\n\"",
        "ls\r\nrm",
        "ls\u{0}",
        "ls\u{7f}",
        "ls\u{a0}-la",
        "ls\u{2003}x",
        "ls \u{200b}x",
        "ls \u{202e}x",
        "ls\u{85}x",
        "ls\u{2028}rm",
        "l\u{455}",
        "\u{ff4c}s",
        "'' ls",
        "\"\"",
        "\u{feff}ls",
        "select a in b; do c; done",
        "until a; do b; done",
    ] {
        assert!(commands(text).is_err(), "{text:?} became {:?}", commands(text));
    }
}

#[test]
fn text_that_is_huge_or_deep_is_refused_at_once() {
    for text in [
        "a".repeat(10 << 20),
        "a;".repeat(32_000),
        "a\n".repeat(32_000),
        "a|".repeat(32_000),
        "a&&".repeat(21_000),
        "a||".repeat(21_000),
        "(".repeat(30_000),
        "{ ".repeat(30_000),
        "if ".repeat(20_000),
        "! ".repeat(20_000),
        "time ".repeat(10_000),
        "$(".repeat(30_000),
        "\"`".repeat(30_000),
        "case x in ".repeat(5000),
        "coproc ".repeat(5000),
        "<<E ".repeat(5000),
    ] {
        assert!(commands(&text).is_err(), "{}…", &text[..8]);
    }
}

/// The parser is recursive: what is let through to it must not come near the end of a stack, in a debug build either.
#[test]
fn the_deepest_text_that_is_parsed_needs_little_stack() {
    let texts = [
        "a;".repeat(MOST_OPERATORS),
        "a\n".repeat(MOST_OPERATORS),
        format!("{}a", "a|".repeat(MOST_OPERATORS)),
        format!("{}a", "a&&".repeat(MOST_OPERATORS / 2)),
        format!("{}a", "a|\n".repeat(MOST_OPERATORS / 2)),
        "if ".repeat(MOST_RESERVED),
        "time ".repeat(MOST_RESERVED),
        format!("{}{}", "if a;then ".repeat(MOST_RESERVED / 2), "a|".repeat(200)),
        format!("{}{}", "while ".repeat(MOST_RESERVED), "a&&".repeat(100)),
        format!("a{}", " b".repeat(LONGEST / 2 - 1)),
        format!("a '{}'", "b".repeat(LONGEST - 10)),
    ];
    let small = std::thread::Builder::new().stack_size(1 << 20);
    let parsed = small.spawn(move || texts.iter().filter(|text| commands(text).is_ok()).count());
    // The two that are one command.
    assert_eq!(parsed.unwrap().join().unwrap(), 2);
}

proptest! {
    #[test]
    fn no_text_panics(text in "([a-c'\"\\\\;&| \n$`(){}<>#=!~*?0-1]|if |do |\\PC){0,40}") {
        let _ = commands(&text);
    }

    /// What is put between single quotes is one argument, whatever it says.
    #[test]
    fn a_quoted_argument_stays_one(argument in "[ -&(-~]{0,30}") {
        let text = format!("echo '{argument}'");
        prop_assert_eq!(plain(&text), vec![format!("echo {argument}")]);
    }
}
