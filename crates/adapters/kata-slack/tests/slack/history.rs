//! Reading what was said while nobody listened.

use std::time::Duration;

use kata_channel::{Adapter, ChannelError, Cursor, Inbound, Kind, Place, PollPage, PollRequest, ThreadPage};
use kata_testkit::slack::{ChannelKind, Fault, PageOrder};

use crate::rig::Rig;

async fn poll(
    adapter: &dyn Adapter,
    place: &Place,
    cursor: &str,
    page: Option<String>,
) -> Result<PollPage, ChannelError> {
    let request = PollRequest {
        place: place.clone(),
        cursor: Cursor(cursor.into()),
        page,
    };
    adapter.history().unwrap().poll(request).await
}

/// Every page after `cursor`.
async fn read(adapter: &dyn Adapter, place: &Place, cursor: &str) -> Vec<PollPage> {
    let mut pages: Vec<PollPage> = Vec::new();
    loop {
        let next = pages.last().and_then(|page| page.next.clone());
        pages.push(poll(adapter, place, cursor, next).await.unwrap());
        if pages.last().is_some_and(|page| page.next.is_none()) {
            return pages;
        }
    }
}

fn texts(pages: &[PollPage]) -> Vec<String> {
    let mut messages: Vec<&Inbound> = pages.iter().flat_map(|page| &page.messages).collect();
    messages.sort_by_key(|message| message.order);
    messages
        .iter()
        .map(|message| message.text.readable.clone())
        .collect()
}

fn c1() -> Place {
    Place::conversation("C1")
}

#[tokio::test]
async fn what_is_there_at_first_sight_is_not_old_work() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let history = adapter.history().unwrap();
    assert_eq!(history.start_from_now(&c1()).await.unwrap(), Cursor("0".into()));
    rig.slack.post_silently("C1", "U1", "old");
    let now = history.start_from_now(&c1()).await.unwrap();
    rig.slack.post_silently("C1", "U1", "new");
    assert_eq!(texts(&read(&*adapter, &c1(), &now.0).await), ["new"]);
}

#[tokio::test]
async fn pages_are_followed_whichever_end_slack_serves_first() {
    for (order, told) in [
        (PageOrder::NewestFirst, [false, false, true]),
        (PageOrder::OldestFirst, [false, true, true]),
    ] {
        let rig = Rig::start().await;
        rig.slack.serve_pages(order);
        rig.slack.cap_pages(3);
        let adapter = rig.channel("support", &["C1"]).await;
        let wanted: Vec<String> = (0..8).map(|n| format!("message {n}")).collect();
        wanted
            .iter()
            .for_each(|text| drop(rig.slack.post_silently("C1", "U1", text)));
        let pages = read(&*adapter, &c1(), "1.000000").await;
        assert_eq!(texts(&pages), wanted, "{order:?}");
        assert_eq!(
            pages.iter().map(|page| page.contiguous).collect::<Vec<_>>(),
            told,
            "{order:?}"
        );
        let ordered = |page: &PollPage| page.messages.is_sorted_by_key(|message| message.order);
        assert!(pages.iter().all(ordered), "a page is oldest first");
    }
}

#[tokio::test]
async fn one_page_is_known_to_be_whole() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let ts = rig.slack.post_silently("C1", "U1", "hello");
    let page = poll(&*adapter, &c1(), "0", None).await.unwrap();
    assert!(page.contiguous && page.next.is_none());
    assert_eq!(page.newest, Some(Cursor(ts.clone())));
    let empty = poll(&*adapter, &c1(), &ts, None).await.unwrap();
    assert!(empty.messages.is_empty() && empty.newest.is_none() && empty.contiguous);
}

#[tokio::test]
async fn joins_move_the_cursor_and_are_no_messages() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    rig.slack.add_user("U2", "bob");
    let ts = rig.slack.user_joins("C1", "U2");
    let page = poll(&*adapter, &c1(), "0", None).await.unwrap();
    assert!(page.messages.is_empty());
    assert_eq!(page.newest, Some(Cursor(ts)));
}

#[tokio::test]
async fn threads_are_named_and_read_without_their_first_message() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let root = rig.slack.post_silently("C1", "U1", "root");
    let reply = rig.slack.reply_silently("C1", &root, "U1", "reply");
    let page = poll(&*adapter, &c1(), "0", None).await.unwrap();
    let thread = Place::thread("C1", root.as_str());
    assert_eq!(page.threads, std::slice::from_ref(&thread));
    assert_eq!(
        page.messages[0].place,
        c1(),
        "a first message stays in the conversation"
    );
    let replies = read(&*adapter, &thread, &root).await;
    assert_eq!(texts(&replies), ["reply"]);
    assert_eq!(replies[0].messages[0].place, thread);
    assert_eq!(replies[0].newest, Some(Cursor(reply.clone())));
    assert_eq!(
        adapter.history().unwrap().start_from_now(&thread).await.unwrap(),
        Cursor(reply)
    );
}

/// Every thread that began within `days`, page by page.
async fn look_back(rig: &Rig, adapter: &dyn Adapter, days: u64) -> Vec<ThreadPage> {
    let since = rig.now() - Duration::from_secs(days * 86_400);
    let history = adapter.history().unwrap();
    let mut pages: Vec<ThreadPage> = Vec::new();
    loop {
        let next = pages.last().and_then(|page| page.next.clone());
        pages.push(history.threads(&c1(), since, next).await.unwrap());
        if pages.last().is_some_and(|page| page.next.is_none()) {
            return pages;
        }
    }
}

#[tokio::test]
async fn a_reply_under_a_message_that_was_read_before_is_told_by_looking_back() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let root = rig.slack.post_silently("C1", "U1", "root");
    let read_to = rig.slack.post_silently("C1", "U1", "nobody replies to this");
    let reply = rig.slack.reply_silently("C1", &root, "U1", "first reply");
    let shown = poll(&*adapter, &c1(), &read_to, None).await.unwrap();
    assert!(
        shown.messages.is_empty() && shown.threads.is_empty(),
        "the conversation alone does not show it: {shown:?}"
    );
    let pages = look_back(&rig, &*adapter, 7).await;
    let thread = Place::thread("C1", root.as_str());
    assert_eq!(pages[0].threads, [(thread.clone(), Cursor(reply))]);
    assert_eq!(texts(&read(&*adapter, &thread, &root).await), ["first reply"]);
}

#[tokio::test]
async fn looking_back_takes_the_newest_first_and_ends_where_it_reaches() {
    for order in [PageOrder::NewestFirst, PageOrder::OldestFirst] {
        let rig = Rig::start().await;
        rig.slack.serve_pages(order);
        rig.slack.cap_pages(2);
        let adapter = rig.channel("support", &["C1"]).await;
        let roots: Vec<String> = [9, 8, 6, 5, 4, 3]
            .iter()
            .map(|days| {
                let age = Duration::from_secs(days * 86_400);
                rig.slack.posted_ago("C1", "U1", "root", age)
            })
            .collect();
        let newest: Vec<Cursor> = roots
            .iter()
            .map(|root| Cursor(rig.slack.reply_silently("C1", root, "U1", "reply")))
            .collect();
        let pages = look_back(&rig, &*adapter, 7).await;
        let found: Vec<_> = pages.iter().flat_map(|page| page.threads.clone()).collect();
        let wanted: Vec<_> = (2..6)
            .rev()
            .map(|n| (Place::thread("C1", roots[n].as_str()), newest[n].clone()))
            .collect();
        assert_eq!(found, wanted, "{order:?}");
        assert_eq!(
            rig.slack.calls("conversations.history").len(),
            3,
            "the third page is too old already"
        );
    }
}

#[tokio::test]
async fn a_pause_that_slack_asks_for_while_looking_back_is_told() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    rig.slack
        .fail_next("conversations.history", Fault::RateLimited { retry_after: 30 });
    let since = rig.now() - Duration::from_secs(86_400);
    let history = adapter.history().unwrap();
    let limited = history.threads(&c1(), since, None).await.unwrap_err();
    assert!(limited.retry_after().is_some(), "{limited}");
}

#[tokio::test]
async fn an_edited_message_in_history_is_told_as_its_edit_too() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let ts = rig.slack.post_silently("C1", "U1", "helo");
    rig.slack.user_edits("C1", &ts, "hello");
    let page = poll(&*adapter, &c1(), "0", None).await.unwrap();
    let [said, edit] = &page.messages[..] else {
        panic!("{page:?}")
    };
    assert_eq!((&said.kind, &*said.text.raw), (&Kind::Message, "hello"));
    assert!(matches!(edit.kind, Kind::Edit { .. }));
    assert_eq!(said.id, edit.id);
}

#[tokio::test]
async fn named_conversations_are_not_looked_for() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1", "C2"]).await;
    let found = adapter.history().unwrap().conversations().await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|conversation| conversation.named));
    assert!(rig.slack.calls("users.conversations").is_empty());
}

#[tokio::test]
async fn without_names_all_that_the_bot_can_read_is_found_but_what_a_sibling_names() {
    let rig = Rig::start().await;
    rig.slack.add_channel("C2", "ops", ChannelKind::Private, &["U1"]);
    let im = rig.slack.add_im("U1");
    let _sibling = rig.make(rig.context("ops", &["C2"])).unwrap();
    let adapter = rig.channel("open", &[]).await;
    let found = adapter.history().unwrap().conversations().await.unwrap();
    let mut ids: Vec<_> = found
        .iter()
        .map(|conversation| conversation.place.conversation.as_str())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["C1", &*im]);
    assert!(found.iter().all(|conversation| !conversation.named));
}

#[tokio::test]
async fn a_conversation_that_cannot_be_read_says_what_to_do() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1", "C9"]).await;
    let lost = poll(&*adapter, &Place::conversation("C9"), "0", None)
        .await
        .unwrap_err();
    assert!(
        matches!(&lost, ChannelError::Rejected(s) if s.contains("channelIds")),
        "{lost}"
    );
    rig.slack
        .fail_next("conversations.history", Fault::OkFalse("not_in_channel"));
    let out = poll(&*adapter, &c1(), "0", None).await.unwrap_err();
    assert!(
        matches!(&out, ChannelError::Rejected(s) if s.contains("/invite")),
        "{out}"
    );
    rig.slack.revoke_scope("channels:history");
    let scope = poll(&*adapter, &c1(), "0", None).await.unwrap_err();
    assert!(
        matches!(&scope, ChannelError::Rejected(s) if s.contains("channels:history")),
        "{scope}"
    );
}

#[tokio::test]
async fn a_pause_that_slack_asks_for_is_kept_without_asking_again() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    rig.slack
        .fail_next("conversations.history", Fault::RateLimited { retry_after: 30 });
    for _ in 0..3 {
        let limited = poll(&*adapter, &c1(), "0", None).await.unwrap_err();
        assert!(
            limited.retry_after().is_some_and(|pause| pause.as_secs() >= 29),
            "{limited}"
        );
    }
    assert_eq!(rig.slack.calls("conversations.history").len(), 1);
}

#[tokio::test]
async fn names_are_asked_for_once() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    rig.slack.post_silently("C1", "U1", "one for <@U1> in <#C1>");
    rig.slack.post_silently("C1", "U1", "two");
    let page = poll(&*adapter, &c1(), "0", None).await.unwrap();
    assert_eq!(page.messages[0].text.readable, "one for @ada in #general");
    assert_eq!(page.messages[0].sender.name.as_deref(), Some("ada"));
    assert_eq!(rig.slack.calls("users.info").len(), 1);
}

#[tokio::test]
async fn a_name_that_slack_does_not_tell_in_time_is_an_id() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    rig.slack.fail_always("users.info", Fault::Hang);
    rig.slack.post_silently("C1", "U1", "hello");
    let page = poll(&*adapter, &c1(), "0", None).await.unwrap();
    assert_eq!(page.messages[0].sender.name, None);
}
