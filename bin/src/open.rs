//! Opens the store as the daemon wants it.

use std::sync::Arc;

use kata_channel::Clock;
use kata_session::session_key;
use kata_store::{OpenError, OpenOptions, Opened, Store, StoreError, UnixMs};

use crate::home::{DaemonConfig, Home};

/// At most this many attempts of a message may end by their lease (D11).
const LEASE_ATTEMPTS: u32 = 2;

/// Opens `daemon.db`, whichever daemon wrote it.
pub(crate) fn store(home: &Home, config: &DaemonConfig, clock: &Clock) -> Result<Opened, OpenError> {
    let clock = clock.clone();
    Store::open(
        &home.database(),
        OpenOptions {
            session_key,
            lane: kata_session::conversation_lane,
            now: Arc::new(move || UnixMs(clock.wall().as_millis())),
            min_free_bytes: config.min_free_mb << 20,
            max_waiting_rows: config.max_waiting_rows,
            max_attempts: config.attempts,
            max_lease_attempts: LEASE_ATTEMPTS,
            audit_head: Some(home.audit_head()),
        },
    )
}

/// Why the database cannot be opened, with its name and the way out.
pub(crate) fn refusal(home: &Home, error: &OpenError) -> String {
    let way_out = match error {
        OpenError::Newer { .. } => "use that version, or another config directory",
        OpenError::Store(StoreError::Database(_)) => {
            "if it is not Kata's, move it away; a new one is begun then"
        }
        OpenError::Store(StoreError::Locked) => "end that program",
        _ => "see that it can be written, and that there is room",
    };
    format!(
        "{} cannot be opened: {}; {way_out}",
        home.database().display(),
        sentence(error)
    )
}

/// An error and its causes, as one sentence. SQLite quotes whole statements, which help nobody here.
pub(crate) fn sentence(error: &(dyn std::error::Error + 'static)) -> String {
    const LONGEST: usize = 200;
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    match said.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &said[..end]),
        None => said,
    }
}
