use kata_channel::{Length, Unit, markdown::render};
use proptest::prelude::*;

use super::DISCORD;

const LENGTH: Length = Length {
    unit: Unit::Chars,
    limit: 2_000,
};

fn discord(markdown: &str) -> String {
    render(markdown, &DISCORD, LENGTH).join("\n=====\n")
}

#[test]
fn an_answer_as_discord_shows_it() {
    insta::assert_snapshot!(discord(
        "\
# Release 1.2 *beta*

It is **out**, see [the notes](https://example.com/notes_(1)?a=1&b=2) or <mailto:ops@example.com>.
It is ~~late~~ `on_time`; see https://example.com/a_b_c too.

1. Update:
   - stop *everything*
   - run `it`
2. Wait

- [x] built
- [ ] announced

> A quote,
> two lines

```rust
if a < b && c > d { \"*x*\" }
```

| What | Count |
|------|------:|
| a_b  |     1 |

---
![chart](https://example.com/c.png)"
    ));
}

#[test]
fn an_answer_cannot_call_anybody_or_hide_anything() {
    for attempt in [
        "<@900> <@!900> <@&7> <#20> </kata:1> <:wave:12> <t:1:R>",
        "&lt;@900&gt;",
        "[<@900>](https://example.com)",
        "[x](<https://example.com/<@900>>)",
        "**<@900>**",
    ] {
        let shown = discord(attempt).replace("\\<", "");
        assert!(!shown.contains('<'), "{attempt:?} became {shown:?}");
    }
    assert_eq!(discord("||hidden||"), r"\|\|hidden\|\|");
}

#[test]
fn what_is_written_as_text_stays_text() {
    for (markdown, shown) in [
        (r"2 \* 3 \* 4", r"2 \* 3 \* 4"),
        ("snake_case_name", r"snake\_case\_name"),
        (r"C:\\dir", r"C:\\dir"),
        (r"\[x\](https://example.com)", r"\[x\](https://example.com)"),
        ("C# and a -> b", "C# and a -> b"),
    ] {
        assert_eq!(discord(markdown), shown, "{markdown}");
    }
}

#[test]
fn an_address_stays_one_and_cannot_break_out_of_its_link() {
    assert_eq!(discord("https://example.com/a_b_c"), "https://example.com/a_b_c");
    assert_eq!(
        discord("[x](<https://example.com/a) b>)"),
        "[x](https://example.com/a%29%20b)"
    );
    assert_eq!(discord("[x](javascript:alert)"), "x (javascript:alert)");
}

#[test]
fn the_text_of_a_link_is_what_discord_makes_a_link_of() {
    for (markdown, shown) in [
        (
            "[`run_it`](https://example.com)",
            "[`run_it`](https://example.com)",
        ),
        (
            "see [the `run` tool](https://example.com)",
            "see [the `run` tool](https://example.com)",
        ),
        (
            "[snake_case](https://example.com)",
            "[snake_case](https://example.com)",
        ),
        (r"[\_x\_](https://example.com)", r"\_x\_ (https://example.com)"),
        ("[2 \\* 3](https://example.com)", r"2 \* 3 (https://example.com)"),
        (
            "[a [b] c](https://example.com)",
            r"a \[b\] c (https://example.com)",
        ),
        (
            r"[x\](https://evil.example) y](https://example.com)",
            r"x\](https://evil.example) y (https://example.com)",
        ),
        (
            "[`x](https://evil.example)`](https://example.com)",
            "`x](https://evil.example)` (https://example.com)",
        ),
        ("<https://example.com/~ada>", "https://example.com/~ada"),
        ("see <https://example.com/a_b>.", "see <https://example.com/a_b>."),
        (
            "[https://example.com](https://example.com)",
            "<https://example.com>",
        ),
        ("![](https://example.com/c.png)", "https://example.com/c.png"),
        (
            "[https://bank.example](https://evil.example)",
            "https://bank.example (https://evil.example)",
        ),
        (
            "**<https://example.com/a>** and [x](https://example.com)",
            "**<https://example.com/a>** and [x](https://example.com)",
        ),
        ("<ops@example.com>", "ops@example.com"),
    ] {
        assert_eq!(discord(markdown), shown, "{markdown}");
    }
}

#[test]
fn marks_inside_words_are_seen() {
    assert_eq!(discord("un*believ*able"), "un\u{200b}_believ_\u{200b}able");
    assert_eq!(discord("**a***b*"), "**a**_b_");
}

#[test]
fn a_long_answer_is_split_below_the_limit_of_a_message() {
    let paragraph = "A sentence with _marks_ and 😀 faces. ".repeat(20);
    let answer = [paragraph.trim(); 10].join("\n\n");
    let parts = render(&answer, &DISCORD, LENGTH);
    assert!(parts.len() > 3);
    assert!(parts.iter().all(|part| part.chars().count() <= 2_000));
}

proptest! {
    #[test]
    fn no_part_is_longer_than_discord_takes(text in "[a-z*_~`|<>\\[\\]()# \n\\\\é😀]{0,3000}") {
        for part in render(&text, &DISCORD, LENGTH) {
            prop_assert!(part.chars().count() <= 2_000);
        }
    }

    #[test]
    fn no_text_of_a_link_leads_elsewhere(text in "[a-z_*~|`<>\\[\\]()\\\\ :/]{1,40}") {
        let literal: String = text
            .chars()
            .flat_map(|c| c.is_ascii_punctuation().then_some('\\').into_iter().chain([c]))
            .collect();
        let shown = discord(&format!("[{literal}](https://good.example)"));
        for (at, _) in shown.match_indices("](") {
            let escapes = shown[..at].chars().rev().take_while(|c| *c == '\\').count();
            let leads_there = shown[at..].starts_with("](https://good.example)");
            prop_assert!(escapes % 2 == 1 || leads_there, "{}", shown);
        }
    }
}
