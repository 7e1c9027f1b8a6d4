//! Fetches the files of a turn before its agent runs. Under the budget, over the session, which names their paths. A
//! file that cannot be had does not fail the turn: the metadata says why.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use kata_agent::Error;
use kata_channel::{Adapter, Attachment};
use serde_json::{Map, Value};
use tower::{Layer, Service};

use super::Claimed;
use crate::home::create_private_dir;

/// Larger files are named to the agent, and not fetched.
const LARGEST: u64 = 20 << 20;
/// One file may take this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fetches with this channel's adapter.
#[derive(Clone)]
pub(crate) struct FilesLayer {
    adapter: Arc<dyn Adapter>,
    directory: Arc<Path>,
}

/// See [`FilesLayer`].
#[derive(Clone)]
pub(crate) struct Files<S> {
    inner: S,
    layer: FilesLayer,
}

// === impl FilesLayer ===

impl FilesLayer {
    /// Files go to `directory`, one folder a row.
    pub(crate) fn new(adapter: Arc<dyn Adapter>, directory: &Path) -> Self {
        Self {
            adapter,
            directory: directory.into(),
        }
    }

    async fn fetch_all(&self, claimed: &mut Claimed) {
        for row in claimed.turn.rows.iter_mut().filter(|row| row.has_files) {
            let folder = self.directory.join(row.id.to_string());
            self.fetch_row(&mut row.metadata, &folder).await;
        }
    }

    async fn fetch_row(&self, metadata: &mut Map<String, Value>, folder: &Path) {
        let Some(Value::Array(files)) = metadata.get_mut("attachments") else {
            return;
        };
        for (n, entry) in files.iter_mut().enumerate() {
            let Ok(file) = serde_json::from_value::<Attachment>(entry.clone()) else {
                continue;
            };
            let outcome = match self.fetch(&file, folder, n).await {
                Ok(path) => ("path", path.display().to_string()),
                Err(why) => ("error", why),
            };
            if let Value::Object(fields) = entry {
                fields.insert(outcome.0.into(), Value::from(outcome.1));
            }
        }
    }

    async fn fetch(&self, file: &Attachment, folder: &Path, n: usize) -> Result<PathBuf, String> {
        let Some(platform) = self.adapter.files() else {
            return Err("this channel cannot fetch files".into());
        };
        if file.size.is_some_and(|size| size > LARGEST) {
            return Err(format!("larger than {} MB, not fetched", LARGEST >> 20));
        }
        create_private_dir(folder).map_err(|e| format!("cannot be stored: {e}"))?;
        let path = folder.join(file_name(&file.name, n));
        if path.exists() {
            // An earlier attempt of this turn has fetched it.
            return Ok(path);
        }
        let fetched = tokio::time::timeout(PATIENCE, platform.fetch(file, &path, LARGEST)).await;
        match fetched
            .unwrap_or_else(|_| Err(kata_channel::ChannelError::ConnectionLost("took too long".into())))
        {
            Ok(_) => Ok(path),
            Err(why) => {
                // What there is of it is of no use.
                let _ = std::fs::remove_file(&path);
                Err(why.to_string())
            }
        }
    }
}

/// A name that is ours: the sender's own may hold anything, and is told beside it.
fn file_name(theirs: &str, n: usize) -> String {
    let ending = Path::new(theirs).extension().and_then(|e| e.to_str());
    let ending = ending.filter(|e| e.len() <= 10 && e.chars().all(|c| c.is_ascii_alphanumeric()));
    match ending {
        Some(ending) => format!("{}.{}", n + 1, ending.to_ascii_lowercase()),
        None => (n + 1).to_string(),
    }
}

impl std::fmt::Debug for FilesLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FilesLayer")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for FilesLayer {
    type Service = Files<S>;

    fn layer(&self, inner: S) -> Files<S> {
        Files {
            inner,
            layer: self.clone(),
        }
    }
}

// === impl Files ===

impl<S> Service<Claimed> for Files<S>
where
    S: Service<Claimed, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<S::Response, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut claimed: Claimed) -> Self::Future {
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            // A turn that is cancelled does not wait for its files.
            let cancel = claimed.cancel.clone();
            let _ = cancel.run_until_cancelled(layer.fetch_all(&mut claimed)).await;
            inner.call(claimed).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_senders_file_name_never_becomes_a_path() {
        for (theirs, ours) in [
            ("notes.PDF", "1.pdf"),
            ("../../etc/passwd", "1"),
            ("a.tar.gz", "1.gz"),
            ("x.sh;rm -rf", "1"),
            ("", "1"),
            ("naïve.jpég", "1"),
        ] {
            assert_eq!(file_name(theirs, 0), ours, "{theirs}");
        }
    }
}
