//! Fetching attachments. Their addresses are their own credentials and live for a day; an older one is asked for anew.
//! <https://docs.discord.com/developers/reference#signed-attachment-cdn-urls>

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kata_channel::{Attachment, ChannelError, Files};
use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
    time::timeout,
};
use url::Url;

use super::DiscordAdapter;
use crate::{errors::CallError, read::MessageRef, rest::wire::Message};

/// A download may take long; a pause in it may not.
const STALLED: Duration = Duration::from_secs(10);

#[async_trait]
impl Files for DiscordAdapter {
    async fn fetch(&self, file: &Attachment, into: &Path, limit: u64) -> Result<u64, ChannelError> {
        if file.size.is_some_and(|size| size > limit) {
            return Err(too_large(limit));
        }
        let answer = match &file.url {
            Some(url) => self.open(url).await?,
            None => None,
        };
        let answer = match answer {
            Some(answer) => answer,
            None => {
                let url = self.look_up(file).await?.ok_or_else(gone)?;
                self.open(&url).await?.ok_or_else(gone)?
            }
        };
        save(answer.into_body(), into, limit).await
    }
}

// === impl DiscordAdapter ===

impl DiscordAdapter {
    /// Asks for a file; none = its address is over, or the file is gone.
    async fn open(&self, url: &str) -> Result<Option<Response<Incoming>>, ChannelError> {
        let url: Option<Url> = url.parse().ok();
        let url = url
            .filter(|url| self.account().endpoint.trusts_file(url))
            .ok_or_else(|| {
                ChannelError::Rejected("the file does not lie with Discord: it is not fetched".into())
            })?;
        let answer = self.account().rest.file(&url).await?;
        match answer.status() {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            status => Err(CallError::Status(status.as_u16()).into()),
        }
    }

    /// The file's address as of now: its message knows it.
    async fn look_up(&self, file: &Attachment) -> Result<Option<String>, ChannelError> {
        let Some(at) = MessageRef::read(&file.id) else {
            return Ok(None);
        };
        let path = format!("/channels/{}/messages/{}", at.channel, at.message);
        let message: Message = self.account().rest.get("look for a file", path).await?;
        let found = message
            .attachments
            .into_iter()
            .find(|found| found.id == at.attachment);
        Ok(found.and_then(|found| found.url))
    }
}

async fn save(mut body: Incoming, into: &Path, limit: u64) -> Result<u64, ChannelError> {
    let mut file = create(into).await.map_err(|error| unwritten(&error))?;
    let mut written: u64 = 0;
    loop {
        let frame = match timeout(STALLED, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) | Err(_) => {
                return Err(ChannelError::ConnectionLost(
                    "the connection to Discord broke in the middle of a file".into(),
                ));
            }
        };
        let Some(data) = frame.data_ref() else { continue };
        written = written.saturating_add(data.len() as u64);
        if written > limit {
            return Err(too_large(limit));
        }
        file.write_all(data).await.map_err(|error| unwritten(&error))?;
    }
    file.flush().await.map_err(|error| unwritten(&error))?;
    Ok(written)
}

/// Other people's files: for our own user's eyes only.
async fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await
}

fn gone() -> ChannelError {
    ChannelError::Rejected("the file is no longer there in Discord".into())
}

fn too_large(limit: u64) -> ChannelError {
    ChannelError::Rejected(format!("the file is larger than {} MB", limit / 1_000_000))
}

fn unwritten(error: &std::io::Error) -> ChannelError {
    ChannelError::Other(format!("the file cannot be written: {}", error.kind()))
}
