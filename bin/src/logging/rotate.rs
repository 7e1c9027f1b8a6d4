//! A log file that is renamed when it is full. The libraries at hand rotate by time, or panic when a directory is
//! gone; this one drops lines instead.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use crate::home::create_private_dir;

/// `katad.log`, `katad.log.1` (newest) … `katad.log.{files-1}`, all 0600.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    file: File,
    written: u64,
    files: usize,
    limit: u64,
}

impl RotatingFile {
    pub(super) fn open(path: PathBuf, files: usize, limit: u64) -> io::Result<Self> {
        if let Some(dir) = path.parent() {
            create_private_dir(dir)?;
        }
        let file = append(&path)?;
        let written = file.metadata()?.len();
        Ok(Self {
            path,
            file,
            written,
            files,
            limit,
        })
    }

    fn rotate(&mut self) -> io::Result<()> {
        for n in (1..self.files).rev() {
            let from = if n == 1 {
                self.path.clone()
            } else {
                self.numbered(n - 1)
            };
            if from.exists() {
                fs::rename(from, self.numbered(n))?;
            }
        }
        if self.files == 1 {
            fs::remove_file(&self.path)?;
        }
        self.file = append(&self.path)?;
        self.written = 0;
        Ok(())
    }

    fn numbered(&self, n: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{n}"));
        name.into()
    }
}

impl Write for RotatingFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.written + line.len() as u64 > self.limit && self.written > 0 {
            self.rotate()?;
        }
        let n = self.file.write(line)?;
        self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn append(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_renamed_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("katad.log");
        let mut log = RotatingFile::open(path.clone(), 3, 10).unwrap();
        for line in [
            "first line\n",
            "second\n",
            "third line\n",
            "fourth\n",
            "fifth line\n",
        ] {
            log.write_all(line.as_bytes()).unwrap();
        }
        let read =
            |suffix: &str| fs::read_to_string(format!("{}{suffix}", path.display())).unwrap_or_default();
        assert_eq!(read(""), "fifth line\n");
        assert_eq!(read(".1"), "fourth\n");
        assert_eq!(read(".2"), "third line\n");
        assert_eq!(read(".3"), "");
    }

    #[test]
    fn a_file_from_an_earlier_run_is_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("katad.log");
        RotatingFile::open(path.clone(), 2, 100)
            .unwrap()
            .write_all(b"one\n")
            .unwrap();
        RotatingFile::open(path.clone(), 2, 100)
            .unwrap()
            .write_all(b"two\n")
            .unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }
}
