//! What comes in: new mail, mail that is labelled later, mail by date; and what does not.

use std::time::Duration;

use kata_channel::{ChannelError, Cursor, Disposition, Kind, Place, PollRequest, settings::MailSettings};
use kata_testkit::gmail::{ADDRESS, Fault, NewMail};

use crate::rig::{Rig, ids, now, page, read};

fn mail() -> NewMail {
    NewMail::from("ada@example.org").label("Kata")
}

#[tokio::test]
async fn a_mail_is_a_message_in_its_thread() {
    let rig = Rig::start().await;
    rig.gmail.arrives(mail().text("before"));
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    let id = rig
        .gmail
        .arrives(mail().subject("Offer").text("How much?\n\n> old\n> old"));
    let (messages, after) = read(&adapter, &from).await;
    let [message] = &*messages else {
        panic!("{messages:?}")
    };
    assert_eq!(message.id.as_str(), id);
    assert_eq!(message.place, Place::thread("Kata", &*id));
    assert_eq!(message.sender.id.as_str(), "ada@example.org");
    assert!(
        message.text.readable.starts_with("Subject: Offer\n\nHow much?"),
        "{}",
        message.text.readable
    );
    assert!(!message.text.readable.contains("> old"));
    assert_eq!(message.disposition, Disposition::Turn);
    let quiet = page(&adapter, &after, None).await;
    assert!(quiet.messages.is_empty(), "read once");
    assert_eq!(
        quiet.newest, None,
        "and nothing is written where nothing happened"
    );
    rig.time.advance(Duration::from_secs(3601));
    assert!(
        page(&adapter, &after, None).await.newest.is_some(),
        "but the time now and then"
    );
    assert_eq!(rig.gmail.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn only_the_label_is_served_also_when_it_comes_later() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    let other = rig.gmail.arrives(NewMail::from("ada@example.org"));
    let (messages, from) = read(&adapter, &from).await;
    assert!(messages.is_empty());
    rig.gmail.labels(&other, "Kata");
    assert_eq!(ids(&read(&adapter, &from).await.0), [&*other]);
}

#[tokio::test]
async fn only_what_the_query_finds_is_served() {
    let rig = Rig::start().await;
    let mut context = rig.context(MailSettings {
        query: Some("subject:offer OR subject:order".into()),
        ..MailSettings::default()
    });
    context.filter.channel_ids = None;
    let adapter = rig.connected(context).await;
    let from = now(&adapter).await;
    rig.gmail
        .arrives(NewMail::from("ada@example.org").subject("Lunch"));
    let order = rig
        .gmail
        .arrives(NewMail::from("ada@example.org").subject("Order 7"));
    let (messages, _) = read(&adapter, &from).await;
    assert_eq!(ids(&messages), [&*order]);
    assert_eq!(messages[0].place.conversation.as_str(), "mailbox");
}

/// A channel for a search alone.
async fn searching(rig: &Rig, query: &str) -> std::sync::Arc<dyn kata_channel::Adapter> {
    let mut context = rig.context(MailSettings {
        query: Some(query.into()),
        ..MailSettings::default()
    });
    context.filter.channel_ids = None;
    rig.connected(context).await
}

#[tokio::test]
async fn a_mail_that_the_search_does_not_know_yet_is_not_passed_over() {
    let rig = Rig::start().await;
    let adapter = searching(&rig, "subject:order").await;
    let from = now(&adapter).await;
    let order = |n: u32| NewMail::from("ada@example.org").subject(&format!("Order {n}"));
    let known = rig.gmail.arrives(order(1));
    rig.gmail.index_lags();
    let late = rig.gmail.arrives(order(2));
    let other = rig
        .gmail
        .arrives(NewMail::from("bob@example.org").subject("Lunch"));
    rig.gmail.cap_pages(2);
    let (messages, cursor) = read(&adapter, &from).await;
    assert_eq!(ids(&messages), [&*known]);
    assert_ne!(cursor, from, "what is decided is behind us");
    rig.time.advance(Duration::from_secs(60));
    rig.gmail.index_catches_up();
    // Another process knows as much: the cursor stands before the late one.
    let adapter = searching(&rig, "subject:order").await;
    let (messages, again) = read(&adapter, &cursor).await;
    assert_eq!(ids(&messages), [&*late], "and not {other}");
    // A mail that is not for us holds the cursor for a while, and no longer.
    let next = rig.gmail.arrives(order(3));
    let (messages, still) = read(&adapter, &again).await;
    assert_eq!(ids(&messages), [&*next]);
    rig.time.advance(Duration::from_secs(181));
    let (_, past) = read(&adapter, &still).await;
    assert!(read(&adapter, &past).await.0.is_empty());
}

#[tokio::test]
async fn a_mail_without_an_id_is_found_by_its_time() {
    let rig = Rig::start().await;
    let adapter = searching(&rig, "subject:order").await;
    let from = now(&adapter).await;
    let head = "From: ada@example.org\r\n";
    for id in ["", "Message-ID: <a b (c)>\r\n"] {
        for subject in ["Order", "Lunch"] {
            let raw = format!("{head}{id}Subject: {subject}\r\n\r\nhi");
            rig.gmail.arrives(NewMail::raw(raw.as_bytes()));
        }
    }
    let (messages, _) = read(&adapter, &from).await;
    assert_eq!(messages.len(), 2, "{:?}", ids(&messages));
}

#[tokio::test]
async fn what_the_search_did_not_know_when_mail_was_read_by_date_is_read_a_little_later() {
    for query in [None, Some("subject:hello".to_owned())] {
        let rig = Rig::start().await;
        let adapter = rig
            .channel(MailSettings {
                query,
                ..MailSettings::default()
            })
            .await;
        let before = rig.gmail.arrives(mail());
        rig.gmail.ages(&before, Duration::from_secs(60));
        let first_contact = adapter.history().unwrap().cursor_at(rig.now());
        let known = rig.gmail.arrives(mail());
        rig.gmail.index_lags();
        let late = rig.gmail.arrives(mail());
        let (messages, cursor) = read(&adapter, &first_contact).await;
        assert_eq!(ids(&messages), [&*known]);
        rig.gmail.index_catches_up();
        let news = rig.gmail.arrives(mail());
        let (messages, cursor) = read(&adapter, &cursor).await;
        assert_eq!(ids(&messages), [&*news], "history is not held up");
        rig.time.advance(Duration::from_secs(361));
        let (messages, cursor) = read(&adapter, &cursor).await;
        assert_eq!(ids(&messages), [&*known, &*late, &*news], "and not {before}");
        let (messages, _) = read(&adapter, &cursor).await;
        assert!(messages.is_empty(), "once");
    }
}

#[tokio::test]
async fn pages_are_followed_without_a_gap() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    let all: Vec<String> = (0..7).map(|_| rig.gmail.arrives(mail())).collect();
    rig.gmail.cap_pages(2);
    let (messages, _) = read(&adapter, &from).await;
    assert_eq!(ids(&messages), all);
    // A daemon that died after the first page goes on from its cursor.
    let first = page(&adapter, &from, None).await;
    let (rest, _) = read(&adapter, &first.newest.unwrap()).await;
    assert_eq!(ids(&rest), all[2..]);
}

#[tokio::test]
async fn a_mail_that_is_gone_holds_up_nothing() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    let gone = rig.gmail.arrives(mail());
    let stays = rig.gmail.arrives(mail());
    for (status, reason) in [(404, "notFound"), (400, "failedPrecondition")] {
        rig.gmail.fail_next("messages.get", Fault::Refuse(status, reason));
        let (messages, _) = read(&adapter, &from).await;
        assert_eq!(messages.len(), 1, "one of {gone} and {stays}");
    }
}

#[tokio::test]
async fn forgotten_history_is_read_by_date_and_no_mail_is_missed() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    let ancient = rig.gmail.arrives(mail());
    rig.gmail.ages(&ancient, Duration::from_secs(80 * 3600));
    let old = rig.gmail.arrives(mail());
    rig.gmail.ages(&old, Duration::from_secs(2 * 3600));
    let all: Vec<String> = (0..45).map(|_| rig.gmail.arrives(mail())).collect();
    let other = rig.gmail.arrives(NewMail::from("bob@example.org"));
    rig.gmail.forgets_history();
    rig.gmail.cap_pages(20);
    let (messages, after) = read(&adapter, &from).await;
    assert_eq!(
        ids(&messages),
        all,
        "since the cursor's time, oldest first; not {ancient}, {old} or {other}"
    );
    let fresh = adapter.history().unwrap().cursor_at(rig.now());
    assert_eq!(
        ids(&read(&adapter, &fresh).await.0),
        all,
        "at the first contact nothing from before"
    );
    let next = rig.gmail.arrives(mail());
    assert_eq!(
        ids(&read(&adapter, &after).await.0),
        [&*next],
        "and history goes on"
    );
    // No further back than a catch-up reaches, whatever the cursor says.
    let (messages, _) = read(&adapter, &Cursor("1@1000".into())).await;
    assert_eq!(ids(&messages)[0], old);
    assert_eq!(messages.len(), 47);
}

#[tokio::test]
async fn what_is_not_for_us_is_not_read() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    rig.gmail.arrives(mail().label("DRAFT"));
    for label in ["SPAM", "TRASH"] {
        rig.gmail.arrives(NewMail::from("ada@example.org").label(label));
    }
    assert!(read(&adapter, &from).await.0.is_empty());
}

#[tokio::test]
async fn a_mail_that_is_put_away_is_a_deletion() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    let binned = rig.gmail.arrives(mail());
    let spam = rig.gmail.arrives(mail());
    let (messages, from) = read(&adapter, &from).await;
    assert_eq!(ids(&messages), [&*binned, &*spam]);
    rig.gmail.bins(&binned);
    rig.gmail.labels(&spam, "SPAM");
    let (messages, _) = read(&adapter, &from).await;
    assert_eq!(ids(&messages), [&*binned, &*spam]);
    assert!(messages.iter().all(|message| message.kind == Kind::Deletion));
    assert_eq!(messages[0].place, Place::thread("Kata", &*binned));
}

#[tokio::test]
async fn nobody_answers_a_machine_a_forger_or_himself() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    rig.gmail.arrives(mail().header("List-Id", "<news.example.org>"));
    rig.gmail.arrives(mail().header("Auto-Submitted", "auto-replied"));
    rig.gmail
        .arrives(NewMail::from("mailer-daemon@example.org").label("Kata"));
    rig.gmail
        .arrives(mail().results(Some("dmarc=fail header.from=example.org")));
    rig.gmail.arrives(NewMail::from(ADDRESS).label("Kata"));
    rig.gmail.arrives(mail().results(None));
    let (messages, _) = read(&adapter, &from).await;
    let refused = |n: usize| matches!(messages[n].disposition, Disposition::Refused(_));
    assert!((0..4).all(refused), "{messages:?}");
    assert!(messages[..3].iter().all(|message| message.sender.is_bot));
    assert!(messages[3].sender.id.as_str().starts_with("forged:"));
    assert!(messages[4].sender.is_self);
    assert_eq!(
        messages[5].sender.id.as_str(),
        "unverified:ada@example.org",
        "no owner by his word alone"
    );
}

#[tokio::test]
async fn machines_get_turns_where_that_is_asked_for() {
    let rig = Rig::start().await;
    let adapter = rig
        .channel(MailSettings {
            automatic: true,
            ..MailSettings::default()
        })
        .await;
    let from = now(&adapter).await;
    rig.gmail.arrives(mail().header("List-Id", "<news.example.org>"));
    let (messages, _) = read(&adapter, &from).await;
    assert_eq!(messages[0].disposition, Disposition::Turn);
    assert!(!messages[0].sender.is_bot);
}

#[tokio::test]
async fn a_thread_of_its_own_costs_no_call() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let before = rig.gmail.calls("history.list").len();
    let request = PollRequest {
        place: Place::thread("Kata", "18c0"),
        cursor: Cursor("18c0".into()),
        page: None,
    };
    let page = adapter.history().unwrap().poll(request).await.unwrap();
    assert!(page.messages.is_empty() && page.next.is_none() && page.newest.is_none());
    assert_eq!(rig.gmail.calls("history.list").len(), before);
}

#[tokio::test]
async fn a_large_or_broken_mail_is_read_as_far_as_it_goes() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    for raw in [
        &include_bytes!("../fixtures/winmail.eml")[..],
        include_bytes!("../fixtures/outlook.eml"),
        include_bytes!("../fixtures/jis.eml"),
        include_bytes!("../fixtures/broken.eml"),
        b"no header at all",
    ] {
        rig.gmail.arrives(NewMail::raw(raw).label("Kata"));
    }
    let (messages, _) = read(&adapter, &from).await;
    let texts: Vec<&str> = messages.iter().map(|message| &*message.text.readable).collect();
    assert!(
        texts[0].contains("See you at ten.") && texts[0].contains("winmail.dat"),
        "{texts:?}"
    );
    assert!(texts[1].contains("We take it"), "{texts:?}");
    assert!(texts[2].contains("こんにちは"), "{texts:?}");
}

#[tokio::test]
async fn a_failure_is_the_channels_and_loses_nothing() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    let id = rig.gmail.arrives(mail());
    rig.gmail
        .fail_next("messages.get", Fault::Refuse(500, "backendError"));
    let request = PollRequest {
        place: Place::conversation("Kata"),
        cursor: from.clone(),
        page: None,
    };
    let error = adapter.history().unwrap().poll(request).await.unwrap_err();
    assert!(matches!(error, ChannelError::ConnectionLost(_)), "{error}");
    assert_eq!(ids(&read(&adapter, &from).await.0), [&*id]);
}

#[tokio::test]
async fn a_mail_that_nests_without_end_is_read_from_its_head_and_holds_up_nothing() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let from = now(&adapter).await;
    let mut raw = String::from("From: ada@example.org\r\nSubject: Deep\r\n");
    for n in 0..150 {
        raw += &format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    }
    raw += "Content-Type: text/plain\r\n\r\ndeep\r\n";
    let deep = rig.gmail.arrives(NewMail::raw(raw.as_bytes()).label("Kata"));
    let next = rig.gmail.arrives(mail());
    let (messages, _) = read(&adapter, &from).await;
    assert_eq!(ids(&messages), [&*deep, &*next]);
    let said = &messages[0].text.readable;
    assert!(said.contains("Deep") && said.contains("too deeply"), "{said}");
}

#[tokio::test]
async fn two_channels_of_one_mailbox_each_get_what_carries_their_label() {
    let rig = Rig::start().await;
    rig.gmail.add_label("Ops");
    let kata = rig.channel(MailSettings::default()).await;
    let mut context = rig.context(MailSettings::default());
    context.key = kata_channel::ChannelKey::new("w1", "ops");
    context.filter.channel_ids = Some(vec!["Ops".into()]);
    let ops = rig.connected(context).await;
    let old = rig.gmail.arrives(NewMail::from("ada@example.org"));
    rig.gmail.ages(&old, Duration::from_secs(24 * 3600));
    let from = now(&kata).await;
    let both = rig.gmail.arrives(mail().label("Ops"));
    let one = rig.gmail.arrives(mail());
    // An old mail that a person puts under a label now is given to its channel now.
    rig.gmail.labels(&old, "Ops");
    assert_eq!(ids(&read(&kata, &from).await.0), [&*both, &*one]);
    let (messages, _) = read(&ops, &from).await;
    assert_eq!(ids(&messages), [&*both, &*old]);
    assert_eq!(messages[1].sent_at, rig.now(), "it came to this channel now");
    assert_ne!(messages[0].sent_at, rig.now());
}

#[tokio::test]
async fn a_label_that_is_deleted_while_it_is_served_is_named() {
    let rig = Rig::start().await;
    let ops = rig.gmail.add_label("Ops");
    let mut context = rig.context(MailSettings::default());
    context.filter.channel_ids = Some(vec!["Ops".into()]);
    let adapter = rig.connected(context).await;
    let request = PollRequest {
        place: Place::conversation("Ops"),
        cursor: now(&adapter).await,
        page: None,
    };
    rig.gmail.removes_label(&ops);
    let error = adapter
        .history()
        .unwrap()
        .poll(request.clone())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ChannelError::Rejected(s) if s.contains("no label \"Ops\"") && s.contains("Kata")),
        "{error}"
    );
    // One of that name is found again, though Gmail calls it otherwise.
    rig.gmail.add_label("Ops");
    adapter
        .history()
        .unwrap()
        .poll(request.clone())
        .await
        .unwrap_err();
    adapter.history().unwrap().poll(request).await.unwrap();
}
