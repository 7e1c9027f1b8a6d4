//! How a turn ends that does not end well.

use std::time::Duration;

use serde_json::json;
use tokio::{io::AsyncWriteExt as _, join, time::Instant};

use super::{agent::Played, authority::Judge, bench::Bench};
use crate::{AcpSettings, AgentError};

/// An agent that was given a turn; the turn is dropped when `play` is done.
async fn dropped_after(bench: &mut Bench, play: impl AsyncFnOnce(&mut Played)) -> Played {
    let mut reply = Box::pin(bench.prompt("one"));
    let play = async {
        let mut agent = bench.agent().await;
        agent.begin().await;
        play(&mut agent).await;
        agent
    };
    tokio::select! {
        ended = &mut reply => panic!("it was to be dropped: {ended:?}"),
        agent = play => agent,
    }
}

#[tokio::test]
async fn a_dropped_turn_is_cancelled_and_the_agent_has_the_next_one() {
    let mut bench = Bench::new(1);
    let mut prompt = json!(null);
    let mut agent = dropped_after(&mut bench, async |agent| {
        (prompt, _) = agent.expect("session/prompt").await;
        agent.say("one").await;
    })
    .await;
    agent.expect("session/cancel").await;
    let next = bench.prompt("two");
    let play = async {
        agent.say(" more of the old").await;
        agent.answer(prompt, json!({"stopReason": "cancelled"})).await;
        agent.reply("two").await;
    };
    let (next, ()) = join!(next, play);
    assert_eq!(next.unwrap().text, "two");
    assert!(bench.started.is_empty(), "one agent for both");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_does_not_hear_of_its_cancellation_is_ended_after_the_grace() {
    let mut bench = Bench::new(1);
    let mut agent = dropped_after(&mut bench, async |agent| {
        agent.expect("session/prompt").await;
    })
    .await;
    let since = Instant::now();
    agent.expect("session/cancel").await;
    let next = bench.prompt("two");
    let play = async {
        assert!(agent.next().await.is_none(), "hung up on");
        assert_eq!(since.elapsed(), Duration::from_secs(2));
        let mut another = bench.agent().await;
        another.begin().await;
        another.reply("two").await;
        another
    };
    let (next, _) = join!(next, play);
    assert_eq!(next.unwrap().text, "two");
    bench.end().await;
}

#[tokio::test]
async fn a_question_of_a_dropped_turn_is_answered_as_cancelled() {
    let mut bench = Bench::judged(1, Judge::asking());
    let judge = std::sync::Arc::clone(&bench.judge);
    let mut agent = dropped_after(&mut bench, async |agent| {
        agent.expect("session/prompt").await;
        agent
            .send(
                json!({"jsonrpc": "2.0", "id": 5, "method": "session/request_permission", "params": {
                "sessionId": super::agent::SESSION,
                "toolCall": {"toolCallId": "c", "kind": "execute", "rawInput": {"command": "ls"}},
                "options": [{"optionId": "no", "name": "No", "kind": "reject_once"}]}}),
            )
            .await;
        judge.asked.notified().await;
    })
    .await;
    let (first, second) = (agent.next().await.unwrap(), agent.next().await.unwrap());
    let answer = if first["id"] == 5 { first } else { second };
    assert_eq!(answer["result"]["outcome"]["outcome"], "cancelled");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_turn_but_not_while_a_person_thinks() {
    let mut bench = Bench::judged(1, Judge::asking());
    let judge = std::sync::Arc::clone(&bench.judge);
    let settings = AcpSettings {
        no_progress: Some(Duration::from_secs(300)),
        ..bench.settings()
    };
    let reply = bench.run(settings, "one");
    let play = async {
        let mut agent = bench.agent().await;
        agent.begin().await;
        agent.expect("session/prompt").await;
        let ask = agent.ask(
            json!(1),
            "session/request_permission",
            json!({
            "toolCall": {"toolCallId": "c", "kind": "execute", "rawInput": {"command": "ls"}},
            "options": [{"optionId": "yes", "name": "Yes", "kind": "allow_once"}]}),
        );
        let person = async {
            judge.asked.notified().await;
            tokio::time::sleep(Duration::from_secs(3600)).await;
            judge.answer.notify_one();
        };
        let (answer, ()) = join!(ask, person);
        assert_eq!(answer["result"]["outcome"]["optionId"], "yes");
        let answered = Instant::now();
        assert!(agent.next().await.is_none(), "hung up on");
        answered.elapsed()
    };
    let (reply, silent) = join!(reply, play);
    assert_eq!(
        reply,
        Err(AgentError::Failed("agent wrote nothing for 300 s".into()))
    );
    assert!(silent >= Duration::from_secs(299), "{silent:?}");
    bench.end().await;
}

#[tokio::test]
async fn an_agent_that_hangs_up_is_dead_and_its_last_words_are_told() {
    let mut bench = Bench::new(1);
    let reply = bench.prompt("one");
    let play = async {
        let mut agent = bench.agent().await;
        agent.begin().await;
        agent.expect("session/prompt").await;
        agent.say("half a").await;
        agent.stderr.write_all(b"first\nout of memory\n").await.unwrap();
    };
    let (reply, ()) = join!(reply, play);
    assert_eq!(
        reply,
        Err(AgentError::Dead(
            "agent closed its stdout in mid-turn, and lives on: out of memory".into()
        ))
    );
    bench.end().await;
}

#[tokio::test]
async fn an_error_of_the_agent_fails_the_turn_and_keeps_the_agent() {
    let mut bench = Bench::new(1);
    let reply = bench.prompt("one");
    let play = async {
        let mut agent = bench.agent().await;
        agent.begin().await;
        let (id, _) = agent.expect("session/prompt").await;
        agent.fail(id, -32603, "quota exceeded").await;
        agent
    };
    let (reply, mut agent) = join!(reply, play);
    assert_eq!(
        reply,
        Err(AgentError::Failed(
            "agent answered with an error: quota exceeded".into()
        ))
    );
    let (reply, _) = join!(bench.prompt("two"), agent.reply("two"));
    assert_eq!(reply.unwrap().text, "two");
    bench.end().await;
}

/// What becomes of a turn in which the agent writes this.
async fn flooded(flood: impl AsyncFnOnce(&mut Played)) -> AgentError {
    let mut bench = Bench::new(1);
    let reply = bench.prompt("one");
    let play = async {
        let mut agent = bench.agent().await;
        agent.begin().await;
        agent.expect("session/prompt").await;
        flood(&mut agent).await;
        assert!(agent.next().await.is_none(), "hung up on");
    };
    let (reply, ()) = join!(reply, play);
    bench.end().await;
    reply.unwrap_err()
}

#[tokio::test]
async fn a_line_without_end_is_cut_off() {
    let error = flooded(async |agent| agent.write(&"x".repeat(17 * 1024 * 1024)).await).await;
    assert_eq!(
        error,
        AgentError::Failed("agent wrote a line of more than 16 MiB".into())
    );
}

#[tokio::test]
async fn a_flood_of_lines_is_cut_off() {
    let error = flooded(async |agent| {
        let line = format!("{}\n", "x".repeat(8 * 1024 * 1024));
        for _ in 0..33 {
            agent.write(&line).await;
        }
    })
    .await;
    assert_eq!(
        error,
        AgentError::Failed("agent wrote more than 256 MiB in one turn".into())
    );
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let error = flooded(async |agent| {
        for _ in 0..5 {
            agent.say(&"x".repeat(1024 * 1024)).await;
        }
    })
    .await;
    assert_eq!(
        error,
        AgentError::Failed("agent answered with more than 4 MiB".into())
    );
}
