//! Each construct on its own, then promises that hold for any Markdown.

use std::borrow::Cow;

use proptest::prelude::*;

use super::{Dialect, Fence, MIN_LIMIT, render};
use crate::adapter::{Length, Unit};

/// A markup whose marks cannot be overlooked.
const LOUD: Dialect = Dialect {
    heading: ("<h>", "</h>"),
    bold: ("*", "*"),
    italic: ("_", "_"),
    strike: ("~", "~"),
    code: ("`", "`"),
    fence: Fence::Backticks { language: true },
    joint: "\u{200b}",
    escape: |text| {
        if text.contains('<') {
            Cow::Owned(text.replace('<', "&lt;"))
        } else {
            Cow::Borrowed(text)
        }
    },
    escape_code: |text| Cow::Borrowed(text),
    link: |url| {
        url.starts_with("http")
            .then(|| (format!("<{url}|"), ">".to_owned()))
    },
    ..Dialect::PLAIN
};

fn chars(limit: usize) -> Length {
    Length {
        unit: Unit::Chars,
        limit,
    }
}

fn whole(markdown: &str) -> String {
    match render(markdown, &LOUD, chars(10_000)).as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        many => panic!("split without need: {many:#?}"),
    }
}

fn parts(markdown: &str, limit: usize) -> String {
    let parts = render(markdown, &LOUD, chars(limit));
    for part in &parts {
        assert!(part.chars().count() <= limit, "too long: {part:?}");
    }
    parts.join("\n=====\n")
}

// --- constructs

#[test]
fn plain_text_stays_what_it_was() {
    let text = "Hello there,\nsecond line  with two spaces.\n\nA new paragraph: 3 < 4, a_b_c, 100 %.";
    assert_eq!(render(text, &Dialect::PLAIN, chars(400)), [text]);
}

#[test]
fn nothing_to_say_gives_no_parts() {
    for nothing in ["", "  \n\n \t\n", "```\n\n```", "&nbsp;"] {
        assert_eq!(
            render(nothing, &LOUD, chars(100)),
            Vec::<String>::new(),
            "{nothing:?}"
        );
    }
}

#[test]
fn styles_are_nested_and_a_heading_is_bold_enough() {
    insta::assert_snapshot!(whole("## A **bold** heading\n\nSome **bold *and italic* text**, ~~struck~~ and `co<de`."), @r"
    <h>A bold heading</h>

    Some *bold _and italic_ text*, ~struck~ and `co<de`.
    ");
}

#[test]
fn a_style_inside_a_word_is_parted_from_its_letters() {
    assert_eq!(whole("un**believ**able"), "un\u{200b}*believ*\u{200b}able");
    assert_eq!(whole("这是**重点**，对"), "这是\u{200b}*重点*\u{200b}，对");
    assert_eq!(whole("(**a**), **b**!"), "(*a*), *b*!");
}

#[test]
fn a_style_ends_with_its_line() {
    assert_eq!(whole("**two\nlines**"), "*two*\n*lines*");
}

#[test]
fn lists_keep_their_nesting_their_numbers_and_their_looseness() {
    insta::assert_snapshot!(whole("\
Before:
- one
  - one a
    - deep
  - one b
- two
  goes on
9. nine
10. ten

    paragraph of ten
11. eleven

After.
- [ ] open
- [x] done
1. [x] numbered"), @r"
    Before:

    • one
      ◦ one a
        ▪ deep
      ◦ one b
    • two
      goes on

    9. nine

    10. ten

        paragraph of ten

    11. eleven

    After.

    ☐ open
    ☑ done

    1. ☑ numbered
    ");
}

#[test]
fn quotes_keep_their_levels() {
    insta::assert_snapshot!(whole("> one\n> two\n>\n> > inner\n>\n> - item\n\nout"), @r"
    > one
    > two
    >
    > > inner
    >
    > • item

    out
    ");
}

#[test]
fn code_is_fenced_at_the_margin_with_its_language() {
    insta::assert_snapshot!(whole("\
1. Do this:

   ```rust,ignore
   fn main() {

       if a < b {}
   }
   ```
2. Then:
> ```
> quoted
> ```

    indented"), @r"
    1. Do this:

    ```rust
    fn main() {

        if a < b {}
    }
    ```

    2. Then:

    ```
    quoted
    ```

    ```
    indented
    ```
    ");
}

#[test]
fn without_fences_code_is_set_in() {
    let plain = render("- a\n\n  ```sh\n  ls\n  ```", &Dialect::PLAIN, chars(100));
    assert_eq!(plain, ["• a\n\n      ls"]);
}

#[test]
fn a_table_is_an_aligned_block_of_code() {
    insta::assert_snapshot!(whole("\
| Name | Count | Where |
|:-----|------:|-------|
| **tea** | 12 | [shop](https://tea.example) |
| 咖啡 | 1 | `here` |"), @r"
    ```
    Name | Count | Where
    -----|-------|---------------------------
    tea  |    12 | shop (https://tea.example)
    咖啡 |     1 | here
    ```
    ");
}

#[test]
fn links_and_images_keep_their_addresses() {
    insta::assert_snapshot!(whole("\
[site](https://a.example/x) <https://b.example> [file](src/main.rs) [src](src)
![a cat](https://c.example/cat.png) ![](https://c.example/dog.png) <me@d.example>
[![badge](https://e.example/b.svg)](https://e.example) [**all** bold](https://f.example) []()"), @r"
    <https://a.example/x|site> <https://b.example|https://b.example> file (src/main.rs) src
    <https://c.example/cat.png|a cat> <https://c.example/dog.png|https://c.example/dog.png> me@d.example
    <https://e.example/b.svg|badge><https://e.example|https://e.example> *<https://f.example|all>* <https://f.example|bold>
    ");
}

#[test]
fn footnotes_rules_and_html_are_readable_text() {
    insta::assert_snapshot!(whole("\
Fact[^1] and H<sub>2</sub>O<br>next

---

<details>
<summary>More</summary>
</details>

[^1]: The source."), @r"
    Fact[1] and H&lt;sub>2&lt;/sub>O
    next

    ――――――――

    &lt;details>
    &lt;summary>More&lt;/summary>
    &lt;/details>

    [1]: The source.
    ");
}

#[test]
fn a_definition_that_nothing_refers_to_is_shown() {
    assert_eq!(
        whole("See [used].\n\n[used]: https://a.example\n[2]: https://b.example \"B\""),
        "See <https://a.example|used>.\n\n[2]: https://b.example \"B\""
    );
}

#[test]
fn what_would_end_a_fence_or_a_code_span_is_defused() {
    assert_eq!(whole("````\n```\n````"), "```\n``\u{200b}`\n```");
    assert_eq!(whole("a ``b`c`` d"), "a b`c d");
    assert_eq!(
        whole(r"\`\``x`"),
        "``\u{200b}`\u{200b}x`".replace("\u{200b}x", "x")
    );
}

// --- splits

#[test]
fn a_split_prefers_blocks_then_lines_then_sentences_then_words() {
    insta::assert_snapshot!(parts("\
First block of a text here.

Second block here\nwith a second line in it, and on.

One sentence here. And one more which is long. Yes.

onlywordswithoutanyend and_more_of_them_here and_so_on", 44), @r"
    First block of a text here.
    =====
    Second block here
    with a second line in it,
    =====
    and on.

    One sentence here.
    =====
    And one more which is long. Yes.
    =====
    onlywordswithoutanyend and_more_of_them_here
    =====
    and_so_on
    ");
}

#[test]
fn a_heading_stays_with_what_it_heads() {
    insta::assert_snapshot!(parts("Some words before it comes.\n\n# Title\n\nThe text that it heads.", 50), @r"
    Some words before it comes.
    =====
    <h>Title</h>

    The text that it heads.
    ");
}

#[test]
fn a_fence_is_closed_and_opened_again_with_its_language() {
    insta::assert_snapshot!(parts("```py\nfirst = 1\nsecond = 2\nthird = 3\nfourth = 4\n```\nafter", 40), @r"
    ```py
    first = 1
    second = 2
    third = 3
    ```
    =====
    ```py
    fourth = 4
    ```

    after
    ");
}

#[test]
fn quotes_items_and_styles_go_on_in_the_next_part() {
    let text = "\
> a quoted text that is longer than one part of this answer

- **a bold item that is longer than one part of it**";
    insta::assert_snapshot!(parts(text, 40), @r"
    > a quoted text that is longer than one
    =====
    > part of this answer
    =====
    • *a bold item that is longer than one*
    =====
      *part of it*
    ");
}

#[test]
fn a_link_that_is_split_leads_there_from_both_parts() {
    let text = "Some words before, and [a link that is long enough to be split](http://a.io) in the end";
    insta::assert_snapshot!(parts(text, 75), @r"
    Some words before, and <http://a.io|a link that is long enough to be split>
    =====
    in the end
    ");
    insta::assert_snapshot!(parts(text, 70), @r"
    Some words before, and <http://a.io|a link that is long enough to be>
    =====
    <http://a.io|split> in the end
    ");
}

#[test]
fn a_link_too_long_to_be_repeated_is_text() {
    assert_eq!(
        parts("[a link](http://a.example)", 40),
        "a link (http://a.example)"
    );
}

#[test]
fn a_word_longer_than_a_part_is_split_between_what_a_reader_sees_as_characters() {
    let family = "👨‍👩‍👧";
    let parts = render(&family.repeat(20), &LOUD, chars(40));
    assert!(parts.len() > 1);
    assert!(
        parts.iter().all(|part| part.replace(family, "").is_empty()),
        "{parts:?}"
    );
}

#[test]
fn a_script_without_spaces_is_split_at_its_sentences() {
    let text = "这是第一句话，它说了一些事情。这是第二句话，它也说了一些别的事情。这是最后一句，它很短。";
    assert_eq!(
        render(text, &LOUD, chars(40)),
        [
            "这是第一句话，它说了一些事情。这是第二句话，它也说了一些别的事情。",
            "这是最后一句，它很短。"
        ]
    );
}

// --- promises

fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(LOUD), Just(Dialect::PLAIN)]
}

fn unit() -> impl Strategy<Value = Unit> {
    prop_oneof![Just(Unit::Chars), Just(Unit::Utf16), Just(Unit::Bytes)]
}

/// Text that is likely to be Markdown.
fn markdown() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,12}( [a-z]{1,9}){0,12}[.!?]? ",
        "\\PC{0,12}",
        Just("\n".to_owned()),
        Just("\n\n".to_owned()),
        prop::sample::select(vec![
            "**",
            "*",
            "_",
            "~~",
            "`",
            "``",
            "```",
            "\n```rust\n",
            "\n~~~\n",
            "# ",
            "\n> ",
            "> > ",
            "\n- ",
            "\n  - ",
            "\n1. ",
            "\n    ",
            "[",
            "](http://a.example/b)",
            "](x)",
            "![",
            "<br>",
            "<!channel>",
            "&lt;",
            "&#10;",
            "\\",
            "[^1]",
            "\n[^1]: ",
            "\n\n| a | b |\n|---|---|\n| c | d |\n",
            "|",
            "\n---\n",
            "\n<div>\n",
            "重点。",
            "👨‍👩‍👧",
            "e\u{301}\u{301}",
            "- [ ] ",
            "  ",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_part_fits_and_says_something(
        text in markdown(), dialect in dialect(), unit in unit(), limit in MIN_LIMIT..300usize,
    ) {
        for part in render(&text, &dialect, Length { unit, limit }) {
            prop_assert!(unit.len(&part) <= limit, "{} > {limit}: {part:?}", unit.len(&part));
            prop_assert!(!part.trim().is_empty());
        }
    }

    #[test]
    fn every_part_closes_the_fences_that_it_opens(text in markdown(), limit in MIN_LIMIT..200usize) {
        for part in render(&text, &LOUD, chars(limit)) {
            prop_assert_eq!(part.matches("```").count() % 2, 0, "{:?}", part);
        }
    }

    #[test]
    fn a_split_loses_nothing_but_white_space(text in markdown(), limit in MIN_LIMIT..200usize) {
        // Without marks, fences and prefixes a part is its text alone.
        let bare = Dialect { fence: Fence::Indented(""), quote: "", bullets: &[""], indent: 0, ..Dialect::PLAIN };
        let visible = |parts: Vec<String>| -> String {
            parts.concat().chars().filter(|c| !c.is_whitespace()).collect()
        };
        prop_assert_eq!(
            visible(render(&text, &bare, chars(limit))),
            visible(render(&text, &bare, chars(usize::MAX)))
        );
    }

    #[test]
    fn text_without_markup_arrives_as_it_was(lines in prop::collection::vec("[a-zA-Z,;]{1,30}( [a-zA-Z,;?]{1,30}){0,20}", 1..8), limit in MIN_LIMIT..200usize) {
        let text = lines.join("\n");
        let words = |text: &str| text.split_whitespace().collect::<String>();
        let parts = render(&text, &LOUD, chars(limit));
        prop_assert_eq!(words(&parts.concat()), words(&text));
        prop_assert_eq!(render(&text, &LOUD, chars(100_000)), [text]);
    }
}
