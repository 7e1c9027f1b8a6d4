//! Children that do not go when they are asked to.
//!
//! They keep our stdout open, so that a parent that waits for its end waits for them.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio, id},
};

/// A signal that is ignored stays so in the program that takes the shell's place.
const CHILD: &str = "trap '' TERM; exec sleep 600";

/// Notes its pid before it has a child of its own: none is alive whose pid is not known.
const BOMB: &str = "trap '' TERM; echo $$ >> \"$2\"; \
    if [ \"$1\" -gt 1 ]; then sh -c \"$3\" sh \"$(($1 - 1))\" \"$2\" \"$3\" & fi; exec sleep 600";

/// Leaves `n` children and writes their pids and ours to `file`, one a line.
pub(crate) fn children(n: u32, file: &Path) -> io::Result<()> {
    let mut pids = vec![id()];
    for _ in 0..n {
        pids.push(shell(CHILD, &[])?);
    }
    let lines: String = pids.iter().map(|pid| format!("{pid}\n")).collect();
    fs::write(file, lines)
}

/// Leaves a child that has a child and so on, `n` of them, and does not wait until they are all there. They write
/// their pids to `file` themselves, behind ours.
pub(crate) fn fork_bomb(n: u32, file: &Path) -> io::Result<()> {
    fs::write(file, format!("{}\n", id()))?;
    let file = file.to_string_lossy().into_owned();
    shell(BOMB, &["sh", &n.to_string(), &file, BOMB]).map(drop)
}

fn shell(script: &str, args: &[&str]) -> io::Result<u32> {
    let mut command = Command::new("sh");
    command.args(["-c", script]).args(args).stdin(Stdio::null());
    Ok(command.spawn()?.id())
}
