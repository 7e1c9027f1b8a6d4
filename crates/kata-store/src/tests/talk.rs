//! What the tests of sessions and transcripts share.

use crate::{
    Answer, ChannelId, Compaction, KeptEntry, NewEntry, NewMessage, Record, SessionView, Speaker, Store,
    UnixMs,
};

use super::support::{START, claim, message, push};

/// The session of the messages that are pushed here.
pub(super) const KEY: &str = "s:w:C1:r0";

pub(super) fn said(speaker: Speaker, text: &str) -> NewEntry {
    NewEntry {
        speaker,
        name: (speaker == Speaker::People).then(|| "Ada".to_owned()),
        text: text.to_owned(),
        at: UnixMs(START),
        tokens: None,
    }
}

/// A question and its answer.
pub(super) fn exchange(n: i64) -> Record {
    Record {
        entries: vec![
            said(Speaker::People, &format!("question {n}")),
            said(Speaker::Agent, &format!("answer {n}")),
        ],
        tokens: 10,
        usage: None,
    }
}

/// Message `n`, claimed and answered.
pub(super) async fn exchanged(store: &Store, channel: ChannelId, n: i64) {
    turn(store, channel, message("C1", n), exchange(n)).await;
}

pub(super) async fn turn(store: &Store, channel: ChannelId, message: NewMessage, record: Record) {
    push(store, channel, message).await;
    let turn = claim(store, channel).await.unwrap();
    let answer = Answer {
        content: "a".to_owned(),
        parts: None,
    };
    store
        .finish_recorded(turn.id, Some(answer), record)
        .await
        .unwrap();
}

pub(super) async fn shown(store: &Store, channel: ChannelId) -> Vec<KeptEntry> {
    store.transcript(channel, KEY).await.unwrap()
}

pub(super) async fn texts(store: &Store, channel: ChannelId) -> Vec<String> {
    let shown = shown(store, channel).await;
    shown.into_iter().map(|kept| kept.entry.text).collect()
}

/// A summary of the oldest `n` entries.
pub(super) fn fold(channel: ChannelId, shown: &[KeptEntry], n: usize, text: &str) -> Compaction {
    Compaction {
        channel,
        session_key: KEY.to_owned(),
        folded: shown.iter().take(n).map(|kept| kept.id).collect(),
        summary: said(Speaker::Summary, text),
        tokens: 7,
    }
}

pub(super) async fn session(store: &Store, channel: ChannelId) -> SessionView {
    store.session(channel, KEY).await.unwrap().unwrap()
}
