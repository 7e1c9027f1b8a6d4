//! What the subcommands print, and in which form. The only place in this binary that writes to a terminal: in
//! `katad run` stdout is the protocol's alone, and this module is not used.

use std::{
    fmt::Display,
    io::{self, Write},
};

use serde::Serialize;

use crate::exit::Exit;

/// Prints help, a version, or what is wrong with the command line.
pub(crate) fn usage(said: &clap::Error) -> Exit {
    // A closed terminal cannot be told.
    let _ = said.print();
    if said.use_stderr() {
        Exit::BadConfig
    } else {
        Exit::Done
    }
}

/// Prints one line or several. A reader that left early (`| head`) is no error.
pub(crate) fn say(text: impl Display) -> Exit {
    let _ = writeln!(io::stdout().lock(), "{text}");
    Exit::Done
}

/// Prints JSON, for programs.
pub(crate) fn json(value: &impl Serialize) -> Exit {
    match serde_json::to_string_pretty(value) {
        Ok(text) => say(text),
        Err(why) => fail(why, Exit::Bug),
    }
}

/// Says what went wrong, on stderr.
pub(crate) fn fail(why: impl Display, exit: Exit) -> Exit {
    let _ = writeln!(io::stderr().lock(), "katad: {why}");
    exit
}

/// Asks a person something, on stderr: the answer is typed behind it.
pub(crate) fn ask(what: impl Display) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{what}: ").and_then(|()| stderr.flush());
}

/// Ends the line of a question whose answer was not shown.
pub(crate) fn asked() {
    let _ = writeln!(io::stderr().lock());
}

/// A table with a heading; columns as wide as what stands in them.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let width = |n: usize| {
        let cells = rows.iter().map(|row| row[n].chars().count());
        cells.chain([heading[n].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |cells: &[String; N]| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&heading.map(str::to_owned))];
    lines.extend(rows.iter().map(line));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let rows = [
            ["team".to_owned(), "1".to_owned()],
            ["a-long-name".to_owned(), "20".to_owned()],
        ];
        assert_eq!(
            table(["CHANNEL", "N"], &rows),
            "CHANNEL      N\nteam         1\na-long-name  20"
        );
    }
}
