//! Sees processes live and die, however they die.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use tokio::sync::oneshot;

/// Hears from every process that inherits a descriptor of its pipe: when the first one lives, and when the last one is gone.
pub(super) struct Witness {
    pub(super) fifo: PathBuf,
    pub(super) lives: oneshot::Receiver<()>,
    pub(super) gone: oneshot::Receiver<()>,
}

impl Witness {
    pub(super) fn new(folder: &Path) -> Self {
        let fifo = folder.join("witness");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let (lives_tx, lives) = oneshot::channel();
        let (gone_tx, gone) = oneshot::channel();
        let path = fifo.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(File::open(path).unwrap());
            reader.read_line(&mut String::new()).unwrap();
            let _ = lives_tx.send(());
            reader.read_to_end(&mut Vec::new()).unwrap();
            let _ = gone_tx.send(());
        });
        Self { fifo, lives, gone }
    }

    /// Shell text, seen by the witness, and so is everything that it starts.
    pub(super) fn seeing(&self, script: &str) -> String {
        format!("exec 9>'{}'; {script}", self.fifo.display())
    }
}
