//! Answers: where they go, what they carry, and what is known when they fail (D19).

use std::time::Duration;

use kata_channel::{Effect, MessageId, Outbound, Place};
use kata_testkit::discord::{BOT_TOKEN, ChannelKind, Fault, Scope, Via};
use serde_json::json;

use crate::rig::{ADA, Ear, GENERAL, Rig};

#[tokio::test]
async fn an_answer_is_a_reply_with_its_key_that_calls_nobody_else() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let asked = rig.discord.post_silently(GENERAL, ADA, "hello");
    let answer = Outbound {
        reply_to: Some(MessageId::new(asked.as_str())),
        ..rig.answer(Place::conversation(GENERAL), "k1", "hi @everyone")
    };
    let receipt = adapter.send(&answer).await.unwrap();
    let posted = rig.discord.posted().remove(0);
    assert_eq!(
        (posted.nonce.as_deref(), posted.reply_to),
        (Some("k1"), Some(asked))
    );
    assert_eq!(receipt.id.unwrap().as_str(), posted.id);
    let body = rig.discord.calls("create_message").remove(0).body;
    assert_eq!(body["allowed_mentions"]["parse"], json!([]));
    let second = Outbound {
        part: 2,
        of: 2,
        ..answer
    };
    adapter
        .send(&Outbound {
            key: kata_channel::IdempotencyKey("k2".into()),
            ..second
        })
        .await
        .unwrap();
    assert_eq!(
        rig.discord.posted()[1].reply_to,
        None,
        "the first part alone is one"
    );
}

#[tokio::test]
async fn the_same_key_within_minutes_is_one_message() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let answer = rig.answer(Place::conversation(GENERAL), "k1", "hi");
    let first = adapter.send(&answer).await.unwrap();
    assert_eq!(adapter.send(&answer).await.unwrap(), first);
    assert_eq!(rig.discord.texts(GENERAL), ["hi"]);
}

#[tokio::test]
async fn a_message_of_two_thousand_code_points_is_taken_and_not_one_more() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let length = adapter.descriptor().length;
    let longest = "😀".repeat(length.limit);
    assert_eq!(length.unit.len(&longest), length.limit);
    adapter
        .send(&rig.answer(Place::conversation(GENERAL), "k1", &longest))
        .await
        .unwrap();
    let longer = format!("{longest}!");
    let failed = adapter
        .send(&rig.answer(Place::conversation(GENERAL), "k2", &longer))
        .await
        .unwrap_err();
    assert_eq!((failed.effect, failed.error.code()), (Effect::None, "rejected"));
}

#[tokio::test]
async fn answers_go_to_threads_posts_and_direct_conversations() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "help", ChannelKind::Forum);
    let adapter = rig.channel("open", &[]).await;
    let root = rig.discord.post_silently(GENERAL, ADA, "hello");
    let thread = rig.discord.user_starts_thread(GENERAL, &root, ADA, "a thread");
    let post = rig.discord.user_opens_post("2002", ADA, "how?", "like this?");
    let direct = rig.discord.add_dm(ADA);
    for (n, (place, channel)) in [
        (Place::thread(GENERAL, thread.as_str()), &thread),
        (Place::thread("2002", post.as_str()), &post),
        (Place::conversation(direct.as_str()), &direct),
    ]
    .into_iter()
    .enumerate()
    {
        adapter
            .send(&rig.answer(place, &format!("k{n}"), "hi"))
            .await
            .unwrap();
        assert_eq!(rig.discord.posted()[n].channel, *channel);
    }
}

/// The effect that a fault of `create_message` has, and the code of its error.
async fn fails(fault: Fault) -> (Effect, &'static str) {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    rig.discord.fail_next("create_message", fault);
    let failed = adapter
        .send(&rig.answer(Place::conversation(GENERAL), "k1", "hi"))
        .await
        .unwrap_err();
    assert!(!format!("{failed:?}").contains(BOT_TOKEN));
    (failed.effect, failed.error.code())
}

#[tokio::test]
async fn a_failed_send_says_whether_the_message_may_be_there() {
    use Effect::{Maybe, None};
    let limited = |scope| Fault::RateLimited {
        retry_after: 3.0,
        scope,
    };
    for (fault, told) in [
        (Fault::Refused(403, 50001), (None, "rejected")),
        (Fault::Refused(403, 50013), (None, "rejected")),
        (Fault::Refused(400, 50035), (None, "rejected")),
        (Fault::Refused(401, 0), (None, "auth_expired")),
        (limited(Scope::User), (None, "rate_limited")),
        (limited(Scope::Shared), (None, "rate_limited")),
        (Fault::Http(404), (None, "other")),
        (Fault::Http(503), (Maybe, "connection_lost")),
        (Fault::HttpAfter(500), (Maybe, "connection_lost")),
        (Fault::CutBefore, (Maybe, "connection_lost")),
        (Fault::CutAfter, (Maybe, "connection_lost")),
        (Fault::Html, (Maybe, "connection_lost")),
    ] {
        assert_eq!(fails(fault.clone()).await, told, "{fault:?}");
    }
}

#[tokio::test]
async fn a_pause_is_one_channels_unless_it_is_everybodys() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "ops", ChannelKind::Text);
    let adapter = rig.channel("support", &[GENERAL, "2002"]).await;
    let there = |key: &str| rig.answer(Place::conversation("2002"), key, "hi");
    for (n, (scope, others_go_on)) in [(Scope::User, true), (Scope::Global, false)]
        .into_iter()
        .enumerate()
    {
        let fault = Fault::RateLimited {
            retry_after: 30.0,
            scope,
        };
        rig.discord.fail_next("create_message", fault);
        let here = rig.answer(
            Place::conversation(if n == 0 { GENERAL } else { "2002" }),
            "k0",
            "hi",
        );
        let failed = adapter.send(&here).await.unwrap_err();
        assert!(
            failed
                .error
                .retry_after()
                .is_some_and(|p| p > Duration::from_secs(28))
        );
        let calls = rig.discord.calls("create_message").len();
        assert!(adapter.send(&here).await.is_err());
        assert_eq!(
            rig.discord.calls("create_message").len(),
            calls,
            "the pause is kept"
        );
        assert_eq!(adapter.send(&there(&format!("k{n}"))).await.is_ok(), others_go_on);
    }
}

/// The answer to a slash command that was just given, once it is acknowledged.
async fn to_a_command(rig: &Rig, ear: &mut Ear) -> Outbound {
    rig.discord.wait_command("kata").await;
    let id = rig
        .discord
        .slash_command(GENERAL, ADA, "kata", &json!({"message": "hello"}));
    let heard = ear.next().await;
    rig.discord.wait_answered(&id).await;
    Outbound {
        metadata: heard.metadata,
        reply_to: Some(heard.id),
        ..rig.answer(heard.place, "k1", "hi")
    }
}

#[tokio::test]
async fn a_command_is_answered_where_it_was_given_while_its_token_lives() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let answer = to_a_command(&rig, &mut Ear::open(&adapter).await).await;
    let first = adapter.send(&answer).await.unwrap();
    assert_eq!(adapter.send(&answer).await.unwrap(), first, "it is there already");
    let second = Outbound {
        text: "and more".into(),
        part: 2,
        of: 2,
        ..answer.clone()
    };
    adapter.send(&second).await.unwrap();
    let via: Vec<_> = rig.discord.posted().iter().map(|posted| posted.via).collect();
    assert_eq!(via, [Via::Original, Via::FollowUp]);
    rig.time.advance(Duration::from_secs(15 * 60));
    adapter
        .send(&Outbound {
            text: "late".into(),
            ..answer
        })
        .await
        .unwrap();
    assert_eq!(rig.discord.posted()[2].via, Via::Create);
}

#[tokio::test]
async fn a_nonce_decides_for_two_minutes_and_not_at_all_for_a_commands_answer() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let answer = to_a_command(&rig, &mut Ear::open(&adapter).await).await;
    assert_eq!(adapter.nonce_holds(&answer), None, "a webhook knows none");
    let plain = rig.answer(Place::conversation(GENERAL), "k1", "hi");
    assert_eq!(adapter.nonce_holds(&plain), Some(Duration::from_secs(120)));
}

#[tokio::test]
async fn a_token_that_is_dead_early_is_no_loss_and_no_dead_bot() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let answer = to_a_command(&rig, &mut Ear::open(&adapter).await).await;
    rig.discord.expire_interactions();
    adapter.send(&answer).await.unwrap();
    assert_eq!(rig.discord.posted()[0].via, Via::Create);
}

#[tokio::test]
async fn an_address_that_is_not_discords_is_not_posted_to() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut answer = to_a_command(&rig, &mut Ear::open(&adapter).await).await;
    for url in [
        "http://10.0.0.1/webhooks/1/2".to_owned(),
        format!(
            "{}/api/v10/webhooks/../channels/1/messages",
            rig.discord.api_url()
        ),
    ] {
        answer.metadata.insert("responseUrl".into(), url.into());
        adapter.send(&answer).await.unwrap();
    }
    assert!(
        rig.discord
            .posted()
            .iter()
            .all(|posted| posted.via == Via::Create)
    );
}

#[tokio::test]
async fn typing_is_shown_while_a_turn_runs() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let signs = adapter.signs().unwrap();
    let sign = signs
        .sign_for(&Place::conversation(GENERAL), &"1".into())
        .unwrap();
    signs.put_on(&sign).await;
    rig.discord.wait_typing(GENERAL).await;
    assert!(signs.take_off(&sign).await);
    tokio::time::timeout(Duration::from_secs(2), adapter.disconnect())
        .await
        .unwrap();
}
