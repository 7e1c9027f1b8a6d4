//! A JSON file that somebody else writes.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::de::DeserializeOwned;

use crate::HomeError;

/// The largest file that is read, bytes. What the app keeps in one is a few kilobytes.
const MOST: u64 = 4 << 20;

/// Reads a file; none if it is not there.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, HomeError> {
    let bytes = match bytes(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            let file = file.to_owned();
            return Err(HomeError::Unreadable { file, source });
        }
    };
    if bytes.len() as u64 > MOST {
        let file = file.to_owned();
        return Err(HomeError::TooLarge { file, most: MOST });
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| malformed(file, &error))
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MOST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn malformed(file: &Path, error: &serde_json::Error) -> HomeError {
    let said = error.to_string();
    // The place is said beside the reason.
    let place = format!(" at line {} column {}", error.line(), error.column());
    let reason = said.strip_suffix(&place).unwrap_or(&said);
    HomeError::Malformed {
        file: file.to_owned(),
        line: error.line().max(1),
        column: error.column(),
        reason: without_value(reason).to_owned(),
    }
}

/// serde quotes the value that it did not expect before what it expected. That value may be a secret in the wrong place.
fn without_value(reason: &str) -> &str {
    let quotes = ["invalid type: ", "invalid value: "]
        .iter()
        .any(|start| reason.starts_with(start));
    match reason.rfind("expected ") {
        Some(at) if quotes => &reason[at..],
        _ => reason,
    }
}
