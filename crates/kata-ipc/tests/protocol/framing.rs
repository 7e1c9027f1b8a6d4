//! Lines: however they arrive and whatever stands in them.

use crate::{decode_all, decode_chunks, refusal, request};
use kata_ipc::{
    BadLine, Command, Request,
    codec::{Decoder, LineLimit, Reason},
    command::TurnOutcome,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

#[test]
fn white_space_around_a_line_and_empty_lines_say_nothing() {
    let items = decode_all(b"\n\r\n  \t \n \t{\"type\":\"stop\"} \r\n\n{\"type\":\"start\"}");
    let names: Vec<_> = items
        .iter()
        .map(|item| item.as_ref().unwrap().command.name())
        .collect();
    assert_eq!(names, ["stop", "start"]);
}

#[test]
fn a_line_that_is_too_long_costs_one_error_and_nothing_else() {
    let limit = LineLimit::new(100);
    let long = format!(
        "{{\"type\":\"plugin_action\",\"requestId\":\"r7\",\"payload\":\"{}\"}}\n{{\"type\":\"stop\"}}\n",
        "x".repeat(5_000)
    );
    for size in [1, 7, 99, 100, 101, 10_000] {
        let items = decode_chunks(long.as_bytes().chunks(size), limit.clone());
        let [Err(bad), Ok(stop)] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!(bad.reason, Reason::TooLong { limit: 100 });
        assert_eq!(bad.command_type.as_deref(), Some("plugin_action"));
        assert_eq!(bad.request_id.as_deref(), Some("r7"));
        assert!(matches!(stop.command, Command::Stop));
    }
}

#[test]
fn a_line_of_exactly_the_limit_is_taken() {
    let line = br#"{"type":"stop"}"#;
    assert!(matches!(
        decode_chunks([&line[..]], LineLimit::new(line.len())).as_slice(),
        [Ok(_)]
    ));
    assert!(matches!(
        decode_chunks([&line[..]], LineLimit::new(line.len() - 1)).as_slice(),
        [Err(_)]
    ));
}

#[test]
fn the_limit_can_be_changed_while_lines_come() {
    let limit = LineLimit::default();
    let mut decoder = Decoder::new(limit.clone());
    let line = b"{\"type\":\"stop\"}\n";
    assert!(matches!(decoder.decode(&mut &line[..]), Some(Ok(_))));
    limit.set(5);
    assert!(matches!(decoder.decode(&mut &line[..]), Some(Err(_))));
    limit.set(50);
    assert!(matches!(decoder.decode(&mut &line[..]), Some(Ok(_))));
}

#[test]
fn a_bad_line_is_named_as_far_as_it_can_be_read() {
    let check = |line: &[u8], reason: fn(&Reason) -> bool, name: Option<&str>, id: Option<&str>| {
        let bad = refusal(line);
        assert!(reason(&bad.reason), "{bad:?}");
        assert_eq!(
            (bad.command_type.as_deref(), bad.request_id.as_deref()),
            (name, id),
            "{bad:?}"
        );
    };
    let (r, q) = (Some("r"), Some("query"));
    let field = |reason: &Reason| matches!(reason, Reason::Field(_));
    check(
        br#"{"type":"teleport","requestId":"r"}"#,
        |e| *e == Reason::UnknownType,
        Some("teleport"),
        r,
    );
    check(br#"{"type":"query","requestId":"r"}"#, field, q, r);
    check(
        br#"{"type":"query","requestId":5,"what":"status"}"#,
        field,
        q,
        None,
    );
    check(br#"{"type":["query"],"requestId":"r"}"#, field, None, r);
    check(br#"{"requestId":"r"}"#, field, None, r);
    check(br#"{"type":null,"requestId":"r"}"#, field, None, r);
    check(
        b"[{\"type\":\"query\"}]",
        |e| *e == Reason::NotAnObject,
        None,
        None,
    );
    check(
        b"{\"type\":\"query\",\"requestId\":\"r\",\"what\":\"\xff\"}",
        |e| *e == Reason::NotUtf8,
        q,
        r,
    );
    check(
        b"{\"what\":\"\xff\",\"type\":\"query\",\"requestId\":\"\xfe\"}",
        |e| *e == Reason::NotUtf8,
        q,
        None,
    );
    check(
        br#"{"type":"query","requestId":"r","what":"sta"#,
        |e| matches!(e, Reason::NotJson(_)),
        q,
        r,
    );
    check(
        b"Error: no such file",
        |e| matches!(e, Reason::NotJson(_)),
        None,
        None,
    );
}

#[test]
fn a_type_that_nobody_knows_is_not_repeated_without_end() {
    let bad = refusal(json!({"type": "x".repeat(100_000)}).to_string());
    assert_eq!(bad.command_type.map(|name| name.len()), Some(64));
}

#[test]
fn a_lone_surrogate_is_read_as_the_replacement_character() {
    let line =
        r#"{"type":"message_processed","messageId":1,"response":"cut \ud83d here \\ud83d","success":true}"#;
    let Command::MessageProcessed(processed) = request(line).command else {
        panic!()
    };
    assert_eq!(
        processed.outcome,
        TurnOutcome::Answered {
            response: "cut \u{fffd} here \\ud83d".into()
        }
    );
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = format!(r#"{{"type":"plugin_action","payload":{}"#, "[".repeat(1_000_000));
    assert!(matches!(refusal(deep).reason, Reason::NotJson(_)));
}

/// Lines of every kind, each with its `\n`.
fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        any::<i64>().prop_map(|id| json!({"type": "retry_message", "messageId": id}).to_string().into_bytes()),
        (any::<i32>(), any::<String>()).prop_map(|(id, text)| {
            json!({"type": "message_processed", "messageId": id, "response": text, "success": true, "requestId": text})
                .to_string()
                .into_bytes()
        }),
        any::<String>().prop_map(|name| json!({"type": name}).to_string().into_bytes()),
        vec(any::<u8>().prop_filter("one line", |&b| b != b'\n'), 0..120),
        Just(vec![]),
    ];
    line.prop_map(|mut line| {
        line.push(b'\n');
        line
    })
}

/// Cuts `bytes` at the places that `cuts` choose.
fn chunks<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// Commands hold secrets, which cannot be compared; what they show of themselves can.
fn shown(items: &[Result<Request, BadLine>]) -> Vec<String> {
    items.iter().map(|item| format!("{item:?}")).collect()
}

/// Whether a part of `secret` that is no accident can be seen.
fn shows(shown: &impl std::fmt::Debug, secret: &str) -> bool {
    format!("{shown:?}").contains(&secret[..10])
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_commands(
        lines in vec(any_line(), 0..12),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
        limit in 20_usize..400,
    ) {
        let bytes = lines.concat();
        let whole = decode_chunks([bytes.as_slice()], LineLimit::new(limit));
        let cut = decode_chunks(chunks(&bytes, &cuts), LineLimit::new(limit));
        prop_assert_eq!(shown(&whole), shown(&cut));
    }

    #[test]
    fn no_bytes_cost_more_than_one_item_a_line(
        bytes in vec(prop_oneof![5 => any::<u8>(), 2 => Just(b'\n'), 2 => Just(b'"'), 1 => Just(b'{'), 1 => Just(b'\\')], 0..600),
        limit in 1_usize..100,
    ) {
        let lines = bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()).count();
        prop_assert!(decode_chunks([bytes.as_slice()], LineLimit::new(limit)).len() <= lines);
    }

    #[test]
    fn a_bad_line_says_nothing_of_what_stands_in_it(secret in "xox[bp]-[a-z, 0-9\"]{12,20}", place in 0_usize..12) {
        let mut line = json!({
            "type": "configure_channels",
            "workspaces": [{"workspaceId": "w", "configs": [], "tokens": {"s": secret}, "enabledPlugins": [1]}],
        });
        // The secret stands where something else is expected, or beside something that is wrong.
        match place {
            0 => line["workspaces"] = json!(secret),
            1 => line["workspaces"][0] = json!(secret),
            2 => line["workspaces"][0]["configs"] = json!(secret),
            3 => line["workspaces"][0]["tokens"] = json!(secret),
            4 => line["workspaces"][0]["enabledPlugins"] = json!(secret),
            5 => line = json!({"type": "query", "what": secret}),
            6 => line = json!({"type": "query", "what": "status", "limit": secret}),
            7 => line = json!({"type": "schedule_task", "workspaceId": "w", "taskType": "cron", "schedule": "1", "action": {"type": secret}}),
            8 => line = json!({"type": "resolve_approval", "approvalId": 1, "decision": secret}),
            9 => line = json!([secret]),
            10 => line["workspaces"][0]["tokens"] = json!([{secret.as_str(): secret}]),
            _ => {}
        }
        let text = line.to_string();
        prop_assert!(!shows(&refusal(&text), &secret));
        // Cut off anywhere, it is no JSON.
        let half = &text[..text.len() - 1 - place];
        prop_assert!(!shows(&refusal(half), &secret));
    }

    #[test]
    fn what_a_command_shows_of_itself_holds_no_token(secret in "xox[bp]-[a-z0-9]{12}") {
        let line: Value = json!({"type": "configure_channels", "workspaces": [{"workspaceId": "w", "tokens": {"s": secret},
            "configs": [{"slug": "s", "adapter": "slack", "settings": {"token": secret}}], "enabledPlugins": []}]});
        prop_assert!(!shows(&request(&line.to_string()), &secret));
    }
}
