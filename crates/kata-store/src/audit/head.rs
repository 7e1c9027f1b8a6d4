//! The chain's head in a file of its own, beside the database.
//!
//! Whoever can write the database can make a new chain that fits, or cut rows off the end of this one. The file tells of
//! that, as long as it was not written by the same hand.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension};

use super::{
    Entry, append,
    chain::{self, Link},
    verify::HeadStanding,
};
use crate::{AuditKind, StoreError, UnixMs, tx::Tx};

/// The line's first word and its version.
const MARK: [&str; 2] = ["katad-audit", "1"];
/// No line of ours is longer.
const LONGEST: u64 = 1_024;

fn line(head: &Link, now: UnixMs) -> String {
    let [mark, version] = MARK;
    format!("{mark} {version} {} {} {}\n", head.id, head.hash, now.to_iso())
}

fn parse(text: &str) -> Option<Link> {
    let words: Vec<&str> = text.strip_suffix('\n')?.split(' ').collect();
    let [mark, version, id, hash, written] = words[..] else {
        return None;
    };
    UnixMs::from_iso(written)?;
    let id = id.parse().ok().filter(|id| *id >= 0)?;
    ([mark, version] == MARK).then(|| Link {
        id,
        hash: hash.to_owned(),
    })
}

/// What the file at `path` says. None: there is no file. The error is a sentence.
pub(super) fn read(path: &Path) -> Result<Option<Link>, String> {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    match read {
        Ok(_) => parse(&text)
            .map(Some)
            .ok_or_else(|| "it is not a line of ours".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// The head file as the writer keeps it.
#[derive(Debug)]
pub(crate) struct HeadFile {
    path: PathBuf,
    is_failing: bool,
}

impl HeadFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            is_failing: false,
        }
    }

    /// Writes the chain's head, after the commit of its row. A verdict that is on disk stands, whatever becomes of this.
    pub(crate) fn write(&mut self, conn: &Connection, now: UnixMs) {
        let written = self.try_write(conn, now);
        if let Some(error) = self.news(written) {
            tracing::error!(
                error = &*error,
                "the head of the audit cannot be written to {}",
                self.path.display()
            );
        }
    }

    fn try_write(&self, conn: &Connection, now: UnixMs) -> Result<(), Box<dyn std::error::Error>> {
        let head = chain::last(conn)?;
        Ok(replace(&self.path, &line(&head, now))?)
    }

    /// What is to be logged: a failure once, until it works again.
    fn news<E>(&mut self, written: Result<(), E>) -> Option<E> {
        let was_failing = std::mem::replace(&mut self.is_failing, written.is_err());
        written.err().filter(|_| !was_failing)
    }
}

/// Synced before it gets its name: a power cut leaves the old line or the new one.
fn replace(path: &Path, line: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    // What an earlier process left may have another mode, or lead elsewhere.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(line.as_bytes())?;
    file.sync_data()?;
    fs::rename(new, path)
}

/// What was found at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// The file may be written over.
    Fine,
    /// It says other than the chain: it is evidence, and is set aside.
    Disputed,
}

/// Looks at a start whether the head file and the chain fit together. If not, the chain says so from here on: the next
/// row would otherwise write over the only trace.
pub(crate) fn check(tx: &mut Tx<'_>, path: &Path) -> Result<Check, StoreError> {
    let last = chain::last(tx.conn)?;
    let found = read(path);
    let said = match &found {
        Ok(Some(head)) => hash_at(tx.conn, head.id)?,
        _ => None,
    };
    let reason = match HeadStanding::of(found, &last, said.as_deref()) {
        // A crash between a commit and its head leaves the head behind. A file is there from the first start on.
        HeadStanding::Same | HeadStanding::Behind { .. } => return Ok(Check::Fine),
        HeadStanding::Missing if last.id == 0 => return Ok(Check::Fine),
        standing => standing.to_string(),
    };
    tracing::error!("the audit is in dispute: {reason}");
    append(
        tx,
        &Entry {
            reason: Some(&reason),
            ..Entry::new(AuditKind::HeadDisputed)
        },
    )?;
    Ok(Check::Disputed)
}

/// The hash of that row; of the last row that retention took, too.
fn hash_at(conn: &Connection, id: i64) -> Result<Option<String>, StoreError> {
    let Link { id: start, hash } = chain::start(conn)?;
    if id == start {
        return Ok(Some(hash));
    }
    Ok(conn
        .query_row("SELECT hash FROM kata_audit WHERE id = ?1", [id], |row| {
            row.get(0)
        })
        .optional()?)
}

/// After the commit: moves a disputed file out of the way of the next head.
pub(crate) fn set_aside(path: &Path, now: UnixMs) {
    let stamp: String = now
        .to_iso()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".disputed-{stamp}"));
    match fs::rename(path, &name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => tracing::error!(
            error = &error as &dyn std::error::Error,
            "the disputed head of the audit cannot be set aside"
        ),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Link {
        Link {
            id: 7,
            hash: "ab".repeat(32),
        }
    }

    #[test]
    fn a_head_reads_back_as_it_was_written_and_nothing_else_is_a_head() {
        let line = line(&head(), UnixMs(1_700_000_000_007));
        assert_eq!(
            line,
            format!("katad-audit 1 7 {} 2023-11-14T22:13:20.007Z\n", "ab".repeat(32))
        );
        assert_eq!(parse(&line), Some(head()));
        for other in [
            "",
            "\n",
            line.trim_end(),
            &line.replace("katad-audit 1", "katad-audit 2"),
            &line.replace(" 7 ", " -7 "),
            &line.replace(" 7 ", " x "),
            &line.replace("2023", "then"),
            &format!("{line}{line}"),
        ] {
            assert_eq!(parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_head_that_cannot_be_written_is_news_once_until_it_works_again() {
        let mut file = HeadFile::new(PathBuf::from("head"));
        assert_eq!(file.news(Ok::<_, u8>(())), None);
        assert_eq!(file.news(Err(1)), Some(1));
        assert_eq!(file.news(Err(2)), None);
        assert_eq!(file.news(Ok::<_, u8>(())), None);
        assert_eq!(file.news(Err(3)), Some(3));
    }
}
