//! Why a schedule is refused: one sentence that names the field and the fix.

use jiff::Timestamp;

/// How much of a text is shown in an error. Schedules come from agents, and errors go into logs and conversations.
const SHOWN: usize = 40;

/// A schedule that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The text is longer than any pattern needs to be.
    #[error("the schedule is longer than {limit} characters")]
    TooLong {
        /// The most there may be.
        limit: usize,
    },
    /// A cron pattern of too few or too many fields.
    #[error(
        "the cron pattern has {found} fields: give five (minute hour day-of-month month day-of-week), six with a second in front, or seven with a year at the end"
    )]
    Fields {
        /// How many there are.
        found: usize,
    },
    /// A nickname that names no time.
    #[error("{name:?} is no schedule: use @yearly, @monthly, @weekly, @daily, @midnight or @hourly")]
    Nickname {
        /// The beginning of what was given.
        name: String,
    },
    /// A field of a cron pattern.
    #[error("{field} {item:?}: {fault}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// The beginning of the item of its list.
        item: String,
        /// What is wrong with it, and the fix.
        fault: Fault,
    },
    /// A pattern of the right form that croner does not take. There should be none.
    #[error("the cron pattern {text:?} is not understood: give it in another form")]
    Pattern {
        /// The beginning of what was given.
        text: String,
    },
    /// An interval that is none.
    #[error("the interval {text:?}: give milliseconds as decimal digits, at least 1")]
    Interval {
        /// The beginning of what was given.
        text: String,
    },
    /// A time that cannot be read.
    #[error(
        "the time {text:?}: give it as 2027-01-31T18:00, with Z or an offset such as +01:00 unless it is local"
    )]
    Time {
        /// The beginning of what was given.
        text: String,
    },
    /// There is no run to come.
    #[error("the schedule has no run after {start}: give a pattern or a time that is still to come")]
    NoRun {
        /// When the schedule begins.
        start: Timestamp,
    },
}

/// What is wrong with an item of a cron field, and the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// `1-5,`
    #[error("an item of the list is empty, take the comma away")]
    Empty,
    /// `61`, `x`
    #[error("give numbers from {min} to {max}")]
    Number {
        /// The least.
        min: u16,
        /// The most.
        max: u16,
    },
    /// `XYZ` where names are taken.
    #[error("give numbers from {min} to {max}, or names such as {such_as}")]
    NumberOrName {
        /// The least.
        min: u16,
        /// The most.
        max: u16,
        /// One of the names.
        such_as: &'static str,
    },
    /// `22-2`
    #[error("the range runs backwards, make two of it with a comma between them")]
    Backwards,
    /// `5/15`, `/15`
    #[error("a step needs the range it goes through, write */5 or 10-50/5")]
    StepOfNothing,
    /// `*/0`, `*/61`
    #[error("the step is a number from 1 to {max}")]
    Step {
        /// The most.
        max: u16,
    },
    /// `*/2` as years, which would begin with the year 0.
    #[error("years have a step within a range only, write 2027-2099/2")]
    StepOfYears,
    /// `5#6`, `5#`
    #[error("after # stands a number from 1 to 5 or L, write FRI#2 or FRI#L")]
    Nth,
    /// `L` as a weekday, `L5`
    #[error("L stands behind its weekday, write FRI#L")]
    LastOfWhat,
    /// `15L`, `L-3`
    #[error("L stands alone in a list of days, write 15,L")]
    LastDay,
    /// `LW,15`
    #[error("LW is the whole field, without a list")]
    LastWeekday,
    /// `W`, `1-5W`
    #[error("W stands behind one day, write 15W")]
    Nearest,
}

/// The beginning of a text, for an error.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}
