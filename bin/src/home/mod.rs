//! The config directory: where it is, who holds it, what `daemon.json` says.

mod daemon_json;
mod lock;
mod nearest;
mod paths;
#[cfg(test)]
mod settings_doc;
mod typed;

pub(crate) use daemon_json::{DaemonConfig, LogConfig, RetentionConfig, parse as parse_daemon_json};
pub(crate) use lock::{Lock, LockError, PidFile};
pub(crate) use paths::{Home, create_private_dir};
pub(crate) use typed::{check_settings, read as read_typed};
