//! Which variables reach an agent's program.

use std::ffi::OsString;

/// What passes to every program. Everything else is scrubbed: the daemon's environment may hold tokens.
pub const PASSED: [&str; 11] = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "TZ", "TMPDIR",
];

/// The environment of an agent's program: [`PASSED`] and the `named` ones, as far as `lookup` knows them.
pub fn environment(named: &[String], lookup: impl Fn(&str) -> Option<OsString>) -> Vec<(String, OsString)> {
    let names = PASSED.into_iter().chain(named.iter().map(String::as_str));
    names
        .filter_map(|name| Some((name.to_owned(), lookup(name)?)))
        .collect()
}
