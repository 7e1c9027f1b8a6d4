//! Attachments.

use kata_channel::{ChannelError, Kind};
use kata_testkit::discord::Upload;

use crate::rig::{ADA, Ear, GENERAL, Rig};

#[tokio::test]
async fn a_file_is_fetched_and_again_after_its_address_is_over() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let mut ear = Ear::open(&adapter).await;
    let upload = Upload {
        name: "notes.txt",
        mimetype: "text/plain",
        content: b"take the large umbrella",
    };
    rig.discord.user_shares(GENERAL, ADA, "see this", &upload);
    let said = ear.next().await;
    assert_eq!(said.kind, Kind::Message);
    let file = &said.attachments[0];
    assert_eq!((&*file.name, file.size), ("notes.txt", Some(23)));
    let folder = tempfile::tempdir().unwrap();
    let files = adapter.files().unwrap();
    let path = folder.path().join("a");
    assert_eq!(files.fetch(file, &path, 1_000).await, Ok(23));
    assert_eq!(std::fs::read(&path).unwrap(), upload.content);
    let stale = kata_channel::Attachment {
        url: file
            .url
            .clone()
            .map(|url| url.split('?').next().unwrap().to_owned()),
        ..file.clone()
    };
    assert_eq!(files.fetch(&stale, &folder.path().join("b"), 1_000).await, Ok(23));
    let large = files.fetch(file, &folder.path().join("c"), 10).await;
    assert!(matches!(large, Err(ChannelError::Rejected(_))), "{large:?}");
    let elsewhere = kata_channel::Attachment {
        url: Some("http://10.0.0.1/a".into()),
        ..file.clone()
    };
    let refused = files.fetch(&elsewhere, &folder.path().join("d"), 1_000).await;
    assert!(matches!(refused, Err(ChannelError::Rejected(_))), "{refused:?}");
}
