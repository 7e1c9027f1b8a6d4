//! Pages of a mailbox: by its history, or, where Google has forgotten that, by date.

use std::{collections::HashSet, sync::PoisonError, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use google_gmail1::api::{History, ListHistoryResponse};
use kata_channel::{ChannelError, PollPage, Timestamp};

use super::{
    GmailAdapter,
    late::KNOWN_WITHIN,
    read::{self, Mails, Read},
};
use crate::{cursor::Mark, errors::CallError};

/// Mails of a page of a reading by date: all of them are fetched within one question.
const BATCH: usize = 20;
/// Mails that are fetched at once.
const AT_ONCE: usize = 4;
/// A reading by date that takes the place of forgotten history begins this long before that was last read: Google dates mail by
/// its arrival, and a label may come later. What is read again is known (D2). At the first contact nothing is known, and
/// nothing from before is read.
const OVERLAP: Duration = Duration::from_secs(3600);
/// The time of a cursor may be so old while its history stands still.
const FRESH: Duration = Duration::from_secs(3600);
/// A reading by date that finds more mail reads the newest of it.
const MOST_PAGES: usize = 50;
const PAGE: u32 = 100;
/// Page tokens of ours begin so, and Google's own so.
const BY_DATE: &str = "d:";
const BY_HISTORY: &str = "h:";
/// As `h:`, behind a mail that is not decided: the cursor stays before that.
const BEHIND_ONE: &str = "k:";

/// A reading by date on its way.
#[derive(Debug)]
pub(super) struct Resync {
    /// Oldest first.
    ids: Vec<String>,
    /// Google's search knows seconds; this is exact.
    since: Timestamp,
    /// Where the mailbox's history stood before the first look: what comes later is in the history.
    end: Mark,
}

// === impl GmailAdapter ===

impl GmailAdapter {
    pub(super) async fn page(&self, from: Mark, page: Option<&str>) -> Result<PollPage, ChannelError> {
        match (from.history, page) {
            (_, Some(page)) if page.starts_with(BY_DATE) => self.page_by_date(&page[BY_DATE.len()..]).await,
            (Some(_), None) if self.is_to_look_again(from) => self.look_again(from).await,
            (Some(history), page) => match self.page_by_history(history, from, page).await {
                // Google keeps history for a week at least, and sometimes for less.
                Err(error) if error.status() == Some(404) => self.begin_by_date(from).await,
                page => page.map_err(ChannelError::from),
            },
            (None, _) => self.begin_by_date(from).await,
        }
    }

    async fn page_by_history(
        &self,
        history: u64,
        from: Mark,
        page: Option<&str>,
    ) -> Result<PollPage, CallError> {
        let desk = &self.desk;
        let label = desk.label_id().map_err(|_| CallError::Unreached)?;
        let now = desk.clock.wall();
        let behind = page.and_then(|page| page.strip_prefix(BEHIND_ONE));
        let token = behind.or_else(|| page.and_then(|page| page.strip_prefix(BY_HISTORY)));
        let found = desk.mailbox.api.history(history, label.as_deref(), token).await?;
        let mut mails = self.fetch(ids(&found), true).await?;
        if let Some(label) = &label {
            let later = labelled_later(&found, label);
            // Whoever puts an old mail under the label wants an answer now: it came to this channel now.
            for mail in mails
                .ours
                .iter_mut()
                .filter(|mail| later.contains(mail.id.as_str()))
            {
                mail.sent_at = now;
            }
        }
        let newest = if behind.is_some() {
            None
        } else {
            read_up_to(&found, &mails.late, from, now)
        };
        let prefix = match behind.is_some() || !mails.late.is_empty() {
            true => BEHIND_ONE,
            false => BY_HISTORY,
        };
        let next = found.next_page_token.map(|token| format!("{prefix}{token}"));
        // Where nothing happened nothing is written, but for the time now and then.
        let newest = newest.filter(|mark| mark.history != from.history || now.since(from.at) > FRESH);
        Ok(PollPage {
            messages: mails.ours,
            newest: newest.map(Mark::cursor),
            next,
            contiguous: true,
            threads: Vec::new(),
        })
    }

    /// By now the search knows all that it did not know when we last read by date.
    fn is_to_look_again(&self, from: Mark) -> bool {
        let now = self.desk.clock.wall();
        // The mark holds where the search began: what it may have missed came at most so much later.
        from.again
            .is_some_and(|since| now.since(since) >= 2 * KNOWN_WITHIN)
    }

    /// Reads what the search did not know. Where the mailbox's history stands is no news.
    async fn look_again(&self, from: Mark) -> Result<PollPage, ChannelError> {
        let since = from.again.unwrap_or(from.at);
        let end = Mark { again: None, ..from };
        self.search_since(since, end).await
    }

    /// Finds everything since `from`, no further back than a catch-up reaches (D4), and serves the first of it.
    async fn begin_by_date(&self, from: Mark) -> Result<PollPage, ChannelError> {
        let desk = &self.desk;
        let now = desk.clock.wall();
        let profile = desk.mailbox.api.profile().await?;
        let reach = now - desk.max_age;
        let overlap = from.history.map_or(Duration::ZERO, |_| OVERLAP);
        let since = (from.at - overlap).max(reach);
        let end = Mark {
            history: profile.history_id,
            at: now,
            again: Some(since.max(now - KNOWN_WITHIN)),
        };
        self.search_since(since, end).await
    }

    /// Finds everything since then, oldest first, after which the mailbox is read up to `end`.
    async fn search_since(&self, since: Timestamp, end: Mark) -> Result<PollPage, ChannelError> {
        let desk = &self.desk;
        tracing::info!(channel = %desk.key, "mail is read by date, since {}", since.to_iso());
        let query = desk.search(&format!("after:{}", since.as_millis().div_euclid(1000)));
        let label = desk.label_id()?;
        let mut ids = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let found = desk
                .mailbox
                .api
                .search(&query, label.as_deref(), PAGE, token.as_deref())
                .await?;
            ids.extend(
                found
                    .messages
                    .into_iter()
                    .flatten()
                    .filter_map(|message| message.id),
            );
            token = found.next_page_token;
            if token.is_none() {
                break;
            }
        }
        if token.is_some() {
            tracing::warn!(channel = %desk.key, "there is more mail than can be caught up with: the newest {} are read", ids.len());
        }
        ids.reverse();
        *self.resync.lock().unwrap_or_else(PoisonError::into_inner) = Some(Resync { ids, since, end });
        self.page_by_date("0").await
    }

    async fn page_by_date(&self, offset: &str) -> Result<PollPage, ChannelError> {
        let offset: usize = offset.parse().unwrap_or(0);
        let (batch, last, since, end) = {
            let resync = self.resync.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(resync) = &*resync else {
                return Err(ChannelError::Other(
                    "the reading of mail by date begins anew".into(),
                ));
            };
            let end = resync.ids.len().min(offset + BATCH);
            let batch = resync.ids[offset.min(end)..end].to_vec();
            (batch, end == resync.ids.len(), resync.since, resync.end)
        };
        let mut messages = self.fetch(batch, false).await?.ours;
        messages.retain(|message| message.sent_at >= since);
        Ok(PollPage {
            messages,
            newest: last.then(|| end.cursor()),
            next: (!last).then(|| format!("{BY_DATE}{}", offset + BATCH)),
            contiguous: true,
            threads: Vec::new(),
        })
    }

    /// Reads mails, in their order. `ask` = the query has not chosen them.
    async fn fetch(&self, ids: Vec<String>, ask: bool) -> Result<Mails, CallError> {
        let me = self.desk.mailbox.address().map_err(|_| CallError::Unreached)?;
        stream::iter(ids)
            .map(|id| self.fetch_one(id, ask, &me))
            .buffered(AT_ONCE)
            .try_fold(Mails::default(), |mut mails, read| async {
                match read {
                    Read::Ours(mail) => mails.ours.push(*mail),
                    Read::Late(id) => mails.late.push(id),
                    Read::Nothing => {}
                }
                Ok(mails)
            })
            .await
    }

    async fn fetch_one(&self, id: String, ask: bool, me: &str) -> Result<Read, CallError> {
        let desk = &*self.desk;
        let (message, mail) = match read::fetch(desk, &id).await {
            Ok(fetched) => fetched,
            // It holds up no other.
            Err(error) if error.is_about_one_mail() => {
                tracing::warn!(channel = %desk.key, msg = %id, "a mail cannot be had, and is passed over");
                return Ok(Read::Nothing);
            }
            Err(error) => return Err(error),
        };
        if desk.is_taken_back(&message) {
            let deletion = read::taken_back(desk, &message);
            return Ok(deletion.map_or(Read::Nothing, |deletion| Read::Ours(Box::new(deletion))));
        }
        if !desk.may_serve(&message) {
            return Ok(Read::Nothing);
        }
        let Ok(mail) = mail else {
            tracing::warn!(channel = %desk.key, msg = %id, "a mail cannot be read, and is passed over");
            return Ok(Read::Nothing);
        };
        if ask && !desk.serves(&message, mail.message_id.as_deref()).await? {
            return Ok(match self.unmatched.may_be_late(&id, desk.clock.wall()) {
                true => Read::Late(id),
                false => Read::Nothing,
            });
        }
        let inbound = read::inbound(desk, me, &message, mail);
        Ok(inbound.map_or(Read::Nothing, |inbound| Read::Ours(Box::new(inbound))))
    }
}

/// How far a page of history has been read: to its end, or to before the first mail that is not decided.
fn read_up_to(found: &ListHistoryResponse, late: &[String], from: Mark, now: Timestamp) -> Option<Mark> {
    let records = found.history.iter().flatten();
    let is_decided = |record: &&History| !added(record).iter().any(|id| late.contains(id));
    match (late.is_empty(), &found.next_page_token) {
        (true, None) => found.history_id.map(|id| Mark {
            history: Some(id),
            at: now,
            ..from
        }),
        _ => records
            .take_while(is_decided)
            .filter_map(|record| record.id)
            .max()
            .map(|id| Mark {
                history: Some(id),
                ..from
            }),
    }
}

/// The mails that a page of history names, each once, in its order.
fn ids(found: &ListHistoryResponse) -> Vec<String> {
    let mut seen = HashSet::new();
    let records = found.history.iter().flatten();
    let ids = records.flat_map(added).filter(|id| seen.insert(id.clone()));
    ids.collect()
}

/// The mails that were in the mailbox, and got this label now.
fn labelled_later<'h>(found: &'h ListHistoryResponse, label: &str) -> HashSet<&'h str> {
    let records = || found.history.iter().flatten();
    let new = records().flat_map(|record| record.messages_added.iter().flatten());
    let new: HashSet<&str> = new.filter_map(|it| it.message.as_ref()?.id.as_deref()).collect();
    records()
        .flat_map(|record| record.labels_added.iter().flatten())
        .filter(|it| it.label_ids.iter().flatten().any(|one| one == label))
        .filter_map(|it| it.message.as_ref()?.id.as_deref())
        .filter(|id| !new.contains(id))
        .collect()
}

fn added(record: &History) -> Vec<String> {
    let new = record.messages_added.iter().flatten().map(|it| &it.message);
    let labelled = record.labels_added.iter().flatten().map(|it| &it.message);
    new.chain(labelled)
        .filter_map(|message| message.as_ref()?.id.clone())
        .collect()
}
