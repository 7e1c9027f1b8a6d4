//! Reading what was said, page by page.

use std::time::Duration;

use kata_channel::{Adapter, ChannelError, Cursor, Kind, Place, PollPage, PollRequest};
use kata_testkit::discord::{ChannelKind, Fault, GUILD};

use crate::rig::{ADA, GENERAL, Rig};

async fn poll(
    adapter: &dyn Adapter,
    place: &Place,
    after: &str,
    page: Option<String>,
) -> Result<PollPage, ChannelError> {
    let request = PollRequest {
        place: place.clone(),
        cursor: Cursor(after.into()),
        page,
    };
    adapter.history().unwrap().poll(request).await
}

/// Everything after a cursor, by as many pages as it takes.
async fn read_all(adapter: &dyn Adapter, place: &Place, after: &str) -> Vec<String> {
    let (mut ids, mut next) = (Vec::new(), None);
    loop {
        let page = poll(adapter, place, after, next).await.unwrap();
        assert!(page.contiguous);
        ids.extend(page.messages.iter().map(|m| m.id.to_string()));
        next = page.next;
        if next.is_none() {
            return ids;
        }
    }
}

#[tokio::test]
async fn history_is_read_over_pages_in_order_and_to_its_end() {
    let rig = Rig::start().await;
    rig.discord.cap_pages(3);
    let adapter = rig.channel("support", &[GENERAL]).await;
    let said: Vec<String> = (0..10)
        .map(|n| rig.discord.post_silently(GENERAL, ADA, &n.to_string()))
        .collect();
    let place = Place::conversation(GENERAL);
    assert_eq!(read_all(&*adapter, &place, "0").await, said);
    assert_eq!(read_all(&*adapter, &place, &said[3]).await, said[4..]);
    assert!(read_all(&*adapter, &place, &said[9]).await.is_empty());
}

#[tokio::test]
async fn a_first_contact_begins_now_and_a_post_with_its_first_message() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "help", ChannelKind::Forum);
    let adapter = rig.channel("support", &[GENERAL, "2002"]).await;
    let history = adapter.history().unwrap();
    let general = Place::conversation(GENERAL);
    assert_eq!(history.start_from_now(&general).await, Ok(Cursor("0".into())));
    let said = rig.discord.post_silently(GENERAL, ADA, "old");
    assert_eq!(history.start_from_now(&general).await, Ok(Cursor(said)));
    let post = rig.discord.user_opens_post("2002", ADA, "how?", "like this?");
    let begins = history.thread_begins(&post.as_str().into());
    let place = Place::thread("2002", post.as_str());
    assert_eq!(read_all(&*adapter, &place, &begins.0).await, [post]);
    assert!(
        read_all(&*adapter, &Place::conversation("2002"), "0")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn threads_that_stirred_are_found_active_and_archived() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let root = rig.discord.post_silently(GENERAL, ADA, "root");
    let active = rig.discord.user_starts_thread(GENERAL, &root, ADA, "active");
    let second = rig.discord.post_silently(GENERAL, ADA, "second");
    let archived = rig.discord.user_starts_thread(GENERAL, &second, ADA, "archived");
    let replies = [&active, &archived].map(|thread| rig.discord.post_silently(thread, ADA, "reply"));
    rig.discord.archive(&archived, true);
    let history = adapter.history().unwrap();
    let since = rig.now() - Duration::from_secs(86_400);
    let found = history
        .threads(&Place::conversation(GENERAL), since, None)
        .await
        .unwrap();
    let expected = [(active, &replies[0]), (archived, &replies[1])]
        .map(|(thread, reply)| (Place::thread(GENERAL, thread.as_str()), Cursor(reply.clone())));
    assert_eq!((found.threads, found.next), (expected.to_vec(), None));
    let later = rig.now() + Duration::from_secs(86_400);
    let none = history.threads(&Place::conversation(GENERAL), later, None).await;
    assert!(none.unwrap().threads.is_empty());
}

/// The threads of a place, over all pages, with the pages' number.
async fn all_threads(rig: &Rig, adapter: &dyn Adapter, place: &str) -> (Vec<Place>, usize) {
    let since = rig.now() - Duration::from_secs(86_400);
    let (mut found, mut page, mut pages) = (Vec::new(), None, 0);
    loop {
        let history = adapter.history().unwrap();
        let list = history
            .threads(&Place::conversation(place), since, page)
            .await
            .unwrap();
        found.extend(list.threads.into_iter().map(|(thread, _)| thread));
        pages += 1;
        page = list.next;
        if page.is_none() {
            return (found, pages);
        }
    }
}

#[tokio::test]
async fn threads_that_were_archived_again_while_we_slept_are_found_public_and_private_over_pages() {
    let rig = Rig::start().await;
    rig.discord.cap_pages(2);
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut expected = Vec::new();
    for n in 0..5 {
        let root = rig.discord.post_silently(GENERAL, ADA, &n.to_string());
        let public = rig.discord.user_starts_thread(GENERAL, &root, ADA, "public");
        let private = rig.discord.user_starts_private_thread(GENERAL, ADA, "private");
        for thread in [public, private] {
            rig.discord.post_silently(&thread, ADA, "while you slept");
            rig.discord.archive(&thread, true);
            expected.push(Place::thread(GENERAL, thread.as_str()));
        }
    }
    let (mut found, pages) = all_threads(&rig, &*adapter, GENERAL).await;
    let place = |place: &Place| place.thread.clone().map(|thread| thread.to_string());
    found.sort_by_key(place);
    expected.sort_by_key(place);
    assert_eq!(found, expected);
    assert_eq!(pages, 3, "both lists go on together");
    assert_eq!(
        read_all(&*adapter, &expected[0], "0").await.len(),
        1,
        "an archived thread is read like any other"
    );
}

#[tokio::test]
async fn a_look_over_all_channels_asks_once_for_the_active_threads_of_a_server() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "ops", ChannelKind::Text);
    let adapter = rig.channel("support", &[GENERAL, "2002"]).await;
    let mut expected = Vec::new();
    for looks in 1..=2 {
        adapter.history().unwrap().conversations().await.unwrap();
        let root = rig.discord.post_silently("2002", ADA, "root");
        let thread = rig.discord.user_starts_thread("2002", &root, ADA, "about it");
        rig.discord.post_silently(&thread, ADA, "reply");
        expected.insert(0, Place::thread("2002", thread.as_str()));
        assert!(all_threads(&rig, &*adapter, GENERAL).await.0.is_empty());
        assert_eq!(all_threads(&rig, &*adapter, "2002").await.0, expected);
        assert_eq!(rig.discord.calls("get_active_guild_threads").len(), looks);
    }
}

#[tokio::test]
async fn private_threads_that_are_refused_hide_no_others_and_a_forum_is_not_asked_for_them() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "help", ChannelKind::Forum);
    let adapter = rig.channel("support", &[GENERAL, "2002"]).await;
    let post = rig.discord.user_opens_post("2002", ADA, "how?", "like this?");
    rig.discord.archive(&post, true);
    rig.discord
        .fail_always("list_my_private_archived_threads", Fault::Refused(403, 50001));
    assert_eq!(
        all_threads(&rig, &*adapter, "2002").await.0,
        [Place::thread("2002", post.as_str())]
    );
    assert!(rig.discord.calls("list_my_private_archived_threads").is_empty());
    let root = rig.discord.post_silently(GENERAL, ADA, "root");
    let public = rig.discord.user_starts_thread(GENERAL, &root, ADA, "public");
    rig.discord.post_silently(&public, ADA, "reply");
    rig.discord.archive(&public, true);
    assert_eq!(
        all_threads(&rig, &*adapter, GENERAL).await.0,
        [Place::thread(GENERAL, public.as_str())]
    );
}

#[tokio::test]
async fn an_edited_message_in_history_is_told_as_its_edit_too() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let id = rig.discord.post_silently(GENERAL, ADA, "helo");
    rig.discord.user_edits(GENERAL, &id, "hello");
    let page = poll(&*adapter, &Place::conversation(GENERAL), "0", None)
        .await
        .unwrap();
    let [said, edit] = &page.messages[..] else {
        panic!("{page:?}")
    };
    assert_eq!((&said.kind, &*said.text.raw), (&Kind::Message, "hello"));
    assert!(matches!(edit.kind, Kind::Edit { .. }));
}

#[tokio::test]
async fn without_names_all_that_the_bot_can_see_is_found_and_what_it_cannot_is_no_error() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "hidden", ChannelKind::Text);
    rig.discord.set_visible("2002", false);
    let adapter = rig.channel("open", &[]).await;
    let found = adapter.history().unwrap().conversations().await.unwrap();
    assert!(
        found
            .iter()
            .any(|f| f.place == Place::conversation(GENERAL) && !f.named)
    );
    let hidden = poll(&*adapter, &Place::conversation("2002"), "0", None)
        .await
        .unwrap();
    assert!(hidden.messages.is_empty());
}

#[tokio::test]
async fn a_named_channel_that_cannot_be_read_says_what_to_do() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL, "2002"]).await;
    let lost = poll(&*adapter, &Place::conversation("2002"), "0", None)
        .await
        .unwrap_err();
    assert!(
        matches!(&lost, ChannelError::Rejected(s) if s.contains("channelIds")),
        "{lost}"
    );
    rig.discord.post_silently(GENERAL, ADA, "hello");
    rig.discord.set_readable(GENERAL, false);
    let history = adapter.history().unwrap();
    let lost = history
        .start_from_now(&Place::conversation(GENERAL))
        .await
        .unwrap_err();
    assert!(
        matches!(&lost, ChannelError::Rejected(s) if s.contains("Read Message History")),
        "an empty history is not taken for one: {lost}"
    );
}

#[tokio::test]
async fn of_a_server_that_is_named_all_channels_are_read_and_nothing_else() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2009", "ideas", ChannelKind::Forum);
    let mut context = rig.context("support", &[]);
    context.settings.guild = Some(GUILD.to_owned());
    context.settings.senders = Some(vec![ADA.to_owned()]);
    let adapter = rig.connected(context).await;
    let history = adapter.history().unwrap();
    let found = history.conversations().await.unwrap();
    let mut ids: Vec<_> = found.iter().map(|one| one.place.conversation.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [GENERAL, "2009"]);
    assert_eq!(history.directs(&[]).await.unwrap(), []);
}
