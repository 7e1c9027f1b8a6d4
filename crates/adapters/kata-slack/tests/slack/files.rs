//! Attachments: fetched with the token, from Slack only, within a limit.

use std::{path::Path, sync::Arc};

use kata_channel::{Adapter, Attachment, ChannelError};
use kata_testkit::slack::{Fault, Upload};

use crate::rig::{Ear, Rig};

const LIMIT: u64 = 1_000_000;

struct Shared {
    rig: Rig,
    adapter: Arc<dyn Adapter>,
    file: Attachment,
    folder: tempfile::TempDir,
}

async fn shared() -> Shared {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let mut ear = Ear::open(&adapter).await;
    let upload = Upload {
        name: "notes.txt",
        mimetype: "text/plain",
        content: b"twelve bytes",
    };
    rig.slack.user_shares("C1", "U1", "look", &upload);
    let mut heard = ear.next().await;
    assert_eq!(heard.text.raw, "look");
    Shared {
        rig,
        adapter,
        file: heard.attachments.remove(0),
        folder: tempfile::tempdir().unwrap(),
    }
}

impl Shared {
    async fn fetch(&self, file: &Attachment, into: &Path, limit: u64) -> Result<u64, ChannelError> {
        self.adapter.files().unwrap().fetch(file, into, limit).await
    }
}

#[tokio::test]
async fn a_file_is_fetched_for_our_own_users_eyes() {
    let shared = shared().await;
    assert_eq!((&*shared.file.name, shared.file.size), ("notes.txt", Some(12)));
    let into = shared.folder.path().join("a");
    assert_eq!(shared.fetch(&shared.file, &into, LIMIT).await, Ok(12));
    assert_eq!(std::fs::read(&into).unwrap(), b"twelve bytes");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&into).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert!(
        shared.fetch(&shared.file, &into, LIMIT).await.is_err(),
        "nothing is written over"
    );
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused_whatever_its_size_was_said_to_be() {
    let shared = shared().await;
    let silent = Attachment {
        size: None,
        ..shared.file.clone()
    };
    for (name, file) in [("a", &shared.file), ("b", &silent)] {
        let refused = shared.fetch(file, &shared.folder.path().join(name), 11).await;
        assert!(
            matches!(refused, Err(ChannelError::Rejected(s)) if s.contains("larger")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_token_goes_nowhere_else() {
    let shared = shared().await;
    for url in [
        None,
        Some("http://10.0.0.1/files/x"),
        Some("https://example.com/x"),
        Some("file:///etc/passwd"),
    ] {
        let stray = Attachment {
            url: url.map(str::to_owned),
            ..shared.file.clone()
        };
        let refused = shared.fetch(&stray, &shared.folder.path().join("a"), LIMIT).await;
        assert!(matches!(refused, Err(ChannelError::Rejected(_))), "{url:?}");
    }
}

#[tokio::test]
async fn a_sign_in_page_is_no_file() {
    let shared = shared().await;
    shared.rig.slack.revoke_scope("files:read");
    let refused = shared
        .fetch(&shared.file, &shared.folder.path().join("a"), LIMIT)
        .await;
    assert!(
        matches!(&refused, Err(ChannelError::Rejected(s)) if s.contains("files:read")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_slack_that_is_ill_is_worth_another_try() {
    let shared = shared().await;
    shared.rig.slack.fail_next("file", Fault::Http(503));
    let _ = shared
        .fetch(&shared.file, &shared.folder.path().join("a"), LIMIT)
        .await;
    shared.rig.slack.down().await;
    let lost = shared
        .fetch(&shared.file, &shared.folder.path().join("b"), LIMIT)
        .await;
    assert!(matches!(lost, Err(ChannelError::ConnectionLost(_))), "{lost:?}");
}
