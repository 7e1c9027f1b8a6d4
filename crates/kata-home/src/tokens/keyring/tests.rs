//! By the library's own API: with its mock store, and with one that does not answer.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Condvar, Mutex, atomic::AtomicUsize},
};

use keyring_core::{CredentialStore, api::CredentialStoreApi, mock};

use super::{super::TokenStore, *};
use crate::{Kept, TokenStoreError};

const LONG: Duration = Duration::from_secs(30);

fn mock_store() -> Arc<CredentialStore> {
    mock::Store::new().unwrap()
}

/// The next question about this account fails so.
fn fails(store: &Arc<CredentialStore>, account: &str, error: Error) {
    let entry = keyring_core::Entry::new_in_store(store, SERVICE, account).unwrap();
    let credential: &mock::Cred = entry.as_any().downcast_ref().unwrap();
    credential.set_error(error);
}

#[test]
fn a_token_is_kept_by_the_library_under_our_name_and_its_own() {
    let store = mock_store();
    let keyring = Keyring::of_store(Arc::clone(&store), LONG);
    assert!(keyring.get("a").unwrap().is_none());
    keyring.set("a", &"made-up".into()).unwrap();
    let there = keyring_core::Entry::new_in_store(&store, "katad", "a").unwrap();
    assert_eq!(there.get_password().unwrap(), "made-up");
    assert_eq!(keyring.get("a").unwrap().unwrap().expose_secret(), "made-up");
    assert!(keyring.get("b").unwrap().is_none());
    keyring.remove("a").unwrap();
    keyring.remove("a").unwrap();
    assert!(keyring.get("a").unwrap().is_none());
}

#[test]
fn what_a_keyring_says_is_said_plainly_and_without_what_it_holds() {
    let store = mock_store();
    let keyring = Keyring::of_store(Arc::clone(&store), LONG);
    keyring.set("a", &"made-up".into()).unwrap();
    for (error, says) in [
        (Error::NoStorageAccess("made-up".into()), "it is locked"),
        (
            Error::PlatformFailure("made-up".into()),
            "the system's keyring service failed",
        ),
        (
            Error::BadEncoding(b"made-up".to_vec()),
            "it does not hold a token of ours",
        ),
    ] {
        fails(&store, "a", error);
        assert_eq!(keyring.get("a").unwrap_err(), says);
    }
    assert!(keyring.get("a").unwrap().is_some(), "it was unlocked");
}

#[test]
fn a_keyring_that_is_locked_leaves_the_token_to_the_file_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = mock_store();
    let tokens = TokenStore::new(folder.path(), Keyring::of_store(Arc::clone(&store), LONG));
    let locked = || Error::NoStorageAccess("x".into());
    fails(&store, &tokens.account("w1", "team"), locked());
    let kept = tokens.set("w1", "team", &"made-up".into()).unwrap();
    assert_eq!(
        kept,
        Kept::File {
            because: "it is locked".to_owned()
        }
    );
    assert!(tokens.get("w1", "team").unwrap().is_some());

    tokens.set("w1", "other", &"made-up".into()).unwrap();
    fails(&store, &tokens.account("w1", "other"), locked());
    let refused = tokens.get("w1", "other").unwrap_err();
    assert!(
        matches!(&refused, TokenStoreError::Keyring(why) if why == "it is locked"),
        "{refused}"
    );
}

/// Asks its owner, who is not there.
#[derive(Debug, Default)]
struct Waiting {
    asked: AtomicUsize,
    opened: (Mutex<bool>, Condvar),
}

impl CredentialStoreApi for Waiting {
    fn vendor(&self) -> String {
        "a test".to_owned()
    }

    fn id(&self) -> String {
        "waiting".to_owned()
    }

    fn build(
        &self,
        _: &str,
        _: &str,
        _: Option<&HashMap<&str, &str>>,
    ) -> keyring::Result<keyring_core::Entry> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (opened, bell) = &self.opened;
        drop(
            bell.wait_while(opened.lock().unwrap(), |opened| !*opened)
                .unwrap(),
        );
        Err(Error::NoEntry)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting")
    }
}

#[test]
fn a_keyring_that_does_not_answer_is_waited_for_once() {
    let waiting = Arc::new(Waiting::default());
    let store: Arc<CredentialStore> = waiting.clone();
    let folder = tempfile::tempdir().unwrap();
    let tokens = TokenStore::new(folder.path(), Keyring::of_store(store, Duration::from_millis(20)));
    for key in ["a", "b", "c"] {
        let kept = tokens.set("w1", key, &"made-up".into()).unwrap();
        assert!(
            matches!(&kept, Kept::File { because } if because.contains("did not answer")),
            "{kept:?}"
        );
        assert!(tokens.get("w1", key).unwrap().is_some());
    }
    assert_eq!(waiting.asked.load(Ordering::Relaxed), 1);
    // Its thread may end.
    *waiting.opened.0.lock().unwrap() = true;
    waiting.opened.1.notify_all();
}
