//! The one thread that writes. Operations that wait together are committed together: one `fsync` for all of them.

use std::path::PathBuf;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    OpenOptions, Room, StoreError,
    audit::HeadFile,
    job::Job,
    kill::{self, When},
    room::Disk,
    tx::{Memo, Tx, Wake},
};

/// How many operations share a commit at most: beyond this the gain is small and the first ones wait too long.
const BATCH: usize = 256;

/// What is asked of the writer.
pub(crate) enum Message {
    /// An operation.
    Work(Box<dyn Job>),
    /// Move what is in the write-ahead log into the database file.
    Checkpoint(oneshot::Sender<Result<(), StoreError>>),
    /// Finish, checkpoint and end.
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// What the writer tells the world after a commit.
#[derive(Debug)]
pub(crate) struct Signals {
    pub(crate) work: watch::Sender<u64>,
    pub(crate) out: watch::Sender<u64>,
    pub(crate) tasks: watch::Sender<u64>,
    pub(crate) room: watch::Sender<Room>,
}

impl Signals {
    fn wake(&self, wake: &Wake) {
        for (sender, _) in [
            (&self.work, wake.work),
            (&self.out, wake.out),
            (&self.tasks, wake.tasks),
        ]
        .iter()
        .filter(|(_, due)| *due)
        {
            sender.send_modify(|n| *n = n.wrapping_add(1));
        }
    }
}

/// The writer thread's state.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) options: OpenOptions,
    pub(crate) disk: Disk,
    pub(crate) queue: mpsc::Receiver<Message>,
    pub(crate) signals: Signals,
    pub(crate) memo: Memo,
    /// Where the head of the audit is written to.
    pub(crate) head: Option<HeadFile>,
    /// Left for the next start when the file is found damaged.
    pub(crate) suspect: PathBuf,
}

impl Writer {
    /// Works until it is closed, or until nobody is left to ask.
    pub(crate) fn run(mut self) {
        while let Some(message) = self.queue.blocking_recv() {
            let mut jobs = Vec::new();
            let mut next = Some(message);
            while let Some(message) = next.take() {
                match message {
                    Message::Work(job) => jobs.push(job),
                    Message::Checkpoint(reply) => {
                        self.batch(std::mem::take(&mut jobs));
                        let _ = reply.send(self.checkpoint());
                    }
                    Message::Close(reply) => {
                        self.batch(jobs);
                        let _ = reply.send(self.checkpoint());
                        return;
                    }
                }
                if jobs.len() < BATCH {
                    next = self.queue.try_recv().ok();
                }
            }
            self.batch(jobs);
        }
    }

    /// Runs the operations in one transaction and answers all of them.
    fn batch(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        if jobs.is_empty() {
            return;
        }
        let mut wake = Wake::default();
        let committed = self
            .commit(&mut jobs, &mut wake)
            .map_err(|error| self.disk.explain(error));
        if let Err(error) = &committed {
            self.abandon(error);
        }
        self.publish_room(&committed);
        if wake.audit
            && committed.is_ok()
            && let Some(head) = &mut self.head
        {
            head.write(&self.conn, (self.options.now)());
        }
        // Woken before it is answered: whoever has the answer in hand finds the signal given.
        if committed.is_ok() {
            self.signals.wake(&wake);
        }
        for job in jobs {
            job.reply(committed.clone().map(|_| ()));
        }
    }

    /// One transaction. Ok: all that succeeded in its savepoint is durable; carries the first lack of room met.
    fn commit(
        &mut self,
        jobs: &mut [Box<dyn Job>],
        wake: &mut Wake,
    ) -> Result<Option<StoreError>, StoreError> {
        let names: Vec<_> = jobs.iter().map(|job| job.name()).collect();
        self.execute("BEGIN IMMEDIATE")?;
        let mut full = None;
        for job in jobs {
            if let Some(error) = self.step(job.as_mut(), wake)? {
                full.get_or_insert(error);
            }
        }
        kill::pass(&names, When::Before);
        kill::refuse(&names)?;
        self.execute("COMMIT")?;
        kill::pass(&names, When::After);
        Ok(full)
    }

    /// One operation in its savepoint. Ok(Some): it met a lack of room. Err: SQLite gave up the whole transaction.
    fn step(&mut self, job: &mut dyn Job, wake: &mut Wake) -> Result<Option<StoreError>, StoreError> {
        self.execute("SAVEPOINT job")?;
        let mut tx = Tx {
            conn: &self.conn,
            options: &self.options,
            disk: &self.disk,
            now: (self.options.now)(),
            wake,
            memo: &mut self.memo,
        };
        let failed = job.run(&mut tx).err();
        if let Some(error) = &failed {
            // On some errors (disk full, I/O) SQLite rolls back by itself, and all before in this batch is gone too.
            if self.conn.is_autocommit() {
                return Err(error.clone());
            }
            self.note_damage(error);
            self.execute("ROLLBACK TO job")?;
        }
        self.execute("RELEASE job")?;
        Ok(failed.filter(|error| matches!(error, StoreError::Full { .. })))
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// The transaction failed as a whole: nothing of it must stay open.
    fn abandon(&self, error: &StoreError) {
        self.note_damage(error);
        tracing::error!(error = error as &dyn std::error::Error, "a transaction failed");
        if !self.conn.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the failed transaction cannot be rolled back"
            );
        }
    }

    /// Damage cannot be repaired under a running daemon: the next start examines the file.
    fn note_damage(&self, error: &StoreError) {
        if let StoreError::Damaged(_) = error
            && let Err(error) = std::fs::write(&self.suspect, [])
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the damage cannot be noted for the next start"
            );
        }
    }

    /// Room is what the last transaction and the disk say together, so a full store recovers by itself.
    fn publish_room(&self, committed: &Result<Option<StoreError>, StoreError>) {
        let lack = match committed {
            Ok(Some(error)) | Err(error) => Some(error.clone()),
            Ok(None) if *self.signals.room.borrow() != Room::Enough => self.disk.require().err(),
            Ok(None) => return,
        };
        let room = match lack {
            Some(StoreError::Full { reason }) => Room::Full { reason },
            Some(_) => return,
            None => Room::Enough,
        };
        self.signals
            .room
            .send_if_modified(|now| std::mem::replace(now, room.clone()) != room);
    }

    /// Readers are given a moment to finish, no more: the log is moved as far as they let us.
    fn checkpoint(&self) -> Result<(), StoreError> {
        self.conn.pragma_update(None, "busy_timeout", 200)?;
        let moved = self
            .conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.conn
            .pragma_update(None, "busy_timeout", crate::open::BUSY_TIMEOUT_MS)?;
        Ok(moved?)
    }
}
