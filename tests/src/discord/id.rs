//! Snowflakes: <https://docs.discord.com/developers/reference#snowflakes>

use std::time::Duration;

/// Milliseconds of the Unix epoch at which Discord's begins.
const EPOCH_MS: i64 = 1_420_070_400_000;

/// The id of everything.
pub(crate) type Id = u64;

/// An id that a test or an app wrote.
pub(crate) fn parse(text: &str) -> Option<Id> {
    // As in the document's own pattern: digits, without a zero in front.
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}

/// An id that a test wrote.
///
/// # Panics
/// If it is none: a mistake of the test.
pub(crate) fn known(text: &str) -> Id {
    parse(text).unwrap_or_else(|| panic!("{text:?} is no id"))
}

/// The smallest id of a moment.
pub(crate) fn at(moment: jiff::Timestamp) -> Id {
    let ms = moment.as_millisecond() - EPOCH_MS;
    u64::try_from(ms).expect("a moment after Discord began") << 22
}

/// The moment of an id.
pub(crate) fn moment(id: Id) -> jiff::Timestamp {
    let ms = i64::try_from(id >> 22).expect("42 bits") + EPOCH_MS;
    jiff::Timestamp::from_millisecond(ms).expect("42 bits of milliseconds")
}

/// Gives ids that are the time, each greater than every one before it.
#[derive(Debug, Default)]
pub(crate) struct Clock(Id);

impl Clock {
    pub(crate) fn next(&mut self) -> Id {
        self.0 = at(jiff::Timestamp::now()).max(self.0 + 1);
        self.0
    }

    /// The smallest id of `age` ago.
    pub(crate) fn ago(age: Duration) -> Id {
        let age = jiff::SignedDuration::try_from(age).expect("an age within centuries");
        at(jiff::Timestamp::now() - age)
    }
}
