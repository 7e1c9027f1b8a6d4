//! A secret from a person, without an echo; or a line from a pipe.

use std::io::{self, BufRead, IsTerminal, Read};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::terminal;

const INTERRUPT: u8 = 3;
const END: u8 = 4;
const BACKSPACE: [u8; 2] = [8, 127];
const CLEAR: u8 = 21;

/// Asks for a secret. None if nothing but white space was given.
pub(super) fn secret(what: &str) -> io::Result<Option<SecretString>> {
    let stdin = io::stdin();
    let mut line = Zeroizing::new(String::new());
    if stdin.is_terminal() {
        typed(what, &mut line)?;
    } else {
        stdin.lock().read_line(&mut line)?;
    }
    let given = line.trim();
    Ok((!given.is_empty()).then(|| given.into()))
}

/// Reads a line key by key: an interrupt must find the terminal as it was.
fn typed(what: &str, line: &mut String) -> io::Result<()> {
    // Before anybody is asked: what is typed at once is not shown either.
    let _quiet = Quiet::begin()?;
    terminal::ask(what);
    let mut bytes = Zeroizing::new(Vec::new());
    for key in io::stdin().lock().bytes() {
        match key? {
            b'\n' | b'\r' | END => break,
            INTERRUPT => {
                return Err(io::Error::new(
                    io::ErrorKind::Interrupted,
                    "interrupted; nothing was stored",
                ));
            }
            CLEAR => bytes.clear(),
            key if BACKSPACE.contains(&key) => drop(bytes.pop()),
            key => bytes.push(key),
        }
    }
    line.push_str(&String::from_utf8_lossy(&bytes));
    Ok(())
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Quiet {
    before: Termios,
}

// === impl Quiet ===

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self { before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that is gone cannot be mended.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
        terminal::asked();
    }
}
