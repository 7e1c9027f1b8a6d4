//! Answers: drafts, mails to whom the configuration names, and what became of those nobody knows about.

use std::time::Duration;

use kata_channel::{
    ChannelError, Effect, Finding,
    settings::{MailSettings, ReplyMode},
};
use kata_testkit::gmail::{Fault, NewMail};

use crate::rig::Rig;

fn sending(to: &[&str]) -> MailSettings {
    MailSettings {
        reply_mode: ReplyMode::Send,
        send_to: to.iter().map(ToString::to_string).collect(),
        ..MailSettings::default()
    }
}

fn mail() -> NewMail {
    NewMail::from("ada@example.org").subject("Offer").label("Kata")
}

#[tokio::test]
async fn an_answer_is_a_draft_in_its_thread() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let id = rig.gmail.arrives(mail());
    let receipt = adapter
        .send(&rig.answer(&id, &id, "k1", "It costs **5**."))
        .await
        .unwrap();
    let [draft] = &*rig.gmail.drafted() else { panic!() };
    assert_eq!(receipt.id.unwrap().as_str(), draft.id);
    assert_eq!(
        (&*draft.thread, &*draft.subject, &*draft.text),
        (&*id, "Re: Offer", "It costs 5.")
    );
    assert_eq!(draft.to, ["ada@example.org"]);
    assert!(
        draft.raw.contains("In-Reply-To: <m") && draft.raw.contains("@mail.example.org>"),
        "{}",
        draft.raw
    );
    assert!(draft.raw.contains("Auto-Submitted: auto-replied") && draft.raw.contains("<strong>5</strong>"));
    assert!(rig.gmail.sent().is_empty());
    assert_eq!(rig.gmail.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn only_named_recipients_are_sent_to() {
    for (settings, reply_to, sent) in [
        (sending(&["ada@example.org"]), None, true),
        (sending(&["@example.org"]), None, true),
        (sending(&["@example.org"]), Some("eve@evil.example"), false),
        (sending(&["@ample.org", "bob@example.org"]), None, false),
        (sending(&[]), None, false),
        (
            MailSettings {
                send_to: vec!["ada@example.org".into()],
                ..MailSettings::default()
            },
            None,
            false,
        ),
    ] {
        let rig = Rig::start().await;
        let adapter = rig.channel(settings.clone()).await;
        let mail = reply_to.map_or_else(mail, |to| mail().header("Reply-To", to));
        let id = rig.gmail.arrives(mail);
        adapter.send(&rig.answer(&id, &id, "k1", "yes")).await.unwrap();
        let counts = (rig.gmail.sent().len(), rig.gmail.drafted().len());
        assert_eq!(counts, if sent { (1, 0) } else { (0, 1) }, "{settings:?}");
    }
}

#[tokio::test]
async fn a_thread_has_so_many_answers_a_day() {
    let rig = Rig::start().await;
    let settings = MailSettings {
        answers_per_day: 2,
        ..sending(&["@example.org"])
    };
    let adapter = rig.channel(settings).await;
    let id = rig.gmail.arrives(mail());
    for key in ["k1", "k2"] {
        adapter.send(&rig.answer(&id, &id, key, "yes")).await.unwrap();
    }
    let error = adapter
        .send(&rig.answer(&id, &id, "k3", "yes"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error.error, ChannelError::Rejected(s) if s.contains("answersPerDay")),
        "{error}"
    );
    assert_eq!(error.effect, Effect::None);
    let other = rig.gmail.arrives(mail());
    adapter
        .send(&rig.answer(&other, &other, "k4", "yes"))
        .await
        .unwrap();
    rig.time.advance(Duration::from_secs(25 * 3600));
    adapter.send(&rig.answer(&id, &id, "k5", "yes")).await.unwrap();
}

#[tokio::test]
async fn what_may_have_been_sent_is_looked_up_by_its_message_id() {
    for (fault, there) in [
        (Fault::CutAfter, true),
        (Fault::RefuseAfter(503, "backendError"), true),
        (Fault::CutBefore, false),
        (Fault::Refuse(503, "backendError"), false),
        (Fault::Html, false),
    ] {
        for (settings, method) in [
            (MailSettings::default(), "drafts.create"),
            (sending(&["@example.org"]), "messages.send"),
        ] {
            let rig = Rig::start().await;
            let adapter = rig.channel(settings).await;
            let id = rig.gmail.arrives(mail());
            let out = rig.answer(&id, &id, "k1", "yes");
            rig.gmail.fail_next(method, fault.clone());
            let error = adapter.send(&out).await.unwrap_err();
            assert_eq!(error.effect, Effect::Maybe, "{fault:?}: {error}");
            let found = rig.find(&adapter, &out).await.unwrap();
            assert_eq!(matches!(found, Finding::Sent(_)), there, "{fault:?} {found:?}");
            let asked = rig.gmail.calls("messages.list");
            assert!(
                asked
                    .iter()
                    .any(|call| call.query.iter().any(|(_, q)| q.starts_with("rfc822msgid:kata.")))
            );
            // Whoever sends it again sends it once.
            adapter.send(&out).await.unwrap();
            assert_eq!(rig.gmail.drafted().len() + rig.gmail.sent().len(), 1, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_message_id_that_gmail_replaced_is_found_by_its_key() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    rig.gmail.renames_mail();
    let id = rig.gmail.arrives(mail());
    let out = rig.answer(&id, &id, "k1", "yes");
    rig.gmail.fail_next("drafts.create", Fault::CutAfter);
    adapter.send(&out).await.unwrap_err();
    let found = rig.find(&adapter, &out).await.unwrap();
    assert!(matches!(found, Finding::Sent(_)), "{found:?}");
}

#[tokio::test]
async fn a_look_up_that_fails_says_nothing() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let id = rig.gmail.arrives(mail());
    let out = rig.answer(&id, &id, "k1", "yes");
    for method in ["messages.list", "threads.get"] {
        rig.gmail.fail_next(method, Fault::Refuse(500, "backendError"));
        assert!(rig.find(&adapter, &out).await.is_err(), "{method}");
    }
}

#[tokio::test]
async fn what_fails_before_the_mail_leaves_has_no_effect() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let id = rig.gmail.arrives(mail());
    let out = rig.answer(&id, &id, "k1", "yes");
    for (method, fault) in [
        ("threads.get", Fault::CutAfter),
        ("messages.get", Fault::Refuse(503, "backendError")),
        ("drafts.create", Fault::RateLimited { retry_after: 3 }),
        ("drafts.create", Fault::Refuse(400, "invalidArgument")),
    ] {
        rig.gmail.fail_next(method, fault.clone());
        let error = adapter.send(&out).await.unwrap_err();
        assert_eq!(error.effect, Effect::None, "{method} {fault:?}: {error}");
    }
    assert!(rig.gmail.drafted().is_empty());
}

#[tokio::test]
async fn an_answer_without_its_mail_goes_to_the_last_one_of_somebody_else() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let root = rig.gmail.arrives(mail());
    let last = rig
        .gmail
        .arrives(NewMail::from("bob@example.org").thread(&root).label("Kata"));
    rig.gmail.deletes(&root);
    adapter
        .send(&rig.answer(&root, &root, "k1", "yes"))
        .await
        .unwrap();
    assert_eq!(rig.gmail.drafted()[0].to, ["bob@example.org"]);
    rig.gmail.deletes(&last);
    adapter
        .send(&rig.answer(&root, &root, "k2", "yes"))
        .await
        .unwrap_err();
}

#[tokio::test]
async fn what_went_out_with_leave_is_found_by_the_mail_that_it_answers() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let id = rig.gmail.arrives(mail());
    let (messages, _) = {
        let from = adapter
            .history()
            .unwrap()
            .cursor_at(rig.now() - Duration::from_secs(60));
        crate::rig::read(&adapter, &from).await
    };
    let metadata = &messages[0].metadata;
    let answered = &messages[0].id;
    assert_eq!(adapter.left(answered, metadata).await.unwrap(), None);
    let input = serde_json::json!({"to": ["ada@example.org"], "reply_to": id, "body": "yes, **do**"});
    // A mail that the agent sent on the way is not the answer.
    rig.tool("gmail_send", &id, input.clone()).await.unwrap();
    assert_eq!(adapter.left(answered, metadata).await.unwrap(), None);
    rig.gmail.index_lags();
    rig.answer_tool("gmail_send", &id, input).await.unwrap();
    assert_eq!(
        adapter.left(answered, metadata).await.unwrap().as_deref(),
        Some("yes, do")
    );
    rig.gmail
        .fail_next("messages.list", Fault::Refuse(500, "backendError"));
    adapter.left(answered, metadata).await.unwrap_err();
}

#[tokio::test]
async fn a_mail_of_somebody_else_is_never_taken_for_ours() {
    let rig = Rig::start().await;
    let adapter = rig.channel(sending(&["@example.org"])).await;
    let id = rig.gmail.arrives(mail());
    let out = rig.answer(&id, &id, "k1", "yes");
    // Who has had an answer knows how keys and ids look.
    let probe = Rig::start().await;
    let other = probe.channel(sending(&["@example.org"])).await;
    let theirs = probe.gmail.arrives(mail());
    other
        .send(&probe.answer(&theirs, &theirs, "k1", "yes"))
        .await
        .unwrap();
    let copy = &probe.gmail.sent()[0].raw;
    rig.gmail.arrives(NewMail::raw(copy.as_bytes()).thread(&id));
    let found = rig.find(&adapter, &out).await.unwrap();
    assert!(matches!(found, Finding::Absent), "{found:?}");
    adapter.send(&out).await.unwrap();
    assert_eq!(rig.gmail.sent().len(), 1);
}

#[tokio::test]
async fn sending_by_a_tool_stops_at_the_threads_limit_too() {
    let rig = Rig::start().await;
    let settings = MailSettings {
        answers_per_day: 2,
        ..MailSettings::default()
    };
    let _adapter = rig.channel(settings).await;
    let id = rig.gmail.arrives(mail());
    let input = serde_json::json!({"to": ["ada@example.org"], "reply_to": id, "body": "yes"});
    for _ in 0..2 {
        rig.tool("gmail_send", &id, input.clone()).await.unwrap();
    }
    let refused = rig.tool("gmail_send", &id, input).await.unwrap_err();
    assert!(refused.to_string().contains("answersPerDay"), "{refused}");
    assert_eq!(rig.gmail.sent().len(), 2);
}
