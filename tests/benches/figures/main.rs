//! The figures of `BENCHMARKS.md`: the release binary, measured from outside, through its pipes and fake
//! platforms.
//!
//! ```text
//! cargo build --release -p katad
//! cargo bench -p kata-testkit [-- [--quick] [FIGURE…]]
//! ```
//!
//! `--quick` measures with small numbers, to see that all of it works. A figure's name (`start`, `idle`, …) measures
//! that one alone. Goals that are missed are printed, and are no failure; a figure that cannot be measured is one.

mod agents;
mod backlog;
mod burst;
mod ceiling;
mod drain;
mod firehose;
mod host;
mod idle;
mod lab;
mod latency;
mod samples;
mod size;
mod start;
mod table;
mod tasks;

use std::{env, process::ExitCode};

use anyhow::{Result, bail};

use lab::Lab;
use table::Row;

/// Measures one or several lines of the table.
type Figure = fn(&Lab) -> Result<Vec<Row>>;

/// In the order of the table.
const FIGURES: [(&str, Figure); 10] = [
    ("start", start::cold),
    ("idle", idle::at_rest),
    ("latency", latency::over_slack),
    ("discord", latency::over_discord),
    ("burst", burst::stored_and_acknowledged),
    ("drain", drain::waiting_rows),
    ("backlog", start::with_a_backlog),
    ("agents", agents::warm),
    ("tasks", tasks::armed),
    ("size", size::of_the_binary),
];

fn main() -> ExitCode {
    match measure() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            table::complain(&why);
            ExitCode::from(2)
        }
    }
}

/// False if a figure could not be measured.
fn measure() -> Result<bool> {
    let asked = Asked::read(env::args().skip(1))?;
    let lab = Lab::new(asked.quick)?;
    table::header(&lab);
    let mut complete = true;
    for (name, figure) in FIGURES.into_iter().filter(|(name, _)| asked.wants(name)) {
        match figure(&lab) {
            Ok(rows) => rows.iter().for_each(table::print),
            Err(why) => {
                complete = false;
                table::print_failure(name, &why);
            }
        }
    }
    Ok(complete)
}

/// The command line.
struct Asked {
    quick: bool,
    figures: Vec<String>,
}

impl Asked {
    fn read(args: impl Iterator<Item = String>) -> Result<Self> {
        let mut asked = Self {
            quick: false,
            figures: Vec::new(),
        };
        for arg in args {
            match arg.as_str() {
                "--quick" => asked.quick = true,
                // Cargo says so to every bench.
                "--bench" => {}
                name if FIGURES.iter().any(|(known, _)| *known == name) => asked.figures.push(arg),
                _ => bail!(
                    "{arg:?} is no figure: there are {}",
                    FIGURES.map(|(name, _)| name).join(", ")
                ),
            }
        }
        Ok(asked)
    }

    fn wants(&self, name: &str) -> bool {
        self.figures.is_empty() || self.figures.iter().any(|asked| asked == name)
    }
}
