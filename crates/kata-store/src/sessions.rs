//! The operations of the handle on sessions and on what is remembered of them, each one transaction.

use crate::{
    Answer, ChannelId, Compaction, Expired, Finished, KeptEntry, Record, Retention, SessionName, SessionView,
    Store, StoreError, expire, reset, session, transcript, turn_end, view,
};

impl Store {
    /// [`finish`](Self::finish), with what the turn adds to its session. It is added once, with the first success.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn finish_recorded(
        &self,
        turn: i64,
        answer: Option<Answer>,
        record: Record,
    ) -> Result<Finished, StoreError> {
        self.write("finish", move |tx| turn_end::finish(tx, turn, answer, &record))
            .await
    }

    /// What the agent of a session is shown: a summary, if there is one, and what was said since, oldest first.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn transcript(
        &self,
        channel: ChannelId,
        session_key: &str,
    ) -> Result<Vec<KeptEntry>, StoreError> {
        let key = session_key.to_owned();
        self.read(move |conn| transcript::shown(conn, channel, &key))
            .await
    }

    /// Puts a summary in the place of the oldest entries of a transcript, and archives those. False if the transcript is
    /// another one by now: then nothing changed, and it is to be read again.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn compact(&self, compaction: Compaction) -> Result<bool, StoreError> {
        self.write("compact", move |tx| transcript::compact(tx, &compaction))
            .await
    }

    /// One session, if it is known.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn session(
        &self,
        channel: ChannelId,
        session_key: &str,
    ) -> Result<Option<SessionView>, StoreError> {
        let key = session_key.to_owned();
        self.read(move |conn| view::session(conn, channel, &key)).await
    }

    /// Ends a session: the next message of its lane starts a fresh one. None if the session is unknown or over.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn reset_session(
        &self,
        workspace: &str,
        session_key: &str,
    ) -> Result<Option<SessionName>, StoreError> {
        let (workspace, key) = (workspace.to_owned(), session_key.to_owned());
        self.write("reset", move |tx| reset::reset_session(tx, &workspace, &key))
            .await
    }

    /// Names a session for people; an empty title is none. Its key stays. False if there is no such session.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn set_session_title(
        &self,
        workspace: &str,
        session_key: &str,
        title: &str,
    ) -> Result<bool, StoreError> {
        let (workspace, key, title) = (workspace.to_owned(), session_key.to_owned(), title.to_owned());
        self.write("title", move |tx| {
            session::set_title(tx, &workspace, &key, &title)
        })
        .await
    }

    /// One small step of the end of sessions in which nobody talked for as long as anything is kept
    /// ([`Retention::processed`]), and of deleting what was said in those that are over.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn expire_sessions(&self, retention: &Retention) -> Result<Expired, StoreError> {
        let retention = *retention;
        self.write("expire_sessions", move |tx| expire::expire(tx, &retention))
            .await
    }
}
