//! Every command: the line a host writes, and what is read from it.

use crate::{refusal, request};
use kata_ipc::{Command, command::TurnOutcome};
use secrecy::ExposeSecret;
use std::collections::BTreeSet;

/// A line for each snapshot. The core ones carry core fields alone, as the 0.7 app writes them.
const LINES: &[(&str, &str)] = &[
    ("start", r#"{"type":"start"}"#),
    (
        "start_with_capabilities",
        r#"{"type":"start","capabilities":["coalesce","prompt","approvals"]}"#,
    ),
    ("stop", r#"{"type":"stop"}"#),
    ("health_check", r#"{"type":"health_check"}"#),
    (
        "configure_channels",
        r#"{"type":"configure_channels","workspaces":[{"workspaceId":"ws-1","configs":[{"slug":"team","enabled":true,
            "adapter":"slack","pollIntervalMs":10000,"credentials":{"channelSlug":"team"},
            "filter":{"triggerPatterns":["^kata"],"channelIds":["C1"]}},{"slug":"broken","adapter":7}],
            "tokens":{"team":"xoxb-secret"},"enabledPlugins":["kata-slack"]}]}"#,
    ),
    (
        "plugin_action",
        r#"{"type":"plugin_action","pluginId":"kata-slack","action":"ping","payload":{"n":1}}"#,
    ),
    (
        "schedule_task_message",
        r#"{"type":"schedule_task","workspaceId":"ws-1","taskType":"cron","schedule":"0 9 * * 1-5",
            "action":{"type":"send_message","workspaceId":"ws-1","sessionKey":"daemon-team-0123456789ab","message":"Good morning"}}"#,
    ),
    (
        "schedule_task_action",
        r#"{"type":"schedule_task","workspaceId":"ws-1","taskType":"one-shot","schedule":"2026-12-01",
            "action":{"type":"plugin_action","pluginId":"kata-slack","action":"ping"}}"#,
    ),
    (
        "schedule_task_with_options",
        r#"{"type":"schedule_task","workspaceId":"ws-1","taskType":"cron","schedule":"0 9 * * *",
            "action":{"type":"plugin_action","pluginId":"kata-slack","action":"ping"},
            "zone":"Europe/Berlin","missed":"all","missedGraceMs":null,"missedMax":3,"jitterMs":60000}"#,
    ),
    (
        "message_processed",
        r#"{"type":"message_processed","messageId":12,"response":"Done.","success":true}"#,
    ),
    (
        "message_processed_failed",
        r#"{"type":"message_processed","messageId":12,"response":"","success":false,"error":"Session is already processing"}"#,
    ),
    (
        "message_processed_with_usage",
        r#"{"type":"message_processed","messageId":12.0,"response":"","success":true,"usage":{"inputTokens":5}}"#,
    ),
    (
        "query",
        r#"{"type":"query","requestId":"q1","what":"messages","workspaceId":"ws-1","slug":"team","sessionKey":"k",
            "messageId":3,"approvalId":9,"state":"parked","limit":50,"cursor":"120"}"#,
    ),
    (
        "retry_message",
        r#"{"type":"retry_message","requestId":"q2","messageId":12}"#,
    ),
    ("discard_message", r#"{"type":"discard_message","messageId":12}"#),
    (
        "reset_session",
        r#"{"type":"reset_session","workspaceId":"ws-1","sessionKey":"daemon-team-0123456789ab"}"#,
    ),
    (
        "set_session_title",
        r#"{"type":"set_session_title","workspaceId":"ws-1","sessionKey":"daemon-team-0123456789ab","title":"Release talk"}"#,
    ),
    ("cancel_turn", r#"{"type":"cancel_turn","messageId":12}"#),
    (
        "pause_channel",
        r#"{"type":"pause_channel","workspaceId":"ws-1","slug":"team"}"#,
    ),
    (
        "resume_channel",
        r#"{"type":"resume_channel","workspaceId":"ws-1","slug":"team"}"#,
    ),
    ("cancel_task", r#"{"type":"cancel_task","taskId":4}"#),
    ("pause_task", r#"{"type":"pause_task","taskId":4}"#),
    ("resume_task", r#"{"type":"resume_task","taskId":4}"#),
    ("run_task", r#"{"type":"run_task","taskId":4}"#),
    (
        "check_tool",
        r#"{"type":"check_tool","requestId":"q3","workspaceId":"ws-1","sessionKey":"k","messageId":12,"tool":"Bash","input":{"command":"ls"}}"#,
    ),
    (
        "call_tool",
        r#"{"type":"call_tool","requestId":"q4","sessionKey":"k","tool":"slack_search","input":{"query":"tea"}}"#,
    ),
    (
        "resolve_approval",
        r#"{"type":"resolve_approval","approvalId":9,"decision":"allow_1h","reason":"asked for"}"#,
    ),
    (
        "revoke_grant",
        r#"{"type":"revoke_grant","requestId":"q5","grantId":4}"#,
    ),
    (
        "unpair_sender",
        r#"{"type":"unpair_sender","requestId":"q6","pairingId":3}"#,
    ),
    (
        "pair_sender",
        r#"{"type":"pair_sender","workspaceId":"ws-1","slug":"team","code":"482913"}"#,
    ),
];

#[test]
fn every_command_is_read_as_it_was() {
    for (name, line) in LINES {
        insta::assert_debug_snapshot!(format!("command_{name}"), request(line));
    }
    let read: BTreeSet<_> = LINES
        .iter()
        .map(|(_, line)| request(line).command.name())
        .collect();
    assert_eq!(
        read,
        Command::NAMES.iter().copied().collect(),
        "a command without a snapshot"
    );
}

#[test]
fn a_name_on_the_wire_is_the_name_of_the_command() {
    for (_, line) in LINES {
        let name = request(line).command.name();
        assert!(line.starts_with(&format!(r#"{{"type":"{name}""#)), "{line}");
    }
}

#[test]
fn one_bad_config_or_token_does_not_cost_the_others_their_start() {
    let line = r#"{"type":"configure_channels","workspaces":[{"workspaceId":"w","configs":[5,{"slug":"a","adapter":[]},
        {"slug":"b","adapter":"slack"}],"tokens":{"a":null,"b":"xoxb-b","c":7},"enabledPlugins":[]}]}"#;
    let Command::ConfigureChannels(all) = request(line).command else {
        panic!()
    };
    let workspace = &all.workspaces[0];
    assert!(workspace.configs[0].parse().is_err() && workspace.configs[0].slug().is_none());
    assert!(workspace.configs[1].parse().is_err() && workspace.configs[1].slug() == Some("a"));
    assert_eq!(workspace.configs[2].parse().unwrap().adapter, "slack");
    assert_eq!(workspace.tokens.keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(workspace.tokens["b"].expose_secret(), "xoxb-b");
}

#[test]
fn an_optional_field_that_is_null_is_absent() {
    let line = r#"{"type":"start","requestId":null,"capabilities":null}"#;
    let read = request(line);
    assert!(read.request_id.is_none());
    assert!(matches!(read.command, Command::Start(start) if start.capabilities.is_empty()));
}

#[test]
fn unknown_fields_are_ignored() {
    let line = r#"{"type":"retry_message","messageId":3,"later":{"type":"stop"},"messageid":4}"#;
    assert!(matches!(request(line).command, Command::RetryMessage(message) if message.message_id == 3));
}

#[test]
fn of_a_field_that_stands_twice_the_last_one_counts_as_in_javascript() {
    let line = r#"{"type":"stop","messageId":3,"messageId":4,"type":"retry_message"}"#;
    assert!(matches!(request(line).command, Command::RetryMessage(message) if message.message_id == 4));
}

#[test]
fn a_failed_turn_ends_even_if_the_host_does_not_say_why() {
    let Command::MessageProcessed(processed) =
        request(r#"{"type":"message_processed","messageId":1,"success":false}"#).command
    else {
        panic!()
    };
    assert_eq!(processed.outcome, TurnOutcome::Failed { error: String::new() });
}

#[test]
fn a_wrong_or_missing_field_is_named_with_its_path() {
    let check = |line: &str, says: &str| assert_eq!(refusal(line).reason.to_string(), says, "{line}");
    check(
        r#"{"type":"message_processed","messageId":1,"success":true}"#,
        "missing field `response`",
    );
    check(
        r#"{"type":"message_processed","messageId":1,"success":1}"#,
        "`success`: expected a boolean",
    );
    check(
        r#"{"type":"message_processed","messageId":"12","response":"","success":true}"#,
        "`messageId`: expected an integer in range",
    );
    check(r#"{"type":"configure_channels"}"#, "missing field `workspaces`");
    check(
        r#"{"type":"configure_channels","workspaces":[{"workspaceId":"w","configs":[],"tokens":[],"enabledPlugins":[]}]}"#,
        "`workspaces[0].tokens`: expected an object",
    );
    check(
        r#"{"type":"configure_channels","workspaces":[{"workspaceId":"w","configs":[],"tokens":{}}]}"#,
        "`workspaces[0]`: missing field `enabledPlugins`",
    );
    check(
        r#"{"type":"schedule_task","workspaceId":"w","taskType":"weekly","schedule":"1","action":{"type":"plugin_action","pluginId":"p","action":"a"}}"#,
        "`taskType`: expected one of `cron`, `interval`, `one-shot`",
    );
    check(
        r#"{"type":"query","what":"status","limit":-1}"#,
        "`limit`: expected an integer in range",
    );
    check(
        r#"{"type":"call_tool","sessionKey":"k","tool":"t"}"#,
        "missing field `input`",
    );
}
