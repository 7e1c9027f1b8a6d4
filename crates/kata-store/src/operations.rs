//! The operations of the handle, each one transaction: the table of contents of this crate.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::{
    Admit, Adopted, Answer, Channel, ChannelId, Claim, Failed, Failure, Finished, NoticeFn, OutClaim,
    Outcome, Record, Retention, Retried, Room, Settle, Settled, Store, StoreError, Swept, Take, UnixMs,
    admit, adopt, attempt, cancel, channel, claim, cursor, notice, outbox, settle, sign, state, sweep,
    turn_end, writer::Message,
};

impl Store {
    // === channels ===

    /// The channel (workspace, slug), made when it is new. The first workspace that configures a slug inherits the
    /// cursors that the 0.7 daemon kept for it (D24); messages that that daemon ended lately are known from here on.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn channel(&self, workspace: &str, slug: &str) -> Result<Channel, StoreError> {
        let (workspace, slug) = (workspace.to_owned(), slug.to_owned());
        self.write("channel", move |tx| channel::configure(tx, &workspace, &slug))
            .await
    }

    /// Pauses a channel's turns, or lets them go on. Durable.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn set_paused(&self, channel: ChannelId, paused: bool) -> Result<(), StoreError> {
        self.write("channel", move |tx| channel::set_paused(tx, channel, paused))
            .await
    }

    // === in ===

    /// Takes what arrived, and how far history was read, in one transaction (D2, D3).
    ///
    /// # Errors
    /// [`StoreError::Full`] and [`StoreError::Backlog`] while there is no room: then nothing was taken (D6).
    pub async fn admit(&self, admit: Admit) -> Result<Vec<Outcome>, StoreError> {
        self.write("admit", move |tx| admit::admit(tx, admit)).await
    }

    /// How far a place's history has been read.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn cursor(
        &self,
        channel: ChannelId,
        conversation: &str,
        thread: Option<&str>,
    ) -> Result<Option<String>, StoreError> {
        let (conversation, thread) = (conversation.to_owned(), thread.map(str::to_owned));
        self.read(move |conn| cursor::find(conn, channel, &conversation, thread.as_deref()))
            .await
    }

    /// The channel's conversations that were ever read or spoken in.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn conversations(&self, channel: ChannelId) -> Result<Vec<String>, StoreError> {
        self.read(move |conn| cursor::conversations(conn, channel)).await
    }

    /// (conversation, thread) with life since then, newest first, at most so many a conversation (D4).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn threads(
        &self,
        channel: ChannelId,
        since: UnixMs,
        per_conversation: usize,
    ) -> Result<Vec<(String, String)>, StoreError> {
        self.read(move |conn| cursor::threads(conn, channel, since, per_conversation))
            .await
    }

    /// Ticks after a commit that may have made a message claimable.
    #[must_use]
    pub fn work(&self) -> watch::Receiver<u64> {
        self.inner().work.clone()
    }

    /// Whether there is room for more messages.
    #[must_use]
    pub fn room(&self) -> watch::Receiver<Room> {
        self.inner().room.clone()
    }

    /// Looks whether there is room, by a small write; [`room`](Self::room) is up to date afterwards.
    ///
    /// # Errors
    /// [`StoreError::Full`] when there is none.
    pub async fn check_room(&self) -> Result<(), StoreError> {
        self.write("room", |tx| {
            tx.disk.require()?;
            tx.run(
                "INSERT INTO kata_meta (key, value) VALUES ('room_checked', ?1)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [tx.now.0.to_string()],
            )?;
            Ok(())
        })
        .await
    }

    // === turns ===

    /// Claims the next turn: of the first channel that has a ready lane the lane whose head is oldest, and from it
    /// messages of one session, up to the number that stands beside the channel (D9, D14).
    ///
    /// # Cancel safety
    /// Not cancel safe: a claim whose future was dropped may have been made all the same. It then stays open until
    /// [`give_back_all`](Self::give_back_all) or the next opening.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn claim(&self, from: impl IntoIterator<Item = impl Into<Take>>) -> Result<Claim, StoreError> {
        let from: Vec<Take> = from.into_iter().map(Into::into).collect();
        self.write("claim", move |tx| claim::claim(tx, &from)).await
    }

    /// Claims the next turn of a task whose channel is not among the `configured` ones (D10). Those of configured channels
    /// are claimed with their other turns, by [`claim`](Self::claim).
    ///
    /// # Cancel safety
    /// As [`claim`](Self::claim).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn claim_task(&self, configured: Vec<ChannelId>) -> Result<Claim, StoreError> {
        self.write("claim_task", move |tx| claim::claim_task(tx, &configured))
            .await
    }

    /// Ends a turn with success, and stores its answer, in one transaction. The first success counts whenever it comes,
    /// also for a turn that was given back or given up (D13, D17).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn finish(&self, turn: i64, answer: Option<Answer>) -> Result<Finished, StoreError> {
        self.finish_recorded(turn, answer, Record::default()).await
    }

    /// Counts an attempt as failed (D11).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn fail(&self, turn: i64, failure: Failure) -> Result<Failed, StoreError> {
        self.write("fail", move |tx| attempt::fail(tx, turn, &failure))
            .await
    }

    /// The agent is busy with this session: the turn is offered again at `again`, uncounted, until it has been so for
    /// `give_up_after`; then it counts as [`fail`](Self::fail) does (D12).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn busy(
        &self,
        turn: i64,
        again: UnixMs,
        give_up_after: Duration,
        failure: Failure,
    ) -> Result<Failed, StoreError> {
        self.write("busy", move |tx| {
            attempt::busy(tx, turn, again, give_up_after, &failure)
        })
        .await
    }

    /// Gives an open turn back, uncounted (D11). No effect on one that is not open.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn give_back(&self, turn: i64) -> Result<(), StoreError> {
        self.write("give_back", move |tx| turn_end::give_back(tx, turn))
            .await
    }

    /// Gives every open turn back, uncounted (D11).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn give_back_all(&self) -> Result<(), StoreError> {
        self.write("give_back", turn_end::give_back_all).await
    }

    /// Ends a turn without an answer; a late answer changes nothing. False if it had ended before.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn cancel(&self, turn: i64, reason: &str) -> Result<bool, StoreError> {
        let reason = reason.to_owned();
        self.write("cancel", move |tx| cancel::cancel(tx, turn, &reason))
            .await
    }

    /// Brings a parked message or answer back, with a fresh count of attempts.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn retry(&self, row: i64) -> Result<Retried, StoreError> {
        self.write("retry", move |tx| cancel::retry(tx, row, None)).await
    }

    /// Ends a parked or waiting message or answer. False if it is neither.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn discard(&self, row: i64) -> Result<bool, StoreError> {
        self.write("discard", move |tx| cancel::discard(tx, row)).await
    }

    /// Says in the conversation that a message was given up, when that happened at opening
    /// ([`Opened::parked`](crate::Opened)). The notice's row; none when one was said within the hour (D22).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn say_parked(&self, row: i64, text: NoticeFn) -> Result<Option<i64>, StoreError> {
        self.write("notice", move |tx| notice::parked(tx, row, &text))
            .await
    }

    // === out ===

    /// Claims the next step of an answer. For a part to send, the attempt mark is durable when this returns (D18).
    ///
    /// # Cancel safety
    /// Not cancel safe: a claim whose future was dropped may have been made all the same, and holds its lane until the
    /// next opening, which takes a part to send for one of unknown outcome.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn claim_out(&self, channels: Vec<ChannelId>) -> Result<OutClaim, StoreError> {
        self.write("claim_out", move |tx| outbox::claim(tx, &channels))
            .await
    }

    /// Replaces an answer by its parts, each with its own key (D17). No parts: the answer ends here.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn prepare(&self, answer: i64, parts: Vec<String>) -> Result<(), StoreError> {
        self.write("prepare", move |tx| outbox::prepare(tx, answer, &parts))
            .await
    }

    /// Ends an answer that is not to be said (D17): nothing of it is sent, and its row keeps the reason.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn withhold(&self, answer: i64, reason: &str) -> Result<(), StoreError> {
        let reason = reason.to_owned();
        self.write("prepare", move |tx| outbox::withhold(tx, answer, &reason))
            .await
    }

    /// Records what became of an attempt. A part that is not being tried stays as it is.
    ///
    /// # Errors
    /// When the store is closed, the database refuses, or there is no such part.
    pub async fn settle(&self, part: i64, settle: Settle) -> Result<Settled, StoreError> {
        self.write("settle", move |tx| settle::settle(tx, part, settle))
            .await
    }

    /// Ticks after a commit that may have made an answer claimable.
    #[must_use]
    pub fn out_work(&self) -> watch::Receiver<u64> {
        self.inner().out.clone()
    }

    // === signs of life, plugin state ===

    /// Notes that a sign of life stands on a message, or that it was taken off (D23). What it says is the caller's.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn set_sign(&self, row: i64, sign: Option<&str>) -> Result<(), StoreError> {
        let sign = sign.map(str::to_owned);
        self.write("sign", move |tx| sign::set(tx, row, sign.as_deref()))
            .await
    }

    /// The signs of life that stand: row, channel, sign.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn open_signs(&self) -> Result<Vec<(i64, ChannelId, String)>, StoreError> {
        self.read(sign::open).await
    }

    /// A plugin's value in a workspace.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn state_get(
        &self,
        plugin: &str,
        workspace: &str,
        key: &str,
    ) -> Result<Option<Value>, StoreError> {
        let place = state::Place::new(plugin, workspace, key);
        self.read(move |conn| state::get(conn, &place)).await
    }

    /// Stores a plugin's value in a workspace.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn state_put(
        &self,
        plugin: &str,
        workspace: &str,
        key: &str,
        value: &Value,
    ) -> Result<(), StoreError> {
        let (place, value) = (state::Place::new(plugin, workspace, key), value.to_string());
        self.write("state", move |tx| state::put(tx, &place, &value))
            .await
    }

    /// Deletes a plugin's value in a workspace.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn state_delete(&self, plugin: &str, workspace: &str, key: &str) -> Result<(), StoreError> {
        let place = state::Place::new(plugin, workspace, key);
        self.write("state", move |tx| state::delete(tx, &place)).await
    }

    // === housekeeping ===

    /// Takes over up to `max` (at most 500) rows that the 0.7 daemon left, by ascending id (D24).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn adopt(&self, max: usize) -> Result<Adopted, StoreError> {
        self.write("adopt", move |tx| adopt::adopt(tx, max)).await
    }

    /// One small step of retention (D25), and of blanking what must not stay (D26).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn sweep(&self, retention: &Retention) -> Result<Swept, StoreError> {
        let retention = *retention;
        self.write("sweep", move |tx| sweep::sweep(tx, &retention)).await
    }

    /// Moves the log into the database file, as far as readers let it.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        self.ask(Message::Checkpoint).await
    }
}
