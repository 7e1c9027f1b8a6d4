//! Agents between turns.

use std::time::Duration;

use tokio::{join, time::Instant};
use tower::ServiceExt as _;

use super::{agent::Played, bench::Bench};
use crate::{AcpSettings, AgentError};

const IDLE: Duration = Duration::from_secs(1800);

/// A first turn of this session; answers its agent, which is idle now.
async fn warmed(bench: &mut Bench, session: &str) -> Played {
    let turn = bench.turn(session, "hello");
    let reply = bench.agents.agent(bench.settings()).oneshot(turn);
    let play = async {
        let mut agent = bench.agent().await;
        agent.begin().await;
        agent.reply("hi").await;
        agent
    };
    let (reply, agent) = join!(reply, play);
    reply.unwrap();
    agent
}

#[tokio::test(start_paused = true)]
async fn an_idle_agent_is_stopped_and_its_session_goes_on_with_another() {
    let mut bench = Bench::new(9);
    let mut agent = warmed(&mut bench, "daemon-work-1").await;
    let since = Instant::now();
    assert!(agent.next().await.is_none());
    assert_eq!(since.elapsed(), IDLE);
    warmed(&mut bench, "daemon-work-1").await;
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_turn_begins_the_idle_time_anew() {
    let mut bench = Bench::new(9);
    let mut agent = warmed(&mut bench, "daemon-work-1").await;
    tokio::time::sleep(IDLE / 2).await;
    let (reply, _) = join!(bench.prompt("again"), agent.reply("hi"));
    reply.unwrap();
    let since = Instant::now();
    assert!(agent.next().await.is_none());
    assert_eq!(since.elapsed(), IDLE);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn of_too_many_idle_agents_the_one_idle_longest_is_stopped() {
    let mut bench = Bench::new(2);
    let mut first = warmed(&mut bench, "daemon-work-1").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut second = warmed(&mut bench, "daemon-work-2").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let since = Instant::now();
    let mut third = warmed(&mut bench, "daemon-work-3").await;
    assert!(first.next().await.is_none());
    assert_eq!(since.elapsed(), Duration::ZERO);
    let _ = (&mut second, &mut third);
    // The other two still have their turns.
    let turn = bench.turn("daemon-work-2", "again");
    let (reply, _) = join!(
        bench.agents.agent(bench.settings()).oneshot(turn),
        second.reply("hi")
    );
    reply.unwrap();
    bench.end().await;
}

#[tokio::test]
async fn an_agent_that_left_between_turns_is_started_again() {
    let mut bench = Bench::new(9);
    drop(warmed(&mut bench, "daemon-work-1").await);
    bench.agents.0.emptied().await;
    warmed(&mut bench, "daemon-work-1").await;
    bench.end().await;
}

#[tokio::test]
async fn other_settings_need_another_agent() {
    let mut bench = Bench::new(9);
    let mut old = warmed(&mut bench, "daemon-work-1").await;
    let settings = AcpSettings {
        args: vec!["--other".into()],
        ..bench.settings()
    };
    let reply = bench.run(settings, "again");
    let play = async {
        assert!(old.next().await.is_none());
        let mut agent = bench.agent().await;
        agent.begin().await;
        agent.reply("hi").await;
        agent
    };
    let (reply, _) = join!(reply, play);
    reply.unwrap();
    bench.end().await;
}

#[tokio::test]
async fn sessions_have_agents_of_their_own_and_do_not_wait_for_each_other() {
    let mut bench = Bench::new(9);
    let mut held = Box::pin(bench.prompt("one"));
    let mut agent = tokio::select! {
        ended = &mut held => panic!("{ended:?}"),
        agent = bench.agent() => agent,
    };
    agent.begin().await;
    agent.expect("session/prompt").await;
    warmed(&mut bench, "daemon-work-2").await;
    drop(held);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_daemon_stops_all_and_starts_none() {
    let mut bench = Bench::new(9);
    let mut idle = warmed(&mut bench, "daemon-work-1").await;
    let turn = bench.turn("daemon-work-2", "hello");
    let reply = bench.agents.agent(bench.settings()).oneshot(turn);
    let shut_down = async {
        let mut busy = bench.agent().await;
        busy.begin().await;
        busy.expect("session/prompt").await;
        let since = Instant::now();
        bench.agents.shut_down().await;
        assert!(since.elapsed() < Duration::from_secs(2));
        assert!(idle.next().await.is_none() && busy.next().await.is_none());
    };
    let (reply, ()) = join!(reply, shut_down);
    assert!(matches!(reply, Err(AgentError::Unavailable(_))), "{reply:?}");
    assert!(matches!(
        bench.prompt("late").await,
        Err(AgentError::Unavailable(_))
    ));
    bench.tasks.close();
    bench.tasks.wait().await;
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_waits_at_the_end_of_the_daemon_is_given_back() {
    let mut bench = Bench::new(9);
    let busy = bench.prompt("one");
    let waiting = bench.prompt("two");
    let shut_down = async {
        let mut agent = bench.agent().await;
        agent.begin().await;
        agent.expect("session/prompt").await;
        bench.agents.shut_down().await;
    };
    let (busy, waiting, ()) = join!(busy, waiting, shut_down);
    for reply in [busy, waiting] {
        assert!(matches!(reply, Err(AgentError::Unavailable(_))), "{reply:?}");
    }
}
