//! The grammar of croner 10 for JavaScript, in the words of croner for Rust.
//!
//! The two differ: the Rust one takes empty list items, names in any field, steps of any size and a bare `L` as a weekday,
//! and does not know `@midnight`, `5-6L` or `?` outside of days. A pattern is therefore read here, field by field, and
//! written again in the form that both understand alike.

use croner::parser::CronParser;

use crate::{
    ScheduleError,
    cron::field::{FIELDS, Field},
    error::shown,
};

/// Where day-of-week stands in a pattern of seven fields.
const DAY_OF_WEEK: usize = 5;

/// Reads a pattern or a nickname.
pub(super) fn parse(text: &str) -> Result<croner::Cron, ScheduleError> {
    let text = match text.strip_prefix('@') {
        Some(name) => nickname(name).ok_or_else(|| ScheduleError::Nickname { name: shown(text) })?,
        None => text,
    };
    CronParser::new()
        .parse(&canonical(text)?)
        .map_err(|_| ScheduleError::Pattern { text: shown(text) })
}

fn nickname(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "yearly" | "annually" => "0 0 1 1 *",
        "monthly" => "0 0 1 * *",
        "weekly" => "0 0 * * 0",
        "daily" | "midnight" => "0 0 * * *",
        "hourly" => "0 * * * *",
        _ => return None,
    })
}

/// All seven fields, each in its canonical form.
fn canonical(text: &str) -> Result<String, ScheduleError> {
    let given: Vec<&str> = text.split_whitespace().collect();
    let (before, after): (&[&str], &[&str]) = match given.len() {
        5 => (&["0"], &["*"]),
        6 => (&[], &["*"]),
        7 => (&[], &[]),
        found => return Err(ScheduleError::Fields { found }),
    };
    let fields = before.iter().chain(&given).chain(after);
    let written: Vec<String> = FIELDS
        .iter()
        .zip(fields)
        .enumerate()
        .map(|(at, (field, text))| written(field, text, at == DAY_OF_WEEK))
        .collect::<Result<_, _>>()?;
    Ok(written.join(" "))
}

/// One field. `+` in front of the weekdays asks for both, day and weekday.
fn written(field: &Field, text: &str, weekdays: bool) -> Result<String, ScheduleError> {
    let (plus, list) = match text.strip_prefix('+') {
        Some(list) if weekdays => ("+", list),
        _ => ("", text),
    };
    match field.canonical(list) {
        Ok(list) => Ok(format!("{plus}{list}")),
        Err((item, fault)) => Err(ScheduleError::Field {
            field: field.name,
            item: shown(item),
            fault,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_written_so_that_both_croners_read_the_same() {
        for (text, written) in [
            ("* * * * *", "0 * * * * * *"),
            ("1 2 3 4 5 6", "1 2 3 4 5 6 *"),
            ("1 2 3 4 5 6 2030", "1 2 3 4 5 6 2030"),
            ("? ? ? ? ?", "0 * * * * * *"),
            ("?/5 */60 * * * *", "*/5 */60 * * * * *"),
            ("*,5 007 1-31,* * *,1", "0 0-59,5 7 1-31,1-31 * 0-6,1 *"),
            (
                "0 0 l,15w * fri#l,5L,1-5l,1-5/2#2",
                "0 0 0 L,15W * 5#L,5#L,1-5#L,1-5/2#2 *",
            ),
            ("0 0 lw jan-MAR,dec sat-sun,sun", "0 0 0 LW 1-3,12 6-7,0 *"),
            ("0 0 1 * +FRI", "0 0 0 1 * +5 *"),
            ("0 0 1 * +?", "0 0 0 1 * +* *"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(written), "{text}");
        }
    }
}
