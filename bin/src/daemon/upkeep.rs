//! What keeps the house in order while nothing else happens: rows of the 0.7 daemon are adopted, old rows go, the
//! write-ahead log is folded in, free space is looked at.

use std::{sync::Arc, time::Duration};

use kata_channel::ChannelKey;
use kata_store::{Retention, SessionName, StoreError};
use tokio_util::sync::CancellationToken;

use super::Daemon;
use crate::{agents, home::RetentionConfig, turn::summary_key};

/// Foreign rows that are adopted in one transaction (D24).
const ADOPT_STEP: usize = 500;
/// How often old rows are looked for. Often, since what a platform gave us in confidence (a response URL) is blanked
/// by the same step (D26); cheap, since it is a few look-ups in indexes when there is nothing to do.
const SWEEP_EVERY: Duration = Duration::from_secs(5 * 60);
/// Between two steps of a sweep others may write.
const BREATH: Duration = Duration::from_millis(50);
/// How often a full disk is looked at again.
const ROOM_EVERY: Duration = Duration::from_secs(5);

/// Runs until `stop`.
pub(super) async fn run(daemon: Arc<Daemon>, stop: CancellationToken) {
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = async { tokio::join!(adopt_each_time(&daemon), sweep(&daemon), watch_room(&daemon)) ; } => {}
    }
}

/// D24: foreign rows are found after `running` and after each configuration.
async fn adopt_each_time(daemon: &Daemon) {
    let mut configured = daemon.channels.configurations();
    loop {
        configured.mark_unchanged();
        adopt(daemon).await;
        if configured.changed().await.is_err() {
            return;
        }
    }
}

async fn adopt(daemon: &Daemon) {
    loop {
        match daemon.store.adopt(ADOPT_STEP).await {
            Ok(adopted) => {
                if adopted.rows > 0 {
                    tracing::info!(rows = adopted.rows, "rows of the earlier daemon go on");
                }
                if !adopted.more {
                    return;
                }
            }
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::error!(%error, "rows of the earlier daemon cannot be taken over yet");
                tokio::time::sleep(ROOM_EVERY).await;
            }
        }
    }
}

async fn sweep(daemon: &Daemon) {
    let retention = retention(&daemon.config.retention);
    loop {
        // Not at once: the start is not the time for it.
        tokio::time::sleep(SWEEP_EVERY).await;
        sweep_all(daemon, &retention).await;
    }
}

async fn sweep_all(daemon: &Daemon, retention: &Retention) {
    loop {
        let swept = match daemon.store.sweep(retention).await {
            Ok(swept) => swept,
            Err(error) => return tracing::warn!(%error, "old rows cannot be removed yet"),
        };
        for row in &swept.files {
            let folder = daemon.home.attachments().join(row.to_string());
            if let Err(error) = tokio::fs::remove_dir_all(&folder).await
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(msg = row, %error, "files of an old message cannot be removed");
            }
        }
        if !swept.more {
            break;
        }
        tokio::time::sleep(BREATH).await;
    }
    expire_sessions(daemon, retention).await;
    if let Err(error) = daemon.store.checkpoint().await {
        tracing::warn!(%error, "the write-ahead log cannot be folded in yet");
    }
}

/// Sessions in which nobody talked for as long as anything is kept, and what was said in those that are over.
async fn expire_sessions(daemon: &Daemon, retention: &Retention) {
    loop {
        let expired = match daemon.store.expire_sessions(retention).await {
            Ok(expired) => expired,
            Err(error) => return tracing::warn!(%error, "old sessions cannot be ended yet"),
        };
        for session in &expired.ended {
            let channel = ChannelKey::new(&*session.workspace, &*session.slug);
            daemon
                .events
                .session_ended(&channel, &session.key, "retention")
                .await;
        }
        for session in &expired.cleared {
            clear(daemon, session).await;
        }
        if !expired.more {
            return;
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// The last of a session: what its agent called it, and where it worked.
async fn clear(daemon: &Daemon, session: &SessionName) {
    let SessionName { workspace, key, .. } = session;
    if daemon.open_turns.by_session(Some(workspace), key).is_some() {
        // Its conversation came back this very moment.
        return;
    }
    agents::erase(&daemon.store, workspace, key).await;
    for key in [key.clone(), summary_key(key)] {
        let folder = daemon.home.sessions().join(kata_session::folder_name(&key));
        if let Err(error) = tokio::fs::remove_dir_all(&folder).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(session = key, %error, "the directory of an old session cannot be removed");
        }
    }
}

/// D6: while there is no room, nothing is acknowledged; that it is there again is noticed by looking.
async fn watch_room(daemon: &Daemon) {
    let mut room = daemon.store.room();
    loop {
        if room
            .wait_for(|room| matches!(room, kata_store::Room::Full { .. }))
            .await
            .is_err()
        {
            return;
        }
        if let kata_store::Room::Full { reason } = &*room.borrow() {
            tracing::error!(reason, "nothing more is taken in");
        }
        while matches!(*room.borrow_and_update(), kata_store::Room::Full { .. }) {
            tokio::time::sleep(ROOM_EVERY).await;
            let _ = daemon.store.check_room().await;
        }
        tracing::info!("there is room again");
        daemon.channels.touch();
    }
}

fn retention(config: &RetentionConfig) -> Retention {
    let days = |d: f64| Duration::try_from_secs_f64(d * 86_400.0).unwrap_or(Duration::MAX);
    Retention {
        processed: days(config.processed_days),
        failed: days(config.failed_days),
        tombstones: days(config.tombstone_days),
        audit: days(config.audit_days),
    }
}

#[cfg(test)]
mod tests {
    use kata_channel::{ManualClock, Timestamp};
    use kata_ipc::Event;
    use kata_plugin::Plugins;
    use kata_store::{Admit, Arrival, NewMessage, Outcome, UnixMs};
    use tokio::sync::mpsc;

    use super::*;
    use crate::{
        daemon::{Events, Parts},
        home::{DaemonConfig, Home},
        open,
        tasks::Desk,
    };

    fn message(id: i64) -> NewMessage {
        NewMessage {
            conversation: "C1".into(),
            thread: None,
            platform_id: id.to_string(),
            order: id,
            lane: "C1".into(),
            thread_key: "C1".into(),
            sender: "U1".into(),
            role: "member".into(),
            content: "hello".into(),
            prompt: "hello".into(),
            source: "team".into(),
            sent_at: UnixMs(0),
            reply_thread: None,
            metadata: serde_json::Map::new(),
            not_before: None,
            ready: true,
            has_files: false,
            alone: false,
            secret_until: None,
        }
    }

    /// The session that a message begins, if it does; the message is dealt with at once.
    async fn began(daemon: &Daemon, id: i64) -> Option<String> {
        let channel = daemon.store.channel("w", "team").await.unwrap().id;
        let arrivals = vec![Arrival::Turn(message(id))];
        let admit = Admit {
            channel,
            arrivals,
            cursor: None,
        };
        let Outcome::New { row, session_started } = daemon.store.admit(admit).await.unwrap().remove(0) else {
            panic!("not new")
        };
        daemon.store.cancel(row, "seen").await.unwrap();
        session_started
    }

    #[tokio::test]
    async fn a_session_that_was_silent_for_its_retention_is_said_to_be_over_once_and_begins_again() {
        let folder = tempfile::TempDir::new().unwrap();
        let home = Home::at(folder.path());
        home.create().unwrap();
        let clock = ManualClock::at(Timestamp::from_millis(1_774_602_000_000));
        let config = DaemonConfig::default();
        let (events, mut heard) = mpsc::channel(100);
        let daemon = Daemon::new(Parts {
            store: open::store(&home, &config, &clock.clock()).unwrap().store,
            config,
            clock: clock.clock(),
            events: Events::inside(events),
            plugins: Plugins::new([]).unwrap(),
            desk: Desk::default(),
            host: None,
            home,
        });
        let retention = retention(&daemon.config.retention);
        let key = began(&daemon, 1).await.expect("its first message");
        let folder = daemon.home.sessions().join(kata_session::folder_name(&key));
        std::fs::create_dir_all(&folder).unwrap();
        clock.advance(Duration::from_secs(29 * 86_400));
        expire_sessions(&daemon, &retention).await;
        assert!(heard.try_recv().is_err(), "not yet");
        clock.advance(Duration::from_secs(2 * 86_400));
        for _ in 0..2 {
            expire_sessions(&daemon, &retention).await;
        }
        let mut over = Vec::new();
        while let Ok(event) = heard.try_recv() {
            if let Event::SessionEnded(ended) = event {
                over.push((ended.session_key, ended.channel_id, ended.reason));
            }
        }
        assert_eq!(
            over,
            [(key.clone(), "team".to_owned(), Some("retention".to_owned()))]
        );
        assert!(!folder.exists(), "where its agent worked goes with it");
        assert_eq!(began(&daemon, 2).await, Some(key));
    }
}
