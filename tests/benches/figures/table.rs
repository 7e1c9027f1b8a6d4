//! The table, a line a figure.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench is there to print its figures"
)]

use std::fs;

use anyhow::Error;

use crate::lab::Lab;

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    figure: String,
    value: String,
    goal: Option<(String, bool)>,
}

impl Row {
    /// A figure with a goal, and whether it was met.
    pub(crate) fn new(figure: impl Into<String>, value: String, goal: &str, met: bool) -> Self {
        Self {
            figure: figure.into(),
            value,
            goal: Some((goal.to_owned(), met)),
        }
    }

    /// Something that a reader of the other figures wants to know.
    pub(crate) fn note(figure: impl Into<String>, value: String) -> Self {
        Self {
            figure: figure.into(),
            value,
            goal: None,
        }
    }
}

/// What was measured, where, and how busy the machine was before.
pub(crate) fn header(lab: &Lab) {
    let first = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = first("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown CPU", |name| name.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = first("/proc/sys/kernel/osrelease");
    let load = first("/proc/loadavg");
    println!(
        "{cores} cores, {model}, kernel {}, load {}{}\n",
        kernel.trim(),
        load.split(' ').next().unwrap_or("unknown"),
        if lab.quick {
            "; quick: small numbers, no figures to quote"
        } else {
            ""
        },
    );
    println!("| figure | value | goal | |\n|---|---|---|---|");
}

pub(crate) fn print(row: &Row) {
    let Row { figure, value, goal } = row;
    match goal {
        Some((goal, met)) => {
            println!(
                "| {figure} | {value} | {goal} | {} |",
                if *met { "met" } else { "missed" }
            );
        }
        None => println!("| {figure} | {value} | | |"),
    }
}

pub(crate) fn print_failure(figure: &str, why: &Error) {
    println!("| {figure} | not measured: {why:#} | | |");
}

pub(crate) fn complain(why: &Error) {
    eprintln!("{why:#}");
}

/// `12,345`.
pub(crate) fn thousands(number: impl Into<f64>) -> String {
    let digits = format!("{:.0}", number.into());
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
