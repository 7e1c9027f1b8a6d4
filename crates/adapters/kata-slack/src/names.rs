//! Display names for ids: cached, bounded, and never worth a long wait.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use hashlink::LruCache;
use tokio::time::{Instant, timeout_at};

use crate::{
    errors::CallError,
    web::{Call, Web, wire},
};

/// Users and conversations of one workspace, together.
const CAPACITY: usize = 2_000;
/// People rename themselves now and then.
const KNOWN_FOR: Duration = Duration::from_secs(60 * 60);
/// An id without a name (a deleted user, a scope that is missing) stays without one for a while.
const UNKNOWN_FOR: Duration = Duration::from_secs(10 * 60);
/// After a failure that says nothing about the id.
const FAILED_FOR: Duration = Duration::from_secs(30);
/// What all names of a delivery together may take. D1: nothing waits; an id is readable enough.
const BUDGET: Duration = Duration::from_millis(500);
/// A name is untrusted text and stands in the middle of other text.
const LONGEST: usize = 80;

/// The names a delivery needs, by id.
pub(crate) type Lexicon = HashMap<String, String>;

/// The names of one workspace.
#[derive(Debug)]
pub(crate) struct Names(Mutex<LruCache<String, Known>>);

#[derive(Clone, Debug)]
struct Known {
    name: Option<String>,
    until: Instant,
}

// === impl Names ===

impl Default for Names {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }
}

impl Names {
    /// The names of `ids` (users and conversations), as far as they are known or can be found out within half a
    /// second. An id that is not in the answer is to be shown as it is.
    ///
    /// # Cancel safety
    /// Cancel safe: what was found out is kept.
    pub(crate) async fn resolve(&self, ids: BTreeSet<String>, web: &Web) -> Lexicon {
        let deadline = Instant::now() + BUDGET;
        let mut lexicon = Lexicon::new();
        let mut unknown = Vec::new();
        for id in ids {
            match self.cached(&id) {
                Some(Some(name)) => drop(lexicon.insert(id, name)),
                Some(None) => {}
                None => unknown.push(id),
            }
        }
        let asked = unknown.into_iter().map(|id| async move {
            let found = timeout_at(deadline, ask(&id, web))
                .await
                .unwrap_or(Err(CallError::Unreached));
            let name = self.remember(&id, found);
            name.map(|name| (id, name))
        });
        lexicon.extend(join_all(asked).await.into_iter().flatten());
        lexicon
    }

    /// None = never asked, or too long ago.
    fn cached(&self, id: &str) -> Option<Option<String>> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache
            .get(id)
            .filter(|known| known.until > Instant::now())
            .map(|known| known.name.clone())
    }

    fn remember(&self, id: &str, found: Result<Option<String>, CallError>) -> Option<String> {
        let (name, holds) = match found {
            Ok(Some(name)) => (Some(tidy(&name)), KNOWN_FOR),
            Ok(None) | Err(CallError::Refused(_)) => (None, UNKNOWN_FOR),
            Err(_) => (None, FAILED_FOR),
        };
        let known = Known {
            name: name.clone(),
            until: Instant::now() + holds,
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.to_owned(), known);
        name
    }
}

async fn ask(id: &str, web: &Web) -> Result<Option<String>, CallError> {
    if id.starts_with(['U', 'W']) {
        let info: wire::UserInfo = web.get(Call::method("users.info"), &[("user", id)]).await?;
        let wire::User {
            name,
            real_name,
            profile,
        } = info.user;
        let names = [profile.display_name, profile.real_name, real_name, name];
        return Ok(names.into_iter().flatten().find(|name| !name.is_empty()));
    }
    if id.starts_with(['C', 'G']) {
        let info: wire::ConversationInfo = web
            .get(Call::method("conversations.info"), &[("channel", id)])
            .await?;
        return Ok(info.channel.name);
    }
    Ok(None)
}

fn tidy(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_name_is_asked_for_again_after_its_time() {
        let names = Names::default();
        names.remember("U1", Ok(Some("Ada\nLovelace".into())));
        names.remember("U2", Ok(None));
        assert_eq!(names.cached("U1"), Some(Some("Ada Lovelace".into())));
        assert_eq!(names.cached("U2"), Some(None));
        assert_eq!(names.cached("U3"), None);
        tokio::time::advance(UNKNOWN_FOR).await;
        assert_eq!(names.cached("U2"), None);
        assert!(names.cached("U1").is_some());
    }

    #[test]
    fn the_cache_is_bounded() {
        let names = Names::default();
        for n in 0..CAPACITY + 10 {
            names.remember(&format!("U{n}"), Ok(None));
        }
        assert_eq!(names.0.lock().unwrap().len(), CAPACITY);
    }
}
