//! Secrets that stand for sessions.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use kata_ipc::socket::Secret;

/// The secrets of this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToolSessions {
    secrets: Arc<Mutex<HashMap<Session, Secret>>>,
    served: Arc<AtomicBool>,
}

/// A session's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Session {
    pub(crate) workspace: String,
    pub(crate) key: String,
}

// === impl ToolSessions ===

impl ToolSessions {
    /// The secret of a session: made when it is first asked for, good until this process ends.
    pub(crate) fn secret(&self, workspace: &str, key: &str) -> Secret {
        let session = Session {
            workspace: workspace.to_owned(),
            key: key.to_owned(),
        };
        self.lock()
            .entry(session)
            .or_insert_with(Secret::generate)
            .clone()
    }

    /// Whose secret this is.
    pub(crate) fn find(&self, offered: &Secret) -> Option<Session> {
        self.lock()
            .iter()
            .find(|(_, secret)| secret.matches(offered))
            .map(|(session, _)| session.clone())
    }

    /// Whether there is a socket.
    pub(crate) fn is_served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }

    pub(crate) fn set_served(&self) {
        self.served.store(true, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Session, Secret>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stands_for_one_session_of_one_workspace() {
        let sessions = ToolSessions::default();
        let secret = sessions.secret("w1", "daemon-team-1");
        assert!(sessions.secret("w1", "daemon-team-1").matches(&secret));
        assert!(!sessions.secret("w2", "daemon-team-1").matches(&secret));
        let found = sessions.find(&secret).unwrap();
        assert_eq!((&*found.workspace, &*found.key), ("w1", "daemon-team-1"));
        assert_eq!(sessions.find(&Secret::generate()), None);
    }
}
