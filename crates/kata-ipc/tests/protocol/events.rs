//! Every event: the line a host reads.

use kata_ipc::{
    Event, Outgoing, codec,
    command::{Decision, MissedRuns, TaskType},
    event::{view::*, *},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn line(event: impl Into<Outgoing>) -> String {
    let mut line = Vec::new();
    codec::encode(&event.into(), &mut line);
    String::from_utf8(line).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn turn() -> ProcessMessage {
    ProcessMessage {
        message_id: 12,
        channel_id: "team".into(),
        workspace_id: "ws-1".into(),
        session_key: "daemon-team-0123456789ab".into(),
        content: "@kata hello".into(),
        metadata: object(
            // In the order of the alphabet: whether a map keeps another one hangs on who else is built.
            json!({"sessionKey": "daemon-team-0123456789ab", "slackChannel": "C1", "team": "T1", "workspaceId": "ws-1"}),
        ),
        attempt: 1,
        prompt: None,
        messages: vec![],
        permissions: None,
        deadline: None,
        session_stats: None,
    }
}

fn status(status: DaemonStatus, error: Option<&str>) -> StatusChanged {
    StatusChanged {
        status,
        error: error.map(Into::into),
        version: "0.1.0".into(),
        protocol: kata_ipc::PROTOCOL,
        pid: 4711,
        capabilities: vec!["query".into()],
    }
}

fn answers() -> Vec<(&'static str, Answer)> {
    let (team, ws) = ("team".to_owned(), "ws-1".to_owned());
    let fault = ChannelFault {
        code: "rate_limited".into(),
        message: "wait".into(),
        retry_after_ms: Some(30_000),
    };
    let daemon = DaemonView {
        status: DaemonStatus::Running,
        version: "0.1.0".into(),
        protocol: 1,
        pid: 4711,
        started_at: "2026-11-22T10:00:00.000Z".into(),
        turns_open: 1,
        turns_max: 3,
        inbound_waiting: 5,
        outbound_waiting: 0,
        parked: 1,
    };
    let channel = ChannelView {
        workspace_id: ws.clone(),
        channel_id: team.clone(),
        adapter: "slack".into(),
        status: ConnectionStatus::RateLimited,
        error: Some(fault),
        paused: false,
        waiting: 5,
    };
    let message = MessageView {
        message_id: 12,
        direction: Direction::In,
        workspace_id: Some(ws.clone()),
        channel_id: team.clone(),
        session_key: Some("daemon-team-0123456789ab".into()),
        state: MessageState::Waiting,
        attempt: 1,
        created_at: "2026-11-22T10:00:00.000Z".into(),
        not_before: Some("2026-11-22T10:00:05.000Z".into()),
        ended_at: None,
        error: Some("no answer in time".into()),
        content: Some("hello".into()),
    };
    let session = SessionView {
        session_key: "daemon-team-0123456789ab".into(),
        workspace_id: ws,
        channel_id: team,
        conversation: "C1".into(),
        thread: None,
        messages: 3,
        turns: 2,
        started_at: "2026-11-22T09:00:00.000Z".into(),
        ended_at: None,
        ended_reason: None,
        state: SessionState::Active,
        title: Some("Release talk".into()),
        tokens: 1_200,
        input_tokens: Some(5_000),
        output_tokens: None,
        compactions: 1,
        resets: 2,
        last_message_at: Some("2026-11-22T10:00:00.000Z".into()),
    };
    let verdict = ToolVerdict {
        verdict: Verdict::Ask,
        rule: "default".into(),
        reason: "not listed".into(),
        approval_id: Some(9),
    };
    vec![
        ("done", Answer::done()),
        ("failed", Answer::failed("not_found", "there is no message 12")),
        (
            "status",
            Answer::with(Page {
                items: vec![daemon],
                next_cursor: None,
            }),
        ),
        (
            "channels",
            Answer::with(Page {
                items: vec![channel],
                next_cursor: None,
            }),
        ),
        (
            "messages",
            Answer::with(Page {
                items: vec![message],
                next_cursor: Some("12".into()),
            }),
        ),
        (
            "sessions",
            Answer::with(Page {
                items: vec![session],
                next_cursor: None,
            }),
        ),
        (
            "task",
            Answer::with(TaskArmed {
                task_id: 4,
                next_run_at: "2026-11-23T09:00:00.000Z".into(),
            }),
        ),
        ("verdict", Answer::with(verdict)),
        ("tool", Answer::with(json!({"found": 3}))),
        ("approvals", Answer::with(page(approval()))),
        ("grants", Answer::with(page(grant()))),
        ("pairings", Answer::with(page(pairing()))),
        ("pairing", Answer::with(pairing())),
        ("audit", Answer::with(page(audit()))),
        (
            "plugins",
            Answer::with(page(PluginView {
                plugin_id: "kata-slack".into(),
                name: "Slack".into(),
                version: "0.1.0".into(),
                channels: vec!["slack".into()],
                tools: vec!["slack_react".into()],
                actions: vec![],
                services: vec![ServiceView {
                    name: "slack_presence".into(),
                    workspace_id: "ws-1".into(),
                    state: ServiceState::Parked,
                    is_healthy: false,
                    error: Some("it returned".into()),
                    failures: 5,
                    panics: 1,
                }],
                is_healthy: Some(false),
            })),
        ),
        ("tools", Answer::with(page(tool()))),
        ("tasks", Answer::with(page(task()))),
    ]
}

/// The only page of a view with one item.
fn page<T>(item: T) -> Page<T> {
    Page {
        items: vec![item],
        next_cursor: None,
    }
}

fn task() -> TaskView {
    TaskView {
        task_id: 5,
        workspace_id: "ws-1".into(),
        task_type: TaskType::Cron,
        schedule: "0 9 * * *".into(),
        // By name: in which order an object's keys come hangs on who else is built.
        action: json!({"message": "Good morning", "sessionKey": "daemon-team-0123456789ab", "type": "send_message", "workspaceId": "ws-1"}),
        zone: Some("Europe/Berlin".into()),
        missed: MissedRuns::Once,
        missed_grace_ms: Some(3_600_000),
        missed_max: None,
        jitter_ms: None,
        state: TaskState::Parked,
        next_run_at: None,
        last_run_at: Some("2026-01-02T03:04:05.678Z".into()),
        created_at: Some("2026-01-01T03:04:05.678Z".into()),
        creator: TaskCreator::Agent {
            session_key: "daemon-team-0123456789ab".into(),
            role: "member".into(),
            origin: None,
        },
        failures: 5,
        parked_reason: Some("the agent is gone".into()),
        fires: vec![FireView {
            slot_at: "2026-01-02T03:04:05.000Z".into(),
            state: FireState::Failed,
            runs: 1,
            at: "2026-01-02T03:04:05.678Z".into(),
            ended_at: Some("2026-01-02T03:05:05.678Z".into()),
            error: Some("the agent is gone".into()),
            message_id: Some(12),
        }],
    }
}

fn approval() -> ApprovalView {
    ApprovalView {
        approval_id: 9,
        code: "7Q4".into(),
        state: ApprovalState::AllowedHour,
        workspace_id: "ws-1".into(),
        channel_id: Some("team".into()),
        session_key: "daemon-team-0123456789ab".into(),
        message_id: Some(12),
        tool: "slack_post".into(),
        input: json!({"text": "hi"}),
        rule: "tool:slack_post".into(),
        reason: "slack_post needs a person's approval.".into(),
        requester: "Ada".into(),
        requested_at: "2026-11-22T10:00:00.000Z".into(),
        expires_at: "2026-11-22T10:10:00.000Z".into(),
        resolved_at: Some("2026-11-22T10:01:00.000Z".into()),
        by: Some("Grace".into()),
        answer: Some("for the release".into()),
    }
}

fn grant() -> GrantView {
    GrantView {
        grant_id: 4,
        source: GrantSource::Approval,
        state: GrantState::Live,
        workspace_id: "ws-1".into(),
        channel_id: Some("team".into()),
        conversation: Some("C1".into()),
        session_key: Some("daemon-team-0123456789ab".into()),
        tool: "slack_post".into(),
        digest: Some("9f86d081".into()),
        rule: None,
        approval_id: Some(9),
        uses: Some(1),
        used: 0,
        created_at: "2026-11-22T10:01:00.000Z".into(),
        expires_at: Some("2026-11-22T11:01:00.000Z".into()),
        revoked_at: None,
    }
}

fn pairing() -> PairingView {
    PairingView {
        pairing_id: 3,
        workspace_id: "ws-1".into(),
        channel_id: "team".into(),
        sender: "U9".into(),
        name: Some("eve".into()),
        state: PairingState::Asked,
        asked_at: "2026-11-22T10:01:00.000Z".into(),
        expires_at: Some("2026-11-22T11:01:00.000Z".into()),
        paired_at: None,
        paired_by: None,
    }
}

fn audit() -> AuditView {
    AuditView {
        audit_id: 77,
        at: "2026-11-22T10:01:00.000Z".into(),
        kind: AuditKind::Verdict,
        workspace_id: Some("ws-1".into()),
        channel_id: Some("team".into()),
        session_key: Some("daemon-team-0123456789ab".into()),
        message_id: Some(12),
        tool: Some("slack_post".into()),
        digest: Some("9f86d081".into()),
        decision: Some("allow".into()),
        rule: Some("grant:4".into()),
        reason: Some("allowed by Grace".into()),
        role: Some("member".into()),
        by: None,
        grant_id: Some(4),
        approval_id: Some(9),
        origin: Some(json!({"sender": "U1"})),
        hash: "2c26b46b".into(),
    }
}

fn tool() -> ToolView {
    ToolView {
        name: "slack_react".into(),
        plugin_id: "kata-slack".into(),
        description: "Adds a reaction to a message.".into(),
        default: ToolDefault::Ask,
        effects: vec![ToolEffect::Writes],
        side_effect: SideEffect::Idempotent,
        input_schema: json!({"type": "object"}),
    }
}

/// Questions to people and what became of them: as the documented shape has them, and with all that is known.
fn questions() -> Vec<(&'static str, Outgoing)> {
    let requested = ApprovalRequested {
        approval_id: 9,
        session_key: "daemon-team-0123456789ab".into(),
        tool: "slack_post".into(),
        input: json!({"text": "hi"}),
        expires_at: Some("2026-11-22T11:00:00.000Z".into()),
        workspace_id: None,
        channel_id: None,
        message_id: None,
        code: None,
        reason: None,
        rule: None,
        requester: None,
        options: vec![],
    };
    let asked = ApprovalRequested {
        workspace_id: Some("ws-1".into()),
        channel_id: Some("team".into()),
        message_id: Some(12),
        code: Some("7Q4".into()),
        reason: Some("slack_post needs a person's approval.".into()),
        rule: Some("tool:slack_post".into()),
        requester: Some("Ada".into()),
        options: vec![Decision::AllowOnce, Decision::AllowHour, Decision::Deny],
        ..requested.clone()
    };
    let resolved = ApprovalResolved {
        approval_id: 9,
        session_key: "daemon-team-0123456789ab".into(),
        tool: "slack_post".into(),
        input: json!({"text": "hi"}),
        decision: ApprovalOutcome::AllowedHour.decision(),
        outcome: ApprovalOutcome::AllowedHour,
        reason: None,
        by: Some("Grace".into()),
        workspace_id: Some("ws-1".into()),
    };
    let expired = ApprovalResolved {
        decision: ApprovalOutcome::Expired.decision(),
        outcome: ApprovalOutcome::Expired,
        reason: Some("nobody answered within 10 min".into()),
        by: None,
        ..resolved.clone()
    };
    vec![
        ("approval_requested", requested.into()),
        ("approval_requested_full", asked.into()),
        ("approval_resolved", resolved.into()),
        ("approval_resolved_expired", expired.into()),
    ]
}

fn events() -> Vec<(&'static str, Outgoing)> {
    let (team, ws, key) = (
        "team".to_owned(),
        "ws-1".to_owned(),
        "daemon-team-0123456789ab".to_owned(),
    );
    let rich = ProcessMessage {
        attempt: 2,
        prompt: Some("<message>hello</message>".into()),
        messages: vec![TurnMessage {
            content: "hello".into(),
            metadata: object(json!({"messageId": "17.1", "sender": "U1"})),
        }],
        permissions: Some(json!({"allow": ["Read"]})),
        deadline: Some("2026-11-22T11:00:00.000Z".into()),
        session_stats: Some(SessionStats {
            tokens: 1_200,
            messages: 9,
            turns: 4,
            limit: Some(24_000),
        }),
        ..turn()
    };
    let failed = MessageFailed {
        message_id: 12,
        channel_id: team.clone(),
        workspace_id: ws.clone(),
        attempt: 5,
        error: "no answer in time".into(),
        next_attempt_at: None,
    };
    let retried = MessageFailed {
        next_attempt_at: Some("2026-11-22T10:00:05.000Z".into()),
        ..failed.clone()
    };
    let expired = ChannelFault {
        code: "auth_expired".into(),
        message: "the token was revoked".into(),
        retry_after_ms: None,
    };
    let denied = ToolCall {
        session_key: key.clone(),
        tool: "Bash".into(),
        verdict: Verdict::Deny,
        rule: "base".into(),
        reason: Some("never by name".into()),
        workspace_id: None,
        message_id: None,
        grant_id: None,
        approval_id: None,
    };
    let mut all: Vec<(&'static str, Outgoing)> = vec![
        ("status_changed", status(DaemonStatus::Running, None).into()),
        (
            "status_changed_error",
            status(DaemonStatus::Error, Some("another daemon holds the lock")).into(),
        ),
        (
            "status_changed_caused",
            Outgoing::caused_by(Some("r1".into()), status(DaemonStatus::Stopping, None)),
        ),
        (
            "message_received",
            MessageReceived {
                channel_id: team.clone(),
                message_id: "1700000000.000100".into(),
                workspace_id: ws.clone(),
            }
            .into(),
        ),
        ("process_message", turn().into()),
        ("process_message_full", rich.into()),
        (
            "message_sent",
            MessageSent {
                channel_id: team.clone(),
                message_id: 12,
                workspace_id: ws.clone(),
            }
            .into(),
        ),
        (
            "plugin_loaded",
            PluginLoaded {
                plugin_id: "kata-slack".into(),
            }
            .into(),
        ),
        (
            "plugin_error",
            PluginError {
                plugin_id: team.clone(),
                error: "the token is missing".into(),
            }
            .into(),
        ),
        (
            "task_fired",
            TaskFired {
                task_id: 4,
                workspace_id: ws.clone(),
            }
            .into(),
        ),
        (
            "channel_status",
            ChannelStatus {
                channel_id: team.clone(),
                workspace_id: ws.clone(),
                status: ConnectionStatus::Connected,
                error: None,
            }
            .into(),
        ),
        (
            "channel_status_fault",
            ChannelStatus {
                channel_id: team.clone(),
                workspace_id: ws.clone(),
                status: ConnectionStatus::AuthExpired,
                error: Some(expired),
            }
            .into(),
        ),
        ("message_failed", failed.into()),
        ("message_failed_retried", retried.into()),
        (
            "session_started",
            SessionStarted {
                session_key: key.clone(),
                workspace_id: ws.clone(),
                channel_id: team.clone(),
                reason: None,
            }
            .into(),
        ),
        (
            "session_ended",
            SessionEnded {
                session_key: key,
                workspace_id: ws.clone(),
                channel_id: team.clone(),
                reason: Some("reset".into()),
            }
            .into(),
        ),
        ("tool_call", denied.clone().into()),
        (
            "tool_call_granted",
            ToolCall {
                verdict: Verdict::Allow,
                rule: "grant:4".into(),
                workspace_id: Some(ws.clone()),
                message_id: Some(12),
                grant_id: Some(4),
                approval_id: Some(9),
                ..denied
            }
            .into(),
        ),
        (
            "pairing_requested",
            PairingRequested {
                channel_id: team.clone(),
                workspace_id: ws.clone(),
                sender: "U9".into(),
                code: "482913".into(),
                expires_at: "2026-11-22T11:00:00.000Z".into(),
            }
            .into(),
        ),
        (
            "qr_code",
            QrCode {
                channel_id: team,
                workspace_id: ws,
                data: "2@abc".into(),
            }
            .into(),
        ),
        (
            "protocol_error",
            crate::refusal(r#"{"type":"teleport","requestId":"r2"}"#).into(),
        ),
    ];
    let answer = |(name, answer)| (name, Outgoing::caused_by(Some("q1".into()), answer));
    all.extend(questions());
    all.extend(answers().into_iter().map(answer));
    all
}

#[test]
fn every_event_is_written_as_the_host_expects_it() {
    for (name, event) in events() {
        let line = line(event);
        let kind = serde_json::from_str::<Value>(&line).unwrap()["type"]
            .as_str()
            .unwrap()
            .to_owned();
        let name = if kind == "result" {
            format!("result_{name}")
        } else {
            name.to_owned()
        };
        insta::assert_snapshot!(format!("event_{name}"), line);
    }
}

/// The names that the snapshots above cover; the schema's test compares them with all there are.
pub(crate) fn names() -> std::collections::BTreeSet<String> {
    let name = |event| {
        serde_json::to_value(event).unwrap()["type"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    events().into_iter().map(|(_, event)| name(event)).collect()
}

#[test]
fn a_question_that_nobody_answered_is_no_denial_to_a_host_that_knows_decisions_alone() {
    let resolved = |outcome: ApprovalOutcome| outcome.decision();
    assert_eq!(resolved(ApprovalOutcome::Expired), None);
    assert_eq!(resolved(ApprovalOutcome::Withdrawn), None);
    for decision in [Decision::AllowOnce, Decision::AllowHour, Decision::Deny] {
        assert_eq!(resolved(decision.into()), Some(decision));
    }
}

#[test]
fn an_astral_character_is_written_as_a_pair() {
    let event = PluginError {
        plugin_id: "\u{7f}é€😀".into(),
        error: "\"\\\n\u{1}".into(),
    };
    let expected = "{\"type\":\"plugin_error\",\"pluginId\":\"\u{7f}\\u00e9\\u20ac\\ud83d\\ude00\",\"error\":\"\\\"\\\\\\n\\u0001\"}\n";
    assert_eq!(line(event), expected);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn an_event_is_one_line_of_ascii_and_reads_back_as_it_was(content in any::<String>(), metadata in any_json()) {
        let mut event = turn();
        event.content.clone_from(&content);
        event.metadata.insert(content, metadata);
        let event = Outgoing::from(Event::from(event));
        let line = line(event.clone());
        prop_assert!(line.is_ascii());
        prop_assert_eq!(line.find('\n'), Some(line.len() - 1));
        let read: Value = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(read, serde_json::to_value(&event).unwrap());
    }
}
