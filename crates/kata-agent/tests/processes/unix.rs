//! The tests, and who this process is.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    process::ExitCode,
};

use super::{acp, agent, daemon, guard};

const TESTS: &[(&str, fn())] = &[
    (
        "a_guarded_program_has_the_streams_and_the_exit_code_of_its_own",
        guard::passes_through,
    ),
    (
        "a_guarded_program_that_closes_its_stdout_has_said_its_answer",
        guard::closes_stdout,
    ),
    (
        "a_guarded_program_that_is_not_there_is_named",
        guard::names_what_is_not_there,
    ),
    ("a_guard_without_its_pipe_says_so", guard::needs_its_pipe),
    ("a_guard_cannot_be_sent_away", guard::ignores_signals),
    (
        "a_guarded_group_is_told_to_end_and_then_killed",
        guard::ends_a_dropped_run,
    ),
    (
        "what_a_guarded_program_leaves_behind_is_killed",
        guard::ends_what_is_left,
    ),
    (
        "a_guarded_group_does_not_outlive_a_daemon_that_is_killed",
        guard::outlives_no_daemon,
    ),
    ("an_agent_has_its_turns_in_one_process", acp::one_process),
    ("an_agent_sees_no_variable_that_was_not_passed", acp::scrubbed),
    ("an_agent_that_dies_tells_why", acp::dies),
    ("an_agent_that_is_killed_is_dead", acp::killed),
    ("an_agent_that_closes_its_stdout_is_dead", acp::closes_stdout),
    ("an_agent_that_is_not_there_is_named", acp::not_there),
    ("an_agent_that_floods_is_ended", acp::floods),
    ("an_agent_that_hangs_is_ended_with_its_children", acp::hangs),
    ("an_agents_children_end_with_it", acp::children),
    ("the_end_of_the_daemon_ends_all_within_2_s", acp::shut_down),
];

pub(super) fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match args.first().and_then(|arg| arg.to_str()) {
        Some("as-guard") => guard::run(&args[1..]),
        Some("as-agent") => agent::run(&args[1..]),
        Some("as-daemon") => daemon::run(&args[1..]),
        _ => run_tests(&args),
    }
}

fn run_tests(args: &[OsString]) -> ExitCode {
    let filters: Vec<&str> = args
        .iter()
        .filter_map(|arg| arg.to_str().filter(|arg| !arg.starts_with('-')))
        .collect();
    let is_meant = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let mut out = io::stdout();
    for (name, test) in TESTS.iter().filter(|(name, _)| is_meant(name)) {
        write!(out, "test {name} ... ")
            .and_then(|()| out.flush())
            .unwrap();
        // A panic says where, and ends the process with a code that is not 0.
        test();
        writeln!(out, "ok").unwrap();
    }
    ExitCode::SUCCESS
}
