use kata_channel::{Length, Unit, markdown::render};

use super::MRKDWN;

fn slack(markdown: &str) -> String {
    render(
        markdown,
        &MRKDWN,
        Length {
            unit: Unit::Chars,
            limit: 4_000,
        },
    )
    .join("\n=====\n")
}

#[test]
fn an_answer_as_slack_shows_it() {
    insta::assert_snapshot!(slack("\
# Release 1.2 *beta*

It is **out**, see [the notes](https://example.com/notes?a=1&b=2) or <mailto:ops@example.com>.
It is ~~late~~ `on time` & good.

1. Update:
   - stop *everything*
   - run it
2. Wait

- [x] built
- [ ] announced

> A quote,
> two lines

```rust
if a < b && c > d { \"x\" }
```

| What | Count |
|------|------:|
| a&b  |     1 |

---
![chart](https://example.com/c.png)"), @r#"
    *Release 1.2 _beta_*

    It is *out*, see <https://example.com/notes?a=1&amp;b=2|the notes> or <mailto:ops@example.com|mailto:ops@example.com>.
    It is ~late~ `on time` &amp; good.

    1. Update:
        ◦ stop _everything_
        ◦ run it
    2. Wait

    ☑ built
    ☐ announced

    > A quote,
    > two lines

    ```
    if a &lt; b &amp;&amp; c &gt; d { "x" }
    ```

    ```
    What | Count
    -----|------
    a&amp;b  |     1
    ```

    ────────

    <https://example.com/c.png|chart>
    "#);
}

#[test]
fn an_answer_cannot_call_anybody() {
    for attempt in [
        "<!channel> <!here> <!everyone> <@U1> <#C1> <!subteam^S1>",
        "&lt;!channel&gt;",
        "`<!channel>`",
        "```\n<!channel>\n```",
        "[x](!channel) [x](<!channel>) [x](@U1) [x](#C1)",
        "[<!channel>](https://example.com)",
        "![<!here>](https://example.com/a|<!channel>)",
        "[x](https://example.com/<!channel>)",
        "<https://example.com|<!channel>>",
        "| <!channel> |\n|---|\n| <@U1> |",
    ] {
        let shown = slack(attempt);
        for command in ["<!", "<@", "<#"] {
            assert!(!shown.contains(command), "{attempt:?} became {shown:?}");
        }
    }
}

#[test]
fn an_address_cannot_break_out_of_its_link() {
    assert_eq!(
        slack("[x](<https://example.com/a|b c>)"),
        "<https://example.com/a%7Cb%20c|x>"
    );
    assert_eq!(slack("[x](javascript:alert)"), "x (javascript:alert)");
}

#[test]
fn marks_inside_words_are_seen() {
    assert_eq!(slack("这是**重点**内容"), "这是\u{200b}*重点*\u{200b}内容");
    assert_eq!(slack("`key`s"), "`key`\u{200b}s");
}

#[test]
fn a_long_answer_is_split_below_the_limit_of_a_message() {
    let paragraph = "A sentence with <angle> brackets & more. ".repeat(30);
    let answer = [paragraph.trim(); 10].join("\n\n");
    let parts = render(
        &answer,
        &MRKDWN,
        Length {
            unit: Unit::Chars,
            limit: 4_000,
        },
    );
    assert!(parts.len() > 3);
    assert!(
        parts
            .iter()
            .all(|part| part.chars().count() <= 4_000 && part.ends_with("more."))
    );
}
