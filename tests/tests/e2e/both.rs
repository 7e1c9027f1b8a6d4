//! Slack and Discord at once, with everything going wrong now and then.

use std::collections::BTreeMap;

use kata_testkit::{BothStage, discord, host::FakeHost, slack};

/// Messages, over both platforms.
const MESSAGES: usize = 10_000;
/// So many are said before the next trouble.
const STEP: usize = 250;
const SLACK: [&str; 3] = ["C1", "C2", "C3"];
const DISCORD: [&str; 3] = ["2001", "2002", "2003"];

/// Trouble of every kind, by turns. A platform that is lost again and again is left alone for longer and longer: three times
/// each is enough for one test.
fn trouble(stage: &BothStage, step: usize) {
    let (slack, discord) = (&stage.slack.slack, &stage.discord);
    match step {
        4 => discord.cut_connections(),
        8 => slack.cut_sockets(),
        14 => discord.invalidate_sessions(false),
        18 => slack.ask_to_disconnect("refresh_requested"),
        24 => {
            discord.forget_sessions();
            discord.cut_connections();
        }
        28 => slack.cut_sockets(),
        34 => discord.ask_to_reconnect(),
        _ => {}
    }
    match step % 6 {
        0 => {
            slack.fail_next("chat.postMessage", slack::Fault::CutAfter);
            discord.fail_next("create_message", discord::Fault::CutAfter);
        }
        3 => {
            slack.fail_next("chat.postMessage", slack::Fault::HttpAfter(503));
            discord.fail_next("create_message", discord::Fault::HttpAfter(503));
        }
        5 => {
            let retry_after = 1;
            slack.fail_next("chat.postMessage", slack::Fault::RateLimited { retry_after });
            let (retry_after, scope) = (0.5, discord::Scope::User);
            discord.fail_next(
                "create_message",
                discord::Fault::RateLimited { retry_after, scope },
            );
        }
        _ => {}
    }
}

/// What was said where, in order.
type Said = BTreeMap<&'static str, Vec<String>>;

fn speak(stage: &BothStage, n: usize, said: &mut Said) {
    let place = if n.is_multiple_of(2) {
        SLACK[n / 2 % 3]
    } else {
        DISCORD[n / 2 % 3]
    };
    let text = format!("message {n}");
    if n.is_multiple_of(2) {
        stage.slack.slack.user_posts(place, "U1", &text);
    } else {
        stage.discord.user_posts(place, "1001", &text);
    }
    said.entry(place).or_default().push(text);
}

async fn answered(stage: &BothStage, half: usize) {
    stage.slack.slack.wait_posted(half).await;
    stage.discord.wait_posted(half).await;
}

#[tokio::test]
async fn ten_thousand_mixed_messages_are_each_answered_once_and_in_order() {
    let stage = BothStage::set().await;
    let host = stage.up(stage.start(&SLACK, &DISCORD)).await;
    stage
        .slack
        .slack
        .wait_calls("conversations.history", SLACK.len())
        .await;
    stage.discord.wait_read(DISCORD.len()).await;
    let mut said = Said::new();
    for step in 0..MESSAGES / STEP {
        trouble(&stage, step);
        for n in step * STEP..(step + 1) * STEP {
            speak(&stage, n, &mut said);
        }
        // Two steps are under way at a time.
        answered(&stage, step * STEP / 2).await;
    }
    answered(&stage, MESSAGES / 2).await;
    judge(&stage, &host, &said);
}

fn judge(stage: &BothStage, host: &FakeHost, said: &Said) {
    let slack = stage
        .slack
        .slack
        .posted()
        .into_iter()
        .map(|p| (p.channel, p.text));
    let discord = stage.discord.posted().into_iter().map(|p| (p.channel, p.text));
    let mut posted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (place, text) in slack.chain(discord) {
        posted.entry(place).or_default().push(text);
    }
    for (place, texts) in said {
        let answers = posted.remove(*place).unwrap_or_default();
        let differs = answers
            .iter()
            .zip(texts)
            .position(|(answer, text)| answer != text);
        assert!(
            differs.is_none() && answers.len() == texts.len(),
            "{place}: {} of {} answers, the first that differs is number {differs:?}\n{}",
            answers.len(),
            texts.len(),
            host.dump()
        );
    }
    assert!(posted.is_empty(), "{:?}", posted.keys());
    assert_eq!(host.turns().len(), MESSAGES);
}
