//! The operations of scheduled tasks.

use tokio::sync::watch;

use crate::{
    Created, Fire, FireEnd, FireEnded, FireView, Fired, FiredBy, NewTask, Skipped, Store, StoreError, Task,
    TaskFilter, UnixMs, View, task,
};

impl Store {
    // === tasks ===

    /// Makes a task, armed.
    ///
    /// # Errors
    /// [`StoreError::Full`] while there is no room; otherwise when the store is closed or the database refuses.
    pub async fn create_task(&self, new: NewTask) -> Result<Created, StoreError> {
        self.write("create_task", move |tx| task::create(tx, &new)).await
    }

    /// Cancels a task: it is gone. A run that was claimed goes on. False if there is no such task.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn cancel_task(&self, id: i64) -> Result<bool, StoreError> {
        self.write("cancel_task", move |tx| task::cancel(tx, id)).await
    }

    /// Pauses a task, or arms it, with no failures behind it. `next_run`: when it runs next; none: as before. False if
    /// there is no such task.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn set_task_enabled(
        &self,
        id: i64,
        enabled: bool,
        next_run: Option<UnixMs>,
    ) -> Result<bool, StoreError> {
        self.write("set_task", move |tx| task::set_enabled(tx, id, enabled, next_run))
            .await
    }

    /// Leaves a task alone until somebody resumes it, for the failures of its turns. True once: then somebody is to be
    /// told.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn park_task(&self, id: i64, reason: &str) -> Result<bool, StoreError> {
        let reason = reason.to_owned();
        self.write("park_task", move |tx| task::park(tx, id, &reason))
            .await
    }

    /// A task.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn task(&self, id: i64) -> Result<Option<Task>, StoreError> {
        self.read(move |conn| task::one(conn, id)).await
    }

    /// Tasks, the newest first, with ids below `before`.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn tasks(
        &self,
        filter: TaskFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Task>, StoreError> {
        self.read(move |conn| task::list(conn, &filter, before, limit))
            .await
    }

    /// Has an armed task run at `to` instead of later; nothing else of it changes. False if it is not armed, or for no later
    /// time.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn bring_task_forward(&self, id: i64, to: UnixMs) -> Result<bool, StoreError> {
        self.write("set_task", move |tx| task::bring_forward(tx, id, to))
            .await
    }

    // === runs ===

    /// The armed tasks whose time has come, the one that is due longest first. One whose stored time cannot be read is
    /// returned when nothing else is due.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn due_tasks(&self, now: UnixMs, limit: usize) -> Result<Vec<Task>, StoreError> {
        self.read(move |conn| task::due(conn, now, limit)).await
    }

    /// When the first armed task is due: one lookup, however many there are.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn next_task_due(&self) -> Result<Option<UnixMs>, StoreError> {
        self.read(task::next_due).await
    }

    /// When the first armed task is due after this time: for whoever has seen to what is due by then, all but what has to
    /// wait. One lookup.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn next_task_due_after(&self, now: UnixMs) -> Result<Option<UnixMs>, StoreError> {
        self.read(move |conn| task::next_due_after(conn, now)).await
    }

    /// Ticks after a commit that may have changed when the first task is due, or that ended a run.
    #[must_use]
    pub fn task_work(&self) -> watch::Receiver<u64> {
        self.inner().tasks.clone()
    }

    /// Claims a run, moves its task on, and opens its turn, in one transaction: whatever happens afterwards, this run is
    /// never made again, and none is forgotten. After it [`work`](Self::work) has ticked if there is a turn.
    ///
    /// # Cancel safety
    /// Not cancel safe for an action: a run whose future was dropped may have been claimed all the same. It then counts as
    /// failed after the next opening, and holds its task until then.
    ///
    /// # Errors
    /// [`StoreError::Full`] while there is no room: then nothing was claimed.
    pub async fn fire(&self, fire: Fire) -> Result<Fired, StoreError> {
        self.write("fire", move |tx| task::fire(tx, &fire)).await
    }

    /// Ends a run that is no turn. A turn's run ends with its row, in the same transaction.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn end_fire(&self, fire: i64, end: FireEnd) -> Result<FireEnded, StoreError> {
        self.write("end_fire", move |tx| task::end(tx, fire, &end)).await
    }

    /// Records runs that were missed and are not made up for, and moves their task on. False if there is no such task, or
    /// it is not armed.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn record_skipped(&self, skipped: Skipped) -> Result<bool, StoreError> {
        self.write("skip", move |tx| task::skip(tx, &skipped)).await
    }

    /// A task's runs, the newest first, with slots below `before`.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn fires(
        &self,
        task: i64,
        before: Option<UnixMs>,
        limit: usize,
    ) -> Result<Vec<FireView>, StoreError> {
        self.read(move |conn| task::fires(conn, task, before, limit))
            .await
    }

    /// The run whose turn a message row is; none for any other row.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn fired_by(&self, message: i64) -> Result<Option<FiredBy>, StoreError> {
        self.read(move |conn| task::fired_by(conn, message)).await
    }
}

impl View {
    /// See [`Store::task`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn task(&self, id: i64) -> Result<Option<Task>, StoreError> {
        task::one(self.conn(), id)
    }

    /// See [`Store::tasks`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn tasks(
        &self,
        filter: &TaskFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Task>, StoreError> {
        task::list(self.conn(), filter, before, limit)
    }

    /// See [`Store::fires`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn fires(
        &self,
        task: i64,
        before: Option<UnixMs>,
        limit: usize,
    ) -> Result<Vec<FireView>, StoreError> {
        task::fires(self.conn(), task, before, limit)
    }
}
