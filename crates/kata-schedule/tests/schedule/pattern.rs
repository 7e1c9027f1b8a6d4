//! Simple patterns, and a way to match them that owes nothing to croner.

use std::{collections::BTreeSet, fmt};

use jiff::civil::DateTime;
use proptest::prelude::*;

/// A set of values of one field, with its text. None: every value.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Every,
    Step(i8),
    These(BTreeSet<i8>),
}

/// Minutes, hours, days, months and weekdays; day and weekday as in Vixie's cron: either, unless one is `*`.
#[derive(Clone, Debug)]
pub(crate) struct Simple {
    pub(crate) minutes: Values,
    pub(crate) hours: Values,
    pub(crate) days: Values,
    pub(crate) months: Values,
    pub(crate) weekdays: Values,
}

// === impl Values ===

impl Values {
    fn has(&self, value: i8, first: i8) -> bool {
        match self {
            Values::Every => true,
            Values::Step(step) => (value - first) % step == 0,
            Values::These(values) => values.contains(&value),
        }
    }

    fn is_every(&self) -> bool {
        matches!(self, Values::Every)
    }

    fn random(first: i8, last: i8) -> impl Strategy<Value = Values> {
        prop_oneof![
            3 => Just(Values::Every),
            1 => (2..=(last - first) / 2).prop_map(Values::Step),
            3 => proptest::collection::btree_set(first..=last, 1..4).prop_map(Values::These),
        ]
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Values::Every => f.write_str("*"),
            Values::Step(step) => write!(f, "*/{step}"),
            Values::These(values) => {
                let values: Vec<String> = values.iter().map(i8::to_string).collect();
                f.write_str(&values.join(","))
            }
        }
    }
}

// === impl Simple ===

impl Simple {
    pub(crate) fn matches(&self, wall: DateTime) -> bool {
        let day = self.days.has(wall.day(), 1);
        let weekday = self.weekdays.has(wall.weekday().to_sunday_zero_offset(), 0);
        let date = if self.days.is_every() || self.weekdays.is_every() {
            day && weekday
        } else {
            day || weekday
        };
        let clock = self.minutes.has(wall.minute(), 0) && self.hours.has(wall.hour(), 0);
        date && clock && wall.second() == 0 && self.months.has(wall.month(), 1)
    }

    /// Hourly or finer: where clocks go back it runs in both passes.
    pub(crate) fn is_often(&self) -> bool {
        self.hours.is_every() || !matches!(self.minutes, Values::These(_))
    }

    pub(crate) fn random() -> impl Strategy<Value = Simple> {
        (
            Values::random(0, 59),
            Values::random(0, 23),
            Values::random(1, 31),
            Values::random(1, 12),
            Values::random(0, 6),
        )
            .prop_map(|(minutes, hours, days, months, weekdays)| Simple {
                minutes,
                hours,
                days,
                months,
                weekdays,
            })
    }
}

impl fmt::Display for Simple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Simple {
            minutes,
            hours,
            days,
            months,
            weekdays,
        } = self;
        write!(f, "{minutes} {hours} {days} {months} {weekdays}")
    }
}
