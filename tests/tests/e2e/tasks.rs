//! Scheduled tasks: they fire through the real binary, and their answers are posted.
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic like a test")]

use std::{process::Command, time::Duration};

use jiff::{SignedDuration, Timestamp};
use kata_store::TASK_KILL_POINTS;
use kata_testkit::{
    SLUG, Stage, WORKSPACE,
    host::{Answer, FakeHost, Policy, Start, katad},
};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::agent::Scene;

/// A session that no conversation ever had.
const UNSEEN: &str = "daemon-elsewhere-0123456789ab";

fn ago(minutes: i64) -> String {
    let then = Timestamp::now() - SignedDuration::from_mins(minutes);
    then.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Soon enough for a test, and late enough to be still to come when the daemon reads it.
fn soon() -> String {
    (Timestamp::now() + SignedDuration::from_millis(300)).to_string()
}

fn say(session: &str, message: &str) -> Value {
    json!({"type": "send_message", "workspaceId": WORKSPACE, "sessionKey": session, "message": message})
}

/// The session of `C1`, once somebody has spoken there.
async fn session(stage: &Stage, host: &FakeHost) -> String {
    stage.slack.user_posts("C1", "U1", "hello");
    stage.slack.wait_text("hello").await;
    host.wait_turn("hello").await.session_key
}

async fn schedule(host: &FakeHost, kind: &str, schedule: &str, action: Value) -> Value {
    host.request(json!({
        "type": "schedule_task", "workspaceId": WORKSPACE, "taskType": kind, "schedule": schedule, "action": action,
    }))
    .await
}

/// Makes a task, and gives its number.
async fn made(host: &FakeHost, kind: &str, when: &str, action: Value) -> i64 {
    let result = schedule(host, kind, when, action).await;
    assert_eq!(result["ok"], true, "{result}");
    result["data"]["taskId"].as_i64().unwrap()
}

async fn by_hand(host: &FakeHost, command: &str, task: i64) -> Value {
    host.request(json!({"type": command, "taskId": task})).await
}

async fn task(host: &FakeHost, id: i64) -> Value {
    let result = host
        .request(json!({"type": "query", "what": "tasks", "taskId": id}))
        .await;
    result["data"]["items"][0].clone()
}

/// Waits until the task's latest run has ended.
async fn ended(host: &FakeHost, id: i64) -> Value {
    for _ in 0..1_000 {
        let task = task(host, id).await;
        let state = task["fires"][0]["state"].as_str().unwrap_or_default();
        if !matches!(state, "" | "running") {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no run of task {id} ended\n{}", host.dump())
}

fn times_said(stage: &Stage, text: &str) -> usize {
    stage.said().iter().filter(|said| *said == text).count()
}

/// A row as the 0.7 daemon wrote it.
fn old_row(db: &Connection, kind: &str, schedule: &str, action: &Value, enabled: bool, next: &str) -> i64 {
    db.execute(
        "INSERT INTO scheduled_tasks (workspace_id, type, schedule, action, enabled, next_run_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, '2026-01-02T03:04:05.678Z')",
        params![WORKSPACE, kind, schedule, action.to_string(), enabled, next],
    )
    .unwrap();
    db.last_insert_rowid()
}

#[tokio::test]
async fn a_task_fires_once_and_its_answer_goes_out_by_its_channel() {
    let stage = Stage::set().await;
    let host = stage
        .up(stage
            .start()
            .policy(Policy::script(|t| Answer::Say(t.content.clone()))))
        .await;
    let session = session(&stage, &host).await;
    let id = made(&host, "one-shot", &soon(), say(&session, "good morning")).await;
    let posted = stage.slack.wait_text("good morning").await;
    assert_eq!((posted.channel.as_str(), posted.thread), ("C1", None));
    let fired = host.wait_for("task_fired").await;
    assert_eq!(
        (&fired["taskId"], &fired["workspaceId"]),
        (&json!(id), &json!(WORKSPACE))
    );
    let turn = host.wait_turn("good morning").await;
    assert_eq!(
        (
            &turn.session_key,
            turn.channel_id.as_str(),
            &turn.metadata["taskId"]
        ),
        (&session, SLUG, &json!(id))
    );
    let over = ended(&host, id).await;
    assert_eq!(
        (
            &over["state"],
            &over["fires"][0]["state"],
            &over["fires"][0]["messageId"]
        ),
        (&json!("over"), &json!("done"), &json!(turn.message_id)),
        "{over}"
    );
    assert_eq!(over["creator"], json!({"by": "host"}));
    assert_eq!(times_said(&stage, "good morning"), 1);
}

#[tokio::test]
async fn a_schedule_that_cannot_be_meant_is_refused_in_one_sentence() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    for (kind, text, action, part) in [
        (
            "cron",
            "*/61 * * * *",
            say("s", "m"),
            "the step is a number from 1 to 60",
        ),
        ("one-shot", "2020-01-01", say("s", "m"), "has no run after"),
        ("interval", "5m", say("s", "m"), "milliseconds as decimal digits"),
        ("cron", "@daily", say("", "m"), "the session's key is empty"),
        ("cron", "@daily", say("s", " "), "the message is empty"),
        (
            "cron",
            "@daily",
            json!({"type": "plugin_action", "pluginId": "kata-slack", "action": "dance"}),
            "kata-slack has no action \"dance\"",
        ),
    ] {
        let refused = schedule(&host, kind, text, action).await;
        let said = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains(part), "{refused}");
    }
    let zone = json!({
        "type": "schedule_task", "workspaceId": WORKSPACE, "taskType": "cron", "schedule": "@daily",
        "action": say("s", "m"), "zone": "Atlantis/Here",
    });
    let refused = host.request(zone).await;
    assert!(refused.to_string().contains("Atlantis/Here"), "{refused}");
    assert!(host.query("tasks").await.is_empty());
}

#[tokio::test]
async fn a_task_is_paused_resumed_run_by_hand_and_cancelled() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    let session = session(&stage, &host).await;
    let id = made(&host, "cron", "0 9 * * *", say(&session, "standup")).await;
    assert_eq!(by_hand(&host, "pause_task", id).await["ok"], true);
    let paused = task(&host, id).await;
    assert_eq!(
        (&paused["state"], paused.get("nextRunAt")),
        (&json!("paused"), None)
    );

    let run = by_hand(&host, "run_task", id).await;
    assert!(run["data"]["messageId"].is_i64(), "{run}");
    stage.slack.wait_text("standup").await;
    assert_eq!(ended(&host, id).await["state"], "paused");

    let resumed = by_hand(&host, "resume_task", id).await;
    let next: Timestamp = resumed["data"]["nextRunAt"].as_str().unwrap().parse().unwrap();
    assert!(next > Timestamp::now(), "{resumed}");
    assert_eq!(task(&host, id).await["state"], "armed");

    assert_eq!(by_hand(&host, "cancel_task", id).await["ok"], true);
    for command in ["cancel_task", "pause_task", "resume_task", "run_task"] {
        let refused = by_hand(&host, command, id).await;
        assert_eq!(refused["error"]["code"], "not_found", "{command}: {refused}");
    }
    assert_eq!(times_said(&stage, "standup"), 1);
}

#[tokio::test]
async fn a_task_has_one_run_at_a_time() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    let session = session(&stage, &host).await;
    host.set_policy(Policy::silent());
    let id = made(&host, "cron", "0 9 * * *", say(&session, "long work")).await;
    by_hand(&host, "run_task", id).await;
    let turn = host.wait_turn("long work").await;
    let again = by_hand(&host, "run_task", id).await;
    assert_eq!(again["error"]["code"], "running", "{again}");
    host.answer(turn.message_id, "that took long");
    stage.slack.wait_text("that took long").await;
    ended(&host, id).await;
    assert_eq!(by_hand(&host, "run_task", id).await["ok"], true);
}

#[tokio::test]
async fn what_came_due_while_no_daemon_ran_is_made_up_for_once() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    let session = session(&stage, &host).await;
    let hourly = made(&host, "interval", "3600000", say(&session, "hourly")).await;
    let skipping = json!({
        "type": "schedule_task", "workspaceId": WORKSPACE, "taskType": "interval", "schedule": "3600000",
        "action": say(&session, "never said"), "missed": "skip",
    });
    let skipping = host.request(skipping).await["data"]["taskId"].as_i64().unwrap();
    host.stop().await;
    // The night passes.
    let db = Connection::open(stage.home.database()).unwrap();
    db.execute(
        "UPDATE scheduled_tasks SET created_at = ?1, next_run_at = ?2",
        [ago(9 * 60 + 30), ago(8 * 60 + 30)],
    )
    .unwrap();
    drop(db);
    let host = stage.play().await;
    stage.slack.wait_text("hourly").await;
    let made_up = ended(&host, hourly).await;
    assert_eq!(made_up["fires"].as_array().map(Vec::len), Some(2), "{made_up}");
    assert_eq!(
        (
            &made_up["fires"][0]["state"],
            &made_up["fires"][1]["state"],
            &made_up["fires"][1]["runs"]
        ),
        (&json!("done"), &json!("skipped"), &json!(8)),
        "{made_up}"
    );
    let skipped = ended(&host, skipping).await;
    assert_eq!(
        (
            &skipped["fires"][0]["state"],
            &skipped["fires"][0]["runs"],
            &skipped["state"]
        ),
        (&json!("skipped"), &json!(9), &json!("armed")),
        "{skipped}"
    );
    assert_eq!(
        (times_said(&stage, "hourly"), times_said(&stage, "never said")),
        (1, 0)
    );
}

#[tokio::test]
async fn tasks_of_the_earlier_daemon_go_on() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    let session = session(&stage, &host).await;
    host.stop().await;
    let db = Connection::open(stage.home.database()).unwrap();
    let due = old_row(
        &db,
        "cron",
        "0 0 1 1 *",
        &say(&session, "happy new year"),
        true,
        &ago(60),
    );
    let paused = old_row(
        &db,
        "cron",
        "* * * * *",
        &say(&session, "never said"),
        false,
        &ago(60),
    );
    let spent = old_row(
        &db,
        "cron",
        "0 0 9 1 1 * 2026",
        &say(&session, "the last time"),
        true,
        &ago(60),
    );
    let unread = old_row(&db, "cron", "@daily", &say(&session, "tomorrow"), true, "");
    let unmeant = old_row(
        &db,
        "cron",
        "every day",
        &say(&session, "never said"),
        true,
        &ago(60),
    );
    let gone = json!({"type": "plugin_action", "pluginId": "kata-whatsapp", "action": "ping"});
    let gone = old_row(&db, "one-shot", "2026-02-02T00:00:00Z", &gone, true, &ago(60));
    drop(db);
    let host = stage.play().await;
    stage.slack.wait_text("happy new year").await;
    stage.slack.wait_text("the last time").await;
    assert_eq!(ended(&host, due).await["state"], "armed");
    assert_eq!(ended(&host, spent).await["state"], "over");
    let failed = ended(&host, gone).await;
    assert!(
        failed["fires"][0]["error"]
            .as_str()
            .is_some_and(|e| e.contains("no plugin \"kata-whatsapp\"")),
        "{failed}"
    );
    assert_eq!(
        (&failed["state"], &failed["failures"]),
        (&json!("armed"), &json!(1)),
        "it is tried again"
    );
    let notice = host
        .wait_event("the notice", |e| {
            e["type"] == "plugin_error" && e["error"].as_str().is_some_and(|e| e.contains("every day"))
        })
        .await;
    assert!(notice.to_string().contains("resume_task"), "{notice}");
    assert_eq!(task(&host, unmeant).await["state"], "parked");
    assert_eq!(task(&host, paused).await["state"], "paused");
    assert_eq!(times_said(&stage, "never said"), 0);
    host.stop().await;

    // What JavaScript reads as a date.
    let db = Connection::open(stage.home.database()).unwrap();
    let next: String = db
        .query_row(
            "SELECT next_run_at FROM scheduled_tasks WHERE id = ?1",
            [unread],
            |row| row.get(0),
        )
        .unwrap();
    assert!(
        next.len() == 24 && next.parse::<Timestamp>().unwrap() > Timestamp::now(),
        "{next}"
    );
    let enabled: bool = db
        .query_row(
            "SELECT enabled FROM scheduled_tasks WHERE id = ?1",
            [paused],
            |row| row.get(0),
        )
        .unwrap();
    assert!(!enabled);
}

#[tokio::test]
async fn a_session_that_was_never_seen_has_its_turn_and_nothing_is_sent() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    let id = made(&host, "one-shot", &soon(), say(UNSEEN, "nobody listens")).await;
    let turn = host.wait_turn("nobody listens").await;
    assert_eq!(
        (
            turn.channel_id.as_str(),
            turn.session_key.as_str(),
            turn.workspace_id.as_str()
        ),
        ("elsewhere", UNSEEN, WORKSPACE)
    );
    let over = ended(&host, id).await;
    assert_eq!(over["fires"][0]["state"], "done", "{over}");
    assert!(stage.said().is_empty());
}

#[tokio::test]
async fn a_task_whose_turns_are_given_up_is_parked_with_one_notice() {
    let stage = Stage::set().await;
    stage.home.write_settings(&json!({"attempts": 1}));
    let host = stage
        .up(stage.start().policy(Policy::script(|t| match t.content.as_str() {
            "hello" => Answer::Say("hello".into()),
            _ => Answer::Fail("no model".into()),
        })))
        .await;
    let session = session(&stage, &host).await;
    let id = made(&host, "cron", "0 9 * * *", say(&session, "try")).await;
    for failures in 1..=5 {
        by_hand(&host, "run_task", id).await;
        let failed = ended(&host, id).await;
        assert_eq!(failed["failures"], failures, "{failed}");
    }
    let is_notice = |e: &Value| {
        e["type"] == "plugin_error"
            && e["error"]
                .as_str()
                .is_some_and(|e| e.contains("is parked: 5 runs in a row failed"))
    };
    host.wait_event("the notice", is_notice).await;
    let parked = task(&host, id).await;
    assert!(
        parked["state"] == "parked"
            && parked["parkedReason"]
                .as_str()
                .is_some_and(|why| why.contains("no model")),
        "{parked}"
    );
    assert_eq!(host.events().iter().filter(|e| is_notice(e)).count(), 1);
    assert_eq!(by_hand(&host, "resume_task", id).await["ok"], true);
    let armed = task(&host, id).await;
    assert_eq!(
        (&armed["state"], &armed["failures"]),
        (&json!("armed"), &json!(0))
    );
}

// === agents ===

#[tokio::test]
async fn a_task_that_an_agent_makes_is_asked_for_and_runs_with_its_sessions_rights() {
    let scene = Scene::asking(&["Bash"]).await;
    let host = scene.play().await;
    let tea = json!({"type": "one-shot", "schedule": "2099-01-01T09:00", "zone": "UTC", "message": "do: say time for tea"});
    scene.tell("U2", &[&format!("call task_schedule {tea}"), "say so be it"]);
    scene
        .stage
        .slack
        .press("U1", &scene.card().await.ts, "Allow once");
    scene.heard("so be it").await;
    let tasks = host.query("tasks").await;
    let creator = &tasks[0]["creator"];
    assert_eq!(
        (&creator["by"], &creator["role"]),
        (&json!("agent"), &json!("member")),
        "{tasks:?}"
    );
    assert_eq!(creator["origin"][0]["sender"], "U2", "{tasks:?}");
    assert_eq!(tasks[0]["nextRunAt"], "2099-01-01T09:00:00.000Z");
    by_hand(&host, "run_task", tasks[0]["taskId"].as_i64().unwrap()).await;
    assert_eq!(scene.heard("time for tea").await.channel, "C1");

    // What a task does is judged, asked about and recorded as theirs who had it made.
    let work = json!({"type": "cron", "schedule": "@daily", "message": "do: ask Bash {\"command\": \"ls\"}"});
    scene.tell(
        "U2",
        &[&format!("call task_schedule {work}"), "say and so be that"],
    );
    scene.heard("schedule: @daily").await;
    scene
        .stage
        .slack
        .press("U1", &scene.card().await.ts, "Allow once");
    scene.heard("and so be that").await;
    let id = host.query("tasks").await[0]["taskId"].as_i64().unwrap();
    by_hand(&host, "run_task", id).await;
    let question = host
        .wait_event("the question of the task", |e| {
            e["type"] == "approval_requested" && e["tool"] == "Bash"
        })
        .await;
    assert_eq!(
        question["requester"],
        format!("scheduled task {id}, made for U2"),
        "{question}"
    );
}

#[tokio::test]
async fn an_agent_lists_and_cancels_the_tasks_of_its_own_session_alone() {
    let scene = Scene::set().await;
    scene.permit(json!({"allowedTools": ["task_schedule", "task_cancel"]}));
    let host = scene.play().await;
    let input = json!({"type": "cron", "schedule": "0 9 * * *", "message": "standup"});
    let said = scene.told(&[&format!("call task_schedule {input}")]).await;
    assert!(said.contains("next_run_at"), "{said}");
    let id = host.query("tasks").await[0]["taskId"].as_i64().unwrap();
    let cancel = format!(r#"call task_cancel {{"task_id": {id}}}"#);

    let elsewhere = scene.told_in("C2", &["call task_list {}", &cancel]).await;
    assert!(
        !elsewhere.contains("standup") && elsewhere.contains("this conversation has no task"),
        "{elsewhere}"
    );
    let here = scene.told(&["call task_list {}"]).await;
    assert!(here.contains("standup") && here.contains("armed"), "{here}");
    let gone = scene.told(&[&cancel]).await;
    assert!(gone.contains("cancelled"), "{gone}");
    assert!(host.query("tasks").await.is_empty());
}

#[tokio::test]
async fn an_agent_keeps_within_what_a_session_may_have() {
    let scene = Scene::set().await;
    scene.permit(json!({"allowedTools": ["task_schedule", "task_cancel"]}));
    let host = scene.play().await;
    let often = json!({"type": "cron", "schedule": "* * * * * *", "message": "now"});
    let past = json!({"type": "one-shot", "schedule": "2020-01-01", "message": "then"});
    let said = scene
        .told(&[
            &format!("call task_schedule {often}"),
            &format!("call task_schedule {past}"),
        ])
        .await;
    assert!(
        said.contains("less than a minute apart") && said.contains("has no run after"),
        "{said}"
    );
    let fine = json!({"type": "cron", "schedule": "@daily", "message": "now"});
    let many = vec![format!("call task_schedule {fine}"); 11];
    let steps: Vec<&str> = many.iter().map(String::as_str).collect();
    let said = scene.told(&steps).await;
    assert!(
        said.contains("this conversation made 10 tasks within an hour"),
        "{said}"
    );
    assert_eq!(host.query("tasks").await.len(), 10);
}

// === dying ===

/// Steps that have their tests in kata-store alone: a host sees nothing of their two sides.
const ASIDE: [&str; 6] = [
    "create_task",
    "cancel_task",
    "set_task",
    "park_task",
    "end_fire",
    "skip",
];

fn start(stage: &Stage) -> Start {
    stage
        .start()
        .policy(Policy::script(|t| Answer::Say(t.content.clone())))
}

/// A daemon that dies at a step of a task's run, and the one after it: once done, and not forgotten.
async fn dies_at(operation: &str, when: &str) {
    let stage = Stage::set().await;
    let calm = stage.up(start(&stage)).await;
    let known = session(&stage, &calm).await;
    let is_claim = operation == "claim_task";
    if is_claim {
        // Every look for such a turn passes the point: so that the first one finds it, it was given back.
        calm.set_policy(Policy::silent());
        made(&calm, "one-shot", &soon(), say(UNSEEN, "good morning")).await;
        calm.wait_turn("good morning").await;
    }
    calm.stop().await;

    let doomed = start(&stage)
        .failpoints(&format!("{operation}.{when}=return"))
        .spawn();
    if !is_claim {
        doomed.wait_running().await;
        doomed.send(&json!({
            "type": "schedule_task", "workspaceId": WORKSPACE, "taskType": "one-shot", "schedule": soon(),
            "action": say(&known, "good morning"),
        }));
    }
    let exit = doomed.wait_exit().await;
    assert_eq!(
        exit.signal,
        Some(6),
        "a binary with failpoints aborts\n{}",
        doomed.dump()
    );

    let survivor = stage.up(start(&stage)).await;
    let id = survivor.query("tasks").await[0]["taskId"].as_i64().unwrap();
    let over = ended(&survivor, id).await;
    assert_eq!(
        (
            &over["state"],
            &over["fires"].as_array().map(Vec::len),
            &over["fires"][0]["state"]
        ),
        (&json!("over"), &Some(1), &json!("done")),
        "{over}\n{}",
        survivor.dump()
    );
    if !is_claim {
        stage.slack.wait_text("good morning").await;
    }
    assert_eq!(times_said(&stage, "good morning"), usize::from(!is_claim));
}

macro_rules! dies_at {
    ($($operation:ident)*) => {
        mod before_commit { $(
            #[tokio::test]
            async fn $operation() { super::dies_at(stringify!($operation), "before_commit").await; }
        )* }
        mod after_commit { $(
            #[tokio::test]
            async fn $operation() { super::dies_at(stringify!($operation), "after_commit").await; }
        )* }

        #[test]
        fn every_kill_point_of_tasks_has_its_test() {
            let mut tested: Vec<&str> = [$(stringify!($operation)),*].into_iter().chain(ASIDE).collect();
            let mut all = TASK_KILL_POINTS.to_vec();
            tested.sort_unstable();
            all.sort_unstable();
            assert_eq!(all, tested);
        }
    };
}

dies_at! { fire claim_task }

// === the command line ===

fn katad_says(stage: &Stage, args: &[&str]) -> String {
    let output = Command::new(katad())
        .args(args)
        .env("KATA_CONFIG_DIR", stage.home.path())
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn tasks_are_listed_at_the_terminal_while_the_daemon_runs() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    assert!(katad_says(&stage, &["tasks"]).contains("no scheduled tasks"));
    let id = made(&host, "cron", "0 9 * * MON-FRI", say(UNSEEN, "standup")).await;
    let shown = katad_says(&stage, &["tasks"]);
    assert!(
        shown.contains("0 9 * * MON-FRI") && shown.contains("armed"),
        "{shown}"
    );
    let listed: Value = serde_json::from_str(&katad_says(&stage, &["tasks", "--json"])).unwrap();
    assert_eq!(listed["tasks"][0], task(&host, id).await);
    let next = katad_says(
        &stage,
        &["task", "next", "0 9 1 1 *", "--zone", "Europe/Berlin", "-n", "2"],
    );
    assert_eq!(next.lines().count(), 2, "{next}");
    assert!(
        next.lines().all(|line| line.contains("-01-01 09:00:00 +01:00")),
        "{next}"
    );
}
