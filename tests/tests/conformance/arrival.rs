//! What arrives, and in which order.

use std::time::Duration;

use kata_testkit::{SLUG, host::Policy};

use crate::fake::{Fake, Pushes, Scene, asked, numbered, received, text_of, turn_of};

pub(crate) async fn the_first_contact_makes_no_work_of_what_was_there<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    scene.fake.said_ago(here, "long ago", Duration::from_secs(3600));
    let host = scene.play().await;
    scene.fake.wait_read(2).await;
    scene.fake.says(here, "hello");
    assert_eq!(scene.fake.wait_text("hello").await.place, here);
    assert_eq!(asked::<F>(&host), ["hello"]);
}

/// Two pages and a half.
pub(crate) async fn what_came_while_the_daemon_was_down_is_read_page_by_page_in_order<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, there, _] = F::PLACES;
    let host = scene.play().await;
    for place in [here, there] {
        scene.fake.says(place, &format!("before in {place}"));
        scene.fake.wait_text(&format!("before in {place}")).await;
    }
    host.stop().await;
    let (long, short) = (numbered("missed", F::PAGE * 5 / 2), numbered("elsewhere", 3));
    long.iter()
        .for_each(|text| _ = scene.fake.says_unheard(here, text));
    short
        .iter()
        .for_each(|text| _ = scene.fake.says_unheard(there, text));
    let host = scene.play().await;
    scene.fake.wait_posted(2 + long.len() + short.len()).await;
    assert_eq!(scene.said_in(here)[1..], long);
    assert_eq!(scene.said_in(there)[1..], short);
    assert_eq!(host.turns().len(), long.len() + short.len());
}

pub(crate) async fn what_is_told_twice_and_read_again_is_one_turn<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    scene.fake.stutter();
    let host = scene.play().await;
    let texts = numbered("message", 20);
    let (first, second) = texts.split_at(10);
    first.iter().for_each(|text| _ = scene.fake.says(here, text));
    scene.fake.wait_text("message 9").await;
    // The next link reads what the last one was told.
    let links = scene.fake.links();
    scene.fake.cut();
    second.iter().for_each(|text| _ = scene.fake.says(here, text));
    scene.fake.wait_links(links + 1).await;
    let last = scene.fake.says(here, "last");
    received(&host, &last).await;
    scene.fake.wait_text("last").await;
    assert_eq!(scene.said(), [texts, vec!["last".to_owned()]].concat());
    assert_eq!(host.turns().len(), 21);
}

pub(crate) async fn conversations_run_side_by_side_and_each_in_order<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, there, unserved] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    scene.fake.says(unserved, "nobody listens");
    for text in ["one", "two"] {
        scene.fake.says(here, &format!("{text} here"));
        scene.fake.says(there, &format!("{text} there"));
    }
    let mut turns = host.wait_turns(2).await;
    turns.sort_by(|a, b| a.content.cmp(&b.content));
    let asked: Vec<String> = turns.iter().map(text_of::<F>).collect();
    assert_eq!(asked, ["one here", "one there"]);
    assert_ne!(turns[0].session_key, turns[1].session_key);
    host.set_policy(Policy::echo());
    turns
        .iter()
        .for_each(|turn| host.answer(turn.message_id, &turn.content));
    scene.fake.wait_posted(4).await;
    assert_eq!(scene.said_in(here), ["one here", "two here"]);
    assert_eq!(scene.said_in(there), ["one there", "two there"]);
}

pub(crate) async fn a_thread_is_a_session_of_its_own_and_is_answered_there<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.play().await;
    let root = scene.fake.says(here, "root");
    assert_eq!(scene.fake.wait_text("root").await.place, here);
    let thread = scene.fake.opens_thread(here, &root, "in the thread");
    assert_eq!(scene.fake.wait_text("in the thread").await.place, thread);
    let turns = host.turns();
    assert_ne!(turns[0].session_key, turns[1].session_key);
}

pub(crate) async fn what_was_said_in_a_thread_while_the_daemon_was_down_is_read<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.play().await;
    let root = scene.fake.says(here, "root");
    scene.fake.wait_text("root").await;
    let thread = scene.fake.opens_thread(here, &root, "in the thread");
    scene.fake.wait_text("in the thread").await;
    host.stop().await;
    scene.fake.says_unheard_in_thread(&thread, "still there?");
    let _host = scene.play().await;
    assert_eq!(scene.fake.wait_text("still there?").await.place, thread);
}

pub(crate) async fn a_reset_begins_a_new_session_for_good<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.play().await;
    for text in ["before", "  Start   OVER ", "after"] {
        scene.fake.says(here, text);
    }
    scene.fake.wait_text("after").await;
    let keys: Vec<String> = host.turns().into_iter().map(|t| t.session_key).collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
    host.stop().await;
    let host = scene.play().await;
    scene.fake.says(here, "later");
    assert_eq!(turn_of::<F>(&host, "later").await.session_key, keys[1]);
}

pub(crate) async fn a_reset_is_a_text_like_any_other<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.play().await;
    let texts = ["before", "/reset", "start over", "/stop", "after"];
    texts.iter().for_each(|text| _ = scene.fake.says(here, text));
    scene.fake.wait_text("after").await;
    assert_eq!(scene.said_in(here), texts);
    let turns = host.turns();
    assert!(turns.iter().all(|turn| turn.session_key == turns[0].session_key));
}

pub(crate) async fn a_deletion_of_what_waits_withdraws_it<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    scene.fake.says(here, "first");
    let turn = turn_of::<F>(&host, "first").await;
    let regret = scene.fake.says(here, "regret");
    received(&host, &regret).await;
    scene.fake.deletes(here, &regret);
    // What comes after it in the same conversation is stored after it.
    let last = scene.fake.says(here, "last");
    received(&host, &last).await;
    host.set_policy(Policy::echo());
    host.answer(turn.message_id, "first");
    scene.fake.wait_text("last").await;
    assert_eq!(scene.said(), ["first", "last"]);
}

pub(crate) async fn what_is_deleted_before_it_is_read_is_no_turn<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.play().await;
    scene.fake.says(here, "before");
    scene.fake.wait_text("before").await;
    host.stop().await;
    let regret = scene.fake.says_unheard(here, "regret");
    scene.fake.says_unheard(here, "missed");
    scene.fake.deletes(here, &regret);
    let host = scene.play().await;
    scene.fake.wait_text("missed").await;
    assert_eq!(asked::<F>(&host), ["missed"]);
}

pub(crate) async fn an_edit_of_what_waits_replaces_it<F: Pushes>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    let first = scene.fake.says(here, "first");
    let turn = turn_of::<F>(&host, "first").await;
    let typo = scene.fake.says(here, "tpyo");
    received(&host, &typo).await;
    scene.fake.edits(here, &typo, "typo");
    // Too late for this one: its turn has begun.
    scene.fake.edits(here, &first, "first, edited");
    // What comes after them in the same conversation is stored after them.
    let last = scene.fake.says(here, "last");
    received(&host, &last).await;
    host.set_policy(Policy::echo());
    host.answer(turn.message_id, "first");
    scene.fake.wait_text("last").await;
    assert_eq!(scene.said(), ["first", "typo", "last"]);
}

pub(crate) async fn machines_and_our_own_words_are_no_turns<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.play().await;
    scene.fake.says(here, "hello");
    scene.fake.wait_text("hello").await;
    scene.fake.babbles(here);
    scene.fake.says(here, "last");
    scene.fake.wait_text("last").await;
    // History has them all.
    let links = scene.fake.links();
    scene.fake.cut();
    scene.fake.wait_links(links + 1).await;
    scene.fake.says(here, "again");
    scene.fake.wait_text("again").await;
    assert_eq!(asked::<F>(&host), ["hello", "last", "again"]);
}

pub(crate) async fn a_shared_file_is_fetched_for_its_turn<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    scene.fake.shares(here, "read this", "notes 1.txt", "the content");
    let turn = turn_of::<F>(&host, "read this").await;
    let path = turn.metadata["attachments"][0]["path"].as_str();
    let path = path.unwrap_or_else(|| panic!("no path in {}", turn.metadata));
    assert!(path.contains("attachments"), "{path}");
    assert_eq!(std::fs::read(path).expect("the file"), b"the content");
    assert_eq!(turn.channel_id, SLUG);
}

pub(crate) async fn a_shared_file_is_named_in_its_turn_and_not_fetched<F: Fake>() {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    let host = scene.up(scene.start().policy(Policy::silent())).await;
    scene.fake.shares(here, "read this", "notes 1.txt", "the content");
    let turn = host.wait_turns(1).await.remove(0);
    let text = text_of::<F>(&turn);
    assert!(text.starts_with("read this"), "{text}");
    assert!(text.contains("notes 1.txt (text/plain, 11 bytes)"), "{text}");
    assert!(turn.metadata["attachments"].is_null(), "{}", turn.metadata);
}
