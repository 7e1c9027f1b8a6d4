//! Databases with very many rows, made through the store as the daemon makes them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use jiff::Timestamp;
use kata_store::{Admit, Arrival, ChannelId, Claim, Effect, NewMessage, OpenOptions, Store, UnixMs};
use serde_json::json;

use crate::lab::{Lab, SLUG, USER, WORKSPACE, conversations};

/// Rows that are stored in one transaction.
const AT_ONCE: usize = 5_000;
/// The log is moved into the file after so many transactions.
const CHECKPOINT: usize = 20;
/// A kept database is made anew after this: the daemon would begin to delete its rows.
const KEEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What is to be in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Messages that wait for a turn.
    Pending,
    /// Messages that are done.
    Processed,
}

/// A config directory with so many rows, from the last time or made now.
pub(crate) fn kept(lab: &Lab, rows: Rows, count: usize) -> Result<PathBuf> {
    let name = format!("{rows:?}-{count}").to_lowercase();
    let home = lab.kept_home(&name);
    let complete = home.join("complete");
    let age = fs::metadata(&complete)
        .and_then(|file| file.modified())
        .map(|made| made.elapsed().unwrap_or_default());
    if age.is_ok_and(|age| age < KEEP) {
        return Ok(home);
    }
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home)?;
    fill(lab, &home, &conversations(1_000), rows, count)?;
    fs::write(complete, [])?;
    Ok(home)
}

/// Stores so many rows, spread over the conversations.
pub(crate) fn fill(lab: &Lab, home: &Path, names: &[String], rows: Rows, count: usize) -> Result<()> {
    lab.runtime.block_on(async {
        let store = open(home)?;
        let channel = store.channel(WORKSPACE, SLUG).await?.id;
        let mut at = Timestamp::now().as_microsecond() - i64::try_from(count)?;
        let mut left = count;
        let mut transactions = 0;
        while left > 0 {
            let some = left.min(AT_ONCE);
            let arrivals = (0..some)
                .map(|_| {
                    at += 1;
                    let name = usize::try_from(at).map_or(0, |at| at % names.len());
                    arrival(&names[name], at, rows)
                })
                .collect();
            store.admit(admit(channel, arrivals)).await?;
            left -= some;
            transactions += 1;
            if transactions % CHECKPOINT == 0 {
                store.checkpoint().await?;
            }
        }
        store.close().await?;
        Ok(())
    })
}

/// Whether all that was ever stored is done.
pub(crate) fn nothing_waits(lab: &Lab, home: &Path) -> Result<bool> {
    lab.runtime.block_on(async {
        let store = open(home)?;
        let channel = store.channel(WORKSPACE, SLUG).await?.id;
        let next = store.claim(vec![(channel, 1)]).await?;
        store.close().await?;
        Ok(matches!(next, Claim::Nothing { next_due: None }))
    })
}

fn open(home: &Path) -> Result<Store> {
    let options = OpenOptions {
        session_key: |slug, workspace, thread_key, generation| {
            format!("{slug}:{workspace}:{thread_key}:{generation}")
        },
        lane: |conversation, thread| format!("{conversation}/{}", thread.unwrap_or_default()),
        now: Arc::new(|| UnixMs(Timestamp::now().as_millisecond())),
        min_free_bytes: 0,
        max_waiting_rows: 2_000_000,
        max_attempts: 5,
        max_lease_attempts: 2,
        audit_head: None,
    };
    let opened = Store::open(&home.join("daemon.db"), options).context("the database cannot be opened")?;
    Ok(opened.store)
}

fn admit(channel: ChannelId, arrivals: Vec<Arrival>) -> Admit {
    Admit {
        channel,
        arrivals,
        cursor: None,
    }
}

/// A message of Slack's, of the size of a sentence. `at` is in microseconds, and its id.
fn arrival(conversation: &str, at: i64, rows: Rows) -> Arrival {
    let content = format!("what became of the thing that we spoke about at {at}, and who has seen it last?");
    let metadata =
        json!({"slackChannel": conversation, "team": "T0KATA0001", "sender": USER, "senderName": "ada"});
    let message = NewMessage {
        conversation: conversation.to_owned(),
        thread: None,
        platform_id: format!("{}.{:06}", at / 1_000_000, at % 1_000_000),
        order: at,
        lane: conversation.to_owned(),
        thread_key: conversation.to_owned(),
        sender: USER.to_owned(),
        role: "member".to_owned(),
        prompt: content.clone(),
        content,
        source: "slack".to_owned(),
        sent_at: UnixMs(at / 1_000),
        reply_thread: None,
        metadata: metadata.as_object().cloned().unwrap_or_default(),
        not_before: None,
        ready: true,
        has_files: false,
        alone: false,
        secret_until: None,
    };
    match rows {
        Rows::Pending => Arrival::Turn(message),
        Rows::Processed => Arrival::Consumed {
            message,
            effect: Effect::Skip {
                reason: "measured only".to_owned(),
            },
        },
    }
}
