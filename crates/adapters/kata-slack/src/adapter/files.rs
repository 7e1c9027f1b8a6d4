//! Fetching attachments: <https://docs.slack.dev/reference/objects/file-object#authentication>.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use http::{Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kata_channel::{Attachment, ChannelError, Files};
use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
    time::timeout,
};
use url::Url;

use super::SlackAdapter;

/// A download may take long; a pause in it may not.
const STALLED: Duration = Duration::from_secs(10);

#[async_trait]
impl Files for SlackAdapter {
    async fn fetch(&self, file: &Attachment, into: &Path, limit: u64) -> Result<u64, ChannelError> {
        let url: Url = file
            .url
            .as_deref()
            .and_then(|url| url.parse().ok())
            .ok_or_else(|| {
                ChannelError::Rejected(
                    "Slack gives no address for this file: it may belong to another workspace".into(),
                )
            })?;
        if !self.account().endpoint.trusts(&url) {
            return Err(ChannelError::Rejected(
                "the file does not lie with Slack: the token is not sent there".into(),
            ));
        }
        if file.size.is_some_and(|size| size > limit) {
            return Err(too_large(limit));
        }
        let answer = self
            .account()
            .http
            .get("a file download", &url, &self.account().token)
            .await?;
        check(&answer, file)?;
        save(answer.into_body(), into, limit).await
    }
}

/// Without the scope Slack does not refuse: it shows its sign-in page, or leads there.
fn check(answer: &Response<Incoming>, file: &Attachment) -> Result<(), ChannelError> {
    const NO_ACCESS: &str = "Slack does not hand this file to the bot: add the scope files:read on the app's OAuth & Permissions page and reinstall the app";
    let status = answer.status();
    let html = |media: &str| media.starts_with("text/html");
    let media = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match status {
        StatusCode::OK if html(media) && !file.mime_type.as_deref().is_some_and(html) => {
            Err(ChannelError::Rejected(NO_ACCESS.into()))
        }
        StatusCode::OK => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ChannelError::Rejected(NO_ACCESS.into())),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(ChannelError::Rejected(
            "the file is no longer there in Slack".into(),
        )),
        _ if status.is_redirection() => Err(ChannelError::Rejected(NO_ACCESS.into())),
        _ => Err(crate::errors::CallError::Status(status.as_u16()).into()),
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
                    "the connection to Slack broke in the middle of a file".into(),
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

fn too_large(limit: u64) -> ChannelError {
    ChannelError::Rejected(format!("the file is larger than {} MB", limit / 1_000_000))
}

fn unwritten(error: &std::io::Error) -> ChannelError {
    ChannelError::Other(format!("the file cannot be written: {}", error.kind()))
}
