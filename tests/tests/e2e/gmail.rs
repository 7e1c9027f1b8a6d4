//! A mailbox: what comes in becomes a turn, what goes out a draft; and what must get neither.

use std::time::Duration;

use kata_testkit::{
    SLUG, WORKSPACE,
    gmail::{ADDRESS, FakeGmail, Fault, NewMail},
    host::{Channel, Config, FakeHost, Home, Start},
};
use serde_json::{Value, json};

/// A mailbox and a config directory.
struct Scene {
    home: Home,
    gmail: FakeGmail,
}

impl Scene {
    async fn set() -> Self {
        let gmail = FakeGmail::start().await;
        gmail.add_label("Kata");
        Self {
            home: Home::new(),
            gmail,
        }
    }

    fn start(&self, settings: Value) -> Start {
        let channel = Channel::gmail(SLUG, 1000)
            .conversations(&["Kata"])
            .settings(settings);
        self.home
            .start(&self.gmail)
            .config(Config::new().channel(WORKSPACE, channel))
    }

    /// A daemon that has looked at the mailbox: what is there from now on is news.
    async fn play(&self, settings: Value) -> FakeHost {
        let host = self.start(settings).spawn();
        host.wait_channel(SLUG, "connected").await;
        self.gmail.wait_calls("history.list", 1).await;
        host
    }

    /// What was told of is read, and more: passes follow each other.
    async fn passes(&self) {
        let seen = self.gmail.calls("history.list").len();
        self.gmail.wait_calls("history.list", seen + 2).await;
    }
}

fn mail() -> NewMail {
    NewMail::from("ada@example.org").label("Kata")
}

#[tokio::test]
async fn a_mail_becomes_a_turn_and_its_answer_a_draft_in_the_thread() {
    let scene = Scene::set().await;
    scene.gmail.arrives(mail().text("long ago"));
    let host = scene.play(json!({})).await;
    let id = scene.gmail.arrives(mail().subject("Offer").text("How much?"));
    let drafts = scene.gmail.wait_drafted(1).await;
    assert_eq!((&*drafts[0].thread, &*drafts[0].subject), (&*id, "Re: Offer"));
    assert!(drafts[0].text.contains("How much?"), "{}", drafts[0].text);
    // The next mail of the thread is the same session's.
    scene
        .gmail
        .arrives(mail().subject("Re: Offer").text("And when?").thread(&id));
    scene.gmail.wait_drafted(2).await;
    let turns = host.turns();
    assert_eq!(turns.len(), 2, "nothing that was there before");
    assert_eq!(turns[0].session_key, turns[1].session_key);
    assert!(scene.gmail.sent().is_empty());
    assert_eq!(scene.gmail.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn no_turn_and_no_answer_for_machines_forgers_and_ourselves() {
    let scene = Scene::set().await;
    let host = scene
        .play(json!({"mail": {"replyMode": "send", "sendTo": ["@example.org", "@example.com"]}}))
        .await;
    scene
        .gmail
        .arrives(mail().header("Auto-Submitted", "auto-replied")); // a loop
    scene.gmail.arrives(NewMail::from(ADDRESS).label("Kata")); // another loop
    scene
        .gmail
        .arrives(mail().header("List-Unsubscribe", "<https://example.org/u>"));
    scene.gmail.arrives(
        NewMail::from("mailer-daemon@example.org")
            .header("Return-Path", "<>")
            .label("Kata"),
    );
    scene.gmail.arrives(mail().results(Some(
        "spf=fail smtp.mailfrom=ada@example.org; dmarc=fail header.from=example.org",
    )));
    scene.gmail.arrives(NewMail::from("ada@example.org")); // without the label
    scene.passes().await;
    assert!(host.turns().is_empty() && scene.gmail.sent().is_empty() && scene.gmail.drafted().is_empty());
    scene.gmail.arrives(mail().text("a person"));
    assert!(scene.gmail.wait_sent(1).await[0].text.contains("a person"));
    assert_eq!(host.turns().len(), 1);
}

#[tokio::test]
async fn with_approve_a_mail_is_sent_when_a_person_agrees_and_is_a_draft_when_not() {
    let scene = Scene::set().await;
    let start = scene.start(json!({"mail": {"replyMode": "approve"}}));
    let host = start.capabilities(&["approvals"]).spawn();
    host.wait_channel(SLUG, "connected").await;
    scene.gmail.wait_calls("history.list", 1).await;
    for (n, (decision, sent, drafted)) in [("allow_once", 1, 0), ("deny", 1, 1)].into_iter().enumerate() {
        let mark = host.mark();
        scene.gmail.arrives(mail().text(&format!("question {n}")));
        let asked = host.wait_approval(mark).await;
        assert_eq!(asked["tool"], "gmail_send", "{asked}");
        let shown = asked["input"].to_string();
        assert!(
            shown.contains("ada@example.org") && shown.contains(&format!("question {n}")),
            "{asked}"
        );
        assert!(scene.gmail.drafted().is_empty());
        host.resolve(&asked, decision).await;
        scene.gmail.wait_sent(sent).await;
        scene.gmail.wait_drafted(drafted).await;
    }
    scene.passes().await;
    assert_eq!((scene.gmail.sent().len(), scene.gmail.drafted().len()), (1, 1));
}

#[tokio::test]
async fn with_approve_the_whole_text_is_shown_and_one_that_is_too_long_is_a_draft() {
    let scene = Scene::set().await;
    let start = scene.start(json!({"mail": {"replyMode": "approve"}}));
    let host = start.capabilities(&["approvals"]).spawn();
    host.wait_channel(SLUG, "connected").await;
    scene.gmail.wait_calls("history.list", 1).await;
    let mark = host.mark();
    let line = "a line of a long letter, in which much is said\n";
    let long = format!("{}the middle\n{}the end", line.repeat(900), line.repeat(900));
    scene.gmail.arrives(mail().text(&long));
    let asked = host.wait_approval(mark).await;
    let shown = asked["input"]["body"].as_str().unwrap();
    assert!(shown.contains("the middle") && shown.contains("the end"));
    assert_eq!(shown.matches("a long letter").count(), 1800);
    host.resolve(&asked, "deny").await;
    scene.gmail.wait_drafted(1).await;
    // More than a tool sends, and so more than anybody is asked about.
    let mark = host.mark();
    scene.gmail.arrives(mail().text(&line.repeat(2_500)));
    scene.gmail.wait_drafted(2).await;
    assert!(scene.gmail.sent().is_empty());
    scene.gmail.arrives(mail().text("short"));
    let asked = host.wait_approval(mark).await;
    assert!(
        asked["input"].to_string().contains("short"),
        "nothing was asked before"
    );
}

#[tokio::test]
async fn with_approve_what_was_sent_before_a_crash_is_neither_asked_nor_sent_again() {
    let scene = Scene::set().await;
    let settings = json!({"mail": {"replyMode": "approve"}});
    let host = scene.play(settings.clone()).await;
    host.stop().await;
    let start = scene.start(settings.clone()).capabilities(&["approvals"]);
    let doomed = start.failpoints("finish.before_commit=return").spawn();
    let id = scene.gmail.arrives(mail().text("first"));
    let asked = doomed.wait_approval(0).await;
    doomed.resolve(&asked, "allow_once").await;
    let exit = doomed.wait_exit().await;
    assert_eq!(exit.signal, Some(6), "{}", doomed.dump());
    assert_eq!(
        scene.gmail.sent().len(),
        1,
        "it was sent, and nobody wrote it down"
    );
    let host = scene.start(settings).capabilities(&["approvals"]).spawn();
    // The next mail of the thread waits for the first one's end.
    scene.gmail.arrives(mail().text("second").thread(&id));
    let asked = host.wait_approval(0).await;
    assert!(asked["input"].to_string().contains("second"), "{asked}");
    host.resolve(&asked, "allow_once").await;
    scene.gmail.wait_sent(2).await;
    scene.passes().await;
    assert_eq!((scene.gmail.sent().len(), scene.gmail.drafted().len()), (2, 0));
}

#[tokio::test]
async fn with_approve_and_nobody_to_ask_an_answer_is_a_draft() {
    let scene = Scene::set().await;
    let _host = scene.play(json!({"mail": {"replyMode": "approve"}})).await;
    scene.gmail.arrives(mail());
    scene.gmail.wait_drafted(1).await;
    assert!(scene.gmail.sent().is_empty());
}

#[tokio::test]
async fn a_command_in_a_mail_is_text() {
    let scene = Scene::set().await;
    let host = scene.play(json!({})).await;
    scene.gmail.arrives(mail().subject("").text("/reset"));
    scene.gmail.wait_drafted(1).await;
    assert_eq!(host.turns().len(), 1, "a turn, and no reset");
}

#[tokio::test]
async fn an_owner_is_one_only_where_his_domain_vouches_for_him() {
    let scene = Scene::set().await;
    let host = scene.play(json!({"senders": ["ada@example.org"]})).await;
    scene.gmail.arrives(mail().results(None));
    scene
        .gmail
        .arrives(mail().results(Some("dmarc=fail header.from=example.org")));
    scene
        .gmail
        .arrives(NewMail::from("eve@example.org").label("Kata"));
    scene.passes().await;
    assert!(host.turns().is_empty());
    scene.gmail.arrives(mail());
    scene.gmail.wait_drafted(1).await;
}

#[tokio::test]
async fn an_answer_is_drafted_once_when_nobody_knows_whether_it_was() {
    for fault in [
        Fault::CutAfter,
        Fault::CutBefore,
        Fault::RefuseAfter(503, "backendError"),
    ] {
        let scene = Scene::set().await;
        let host = scene.play(json!({})).await;
        scene.gmail.fail_next("drafts.create", fault.clone());
        scene.gmail.arrives(mail());
        host.wait_for("message_sent").await;
        assert_eq!(scene.gmail.drafted().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn mail_that_came_while_the_daemon_was_away_and_history_was_forgotten_gets_its_turn_once() {
    let scene = Scene::set().await;
    let host = scene.play(json!({})).await;
    scene.gmail.arrives(mail().text("before"));
    scene.gmail.wait_drafted(1).await;
    host.stop().await;
    for n in 0..25 {
        scene.gmail.arrives(mail().text(&format!("missed {n}")));
    }
    scene.gmail.forgets_history();
    let host = scene.start(json!({})).spawn();
    scene.gmail.wait_drafted(26).await;
    scene.passes().await;
    assert_eq!(host.turns().len(), 25, "what was read by date again is known");
    assert_eq!(scene.gmail.drafted().len(), 26);
}

#[tokio::test]
async fn an_old_mail_that_a_person_puts_under_the_label_gets_its_turn_now() {
    let scene = Scene::set().await;
    let _host = scene.play(json!({})).await;
    let old = scene
        .gmail
        .arrives(NewMail::from("ada@example.org").text("weeks ago"));
    scene.gmail.ages(&old, Duration::from_secs(500 * 3600));
    scene.passes().await;
    scene.gmail.labels(&old, "Kata");
    let drafts = scene.gmail.wait_drafted(1).await;
    assert!(drafts[0].text.contains("weeks ago"), "{}", drafts[0].text);
}

#[tokio::test]
async fn a_revoked_sign_in_is_said_once_and_stops_the_calls() {
    let scene = Scene::set().await;
    let host = scene.play(json!({})).await;
    scene.gmail.revoke();
    host.wait_channel(SLUG, "auth_expired").await;
    let calls = scene.gmail.calls("history.list").len();
    // Had a call been made since, it would have failed as the last one did.
    tokio::time::timeout(
        Duration::from_secs(3),
        scene.gmail.wait_calls("history.list", calls + 1),
    )
    .await
    .expect_err("nothing is called");
}

#[tokio::test]
async fn a_sign_in_that_is_about_to_end_is_said_while_it_works() {
    let scene = Scene::set().await;
    scene.gmail.sign_ins_live(3600);
    let host = scene.play(json!({})).await;
    let said = host.wait_for("plugin_error").await;
    assert!(
        said["error"]
            .as_str()
            .is_some_and(|said| said.contains("katad auth gmail")),
        "{said}"
    );
    scene.gmail.arrives(mail());
    scene.gmail.wait_drafted(1).await;
}

#[tokio::test]
async fn a_channel_for_the_whole_mailbox_does_not_start_and_says_so() {
    let scene = Scene::set().await;
    let config = Config::new().channel(WORKSPACE, Channel::gmail(SLUG, 1000));
    let host = scene.start(json!({})).config(config).spawn();
    let said = host.wait_for("plugin_error").await;
    assert_eq!(said["pluginId"], SLUG);
    assert!(
        said["error"]
            .as_str()
            .is_some_and(|said| said.contains("settings.mail.query")),
        "{said}"
    );
}

/// Runs a daemon that dies at a step, another that does not, and looks at the mailbox.
async fn dies_at(point: &str) {
    let scene = Scene::set().await;
    let host = scene.play(json!({})).await;
    host.stop().await;
    let point = format!("{point}=return");
    let doomed = scene.start(json!({})).failpoints(&point).spawn();
    for n in 0..3 {
        scene.gmail.arrives(mail().subject(&format!("mail {n}")));
    }
    let exit = doomed.wait_exit().await;
    assert_eq!(exit.signal, Some(6), "{point}\n{}", doomed.dump());
    let _survivor = scene.start(json!({})).spawn();
    scene.gmail.wait_drafted(3).await;
    scene.passes().await;
    let mut subjects: Vec<String> = scene
        .gmail
        .drafted()
        .into_iter()
        .map(|draft| draft.subject)
        .collect();
    subjects.sort();
    assert_eq!(subjects, ["Re: mail 0", "Re: mail 1", "Re: mail 2"], "{point}");
}

macro_rules! dies_at {
    ($($operation:ident)*) => {
        mod before_commit { $(
            #[tokio::test]
            async fn $operation() { super::dies_at(concat!(stringify!($operation), ".before_commit")).await; }
        )* }
        mod after_commit { $(
            #[tokio::test]
            async fn $operation() { super::dies_at(concat!(stringify!($operation), ".after_commit")).await; }
        )* }
    };
}

dies_at! { admit claim finish claim_out settle }

#[tokio::test]
async fn a_gmail_that_is_away_for_a_while_loses_nothing() {
    let scene = Scene::set().await;
    let host = scene.play(json!({})).await;
    scene.gmail.arrives(mail().text("one"));
    scene.gmail.wait_drafted(1).await;
    scene.gmail.down().await;
    host.wait_channel(SLUG, "degraded").await;
    scene.gmail.arrives(mail().text("two"));
    scene.gmail.up().await;
    scene.gmail.wait_drafted(2).await;
    assert_eq!(host.turns().len(), 2);
}
