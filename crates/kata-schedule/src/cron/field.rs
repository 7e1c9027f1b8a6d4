//! The fields of a cron pattern, and what may stand in each.

use crate::Fault;

/// The last year in which croner for Rust looks for a run.
const LAST_YEAR: u16 = 4999;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One field of a pattern.
#[derive(Debug)]
pub(super) struct Field {
    /// What it is called in errors.
    pub(super) name: &'static str,
    /// What it counts, which says what else it takes.
    unit: Unit,
    min: u16,
    max: u16,
    /// The largest step, as croner 10 for JavaScript has it: as many as there are values.
    step: u16,
    /// Names of the values from `min` on.
    names: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Time,
    Day,
    Weekday,
    Year,
}

/// All seven, as they stand in a full pattern.
pub(super) const FIELDS: [Field; 7] = [
    Field::new("second", Unit::Time, 0, 59, 60, &[]),
    Field::new("minute", Unit::Time, 0, 59, 60, &[]),
    Field::new("hour", Unit::Time, 0, 23, 24, &[]),
    Field::new("day-of-month", Unit::Day, 1, 31, 31, &[]),
    Field::new("month", Unit::Time, 1, 12, 12, &MONTHS),
    Field::new("day-of-week", Unit::Weekday, 0, 7, 7, &WEEKDAYS),
    Field::new("year", Unit::Year, 1, LAST_YEAR, LAST_YEAR, &[]),
];

// === impl Field ===

impl Field {
    const fn new(
        name: &'static str,
        unit: Unit,
        min: u16,
        max: u16,
        step: u16,
        names: &'static [&'static str],
    ) -> Field {
        Field {
            name,
            unit,
            min,
            max,
            step,
            names,
        }
    }

    /// The field in the form that every croner reads alike; or the item that is refused, and why.
    pub(super) fn canonical<'t>(&self, text: &'t str) -> Result<String, (&'t str, Fault)> {
        if is_every(text) {
            // Alone it is more than all values: only then the other one of day and weekday decides.
            return Ok("*".to_owned());
        }
        if self.unit == Unit::Day && text.eq_ignore_ascii_case("LW") {
            return Ok("LW".to_owned());
        }
        let items: Vec<String> = text
            .split(',')
            .map(|item| self.item(item).map_err(|fault| (item, fault)))
            .collect::<Result<_, _>>()?;
        Ok(items.join(","))
    }

    fn item(&self, item: &str) -> Result<String, Fault> {
        if item.is_empty() {
            return Err(Fault::Empty);
        }
        if is_every(item) {
            return Ok(self.all());
        }
        match self.unit {
            Unit::Time | Unit::Year => self.span(item),
            Unit::Day => self.day(item),
            Unit::Weekday => self.weekday(item),
        }
    }

    /// `L`, `15W`, or a span.
    fn day(&self, item: &str) -> Result<String, Fault> {
        let upper = item.to_ascii_uppercase();
        match upper.as_str() {
            "L" => Ok(upper),
            "LW" => Err(Fault::LastWeekday),
            _ if upper.contains('L') => Err(Fault::LastDay),
            _ if upper.contains('W') => {
                let day = upper.strip_suffix('W').ok_or(Fault::Nearest)?;
                let day = digits(day).ok_or(Fault::Nearest)?;
                Ok(format!("{}W", self.within(day)?))
            }
            _ => self.span(item),
        }
    }

    /// `5#2`, `5#L`, `5L`, or a span.
    fn weekday(&self, item: &str) -> Result<String, Fault> {
        let (span, nth) = match item.split_once('#') {
            Some((span, nth)) => (span, Some(nth)),
            None => match item.strip_suffix(['L', 'l']) {
                Some(span) => (span, Some("L")),
                None => (item, None),
            },
        };
        let Some(nth) = nth else {
            return match item.starts_with(['L', 'l']) {
                true => Err(Fault::LastOfWhat),
                false => self.span(item),
            };
        };
        if span.is_empty() || is_every(span) || span.starts_with(['L', 'l']) {
            return Err(Fault::LastOfWhat);
        }
        let nth = match nth {
            "1" | "2" | "3" | "4" | "5" => nth,
            "L" | "l" => "L",
            _ => return Err(Fault::Nth),
        };
        Ok(format!("{}#{nth}", self.span(span)?))
    }

    /// `5`, `1-5`, `1-5/2` or `*/2`.
    fn span(&self, item: &str) -> Result<String, Fault> {
        let Some((range, step)) = item.split_once('/') else {
            return match item.split_once('-') {
                Some((from, to)) => self.range(from, to),
                None => Ok(self.value(item, false)?.to_string()),
            };
        };
        let range = match range.split_once('-') {
            Some((from, to)) => self.range(from, to)?,
            None if !is_every(range) => return Err(Fault::StepOfNothing),
            None if self.unit == Unit::Year => return Err(Fault::StepOfYears),
            None => "*".to_owned(),
        };
        let step = digits(step)
            .filter(|step| (1..=self.step).contains(step))
            .ok_or(Fault::Step { max: self.step })?;
        Ok(format!("{range}/{step}"))
    }

    fn range(&self, from: &str, to: &str) -> Result<String, Fault> {
        let (from, to) = (self.value(from, false)?, self.value(to, true)?);
        if from > to {
            return Err(Fault::Backwards);
        }
        Ok(format!("{from}-{to}"))
    }

    /// A number or a name. Sunday begins the week, and as the end of a range it ends it.
    fn value(&self, text: &str, ends_range: bool) -> Result<u16, Fault> {
        if let Some(at) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            let value = self.min + u16::try_from(at).map_err(|_| self.out_of_bounds())?;
            return Ok(match self.unit {
                Unit::Weekday if ends_range && value == 0 => 7,
                _ => value,
            });
        }
        self.within(digits(text).ok_or(self.out_of_bounds())?)
    }

    fn within(&self, value: u16) -> Result<u16, Fault> {
        let inside = (self.min..=self.max).contains(&value);
        inside.then_some(value).ok_or(self.out_of_bounds())
    }

    fn out_of_bounds(&self) -> Fault {
        let (min, max) = (self.min, self.max);
        match self.names.last() {
            Some(such_as) => Fault::NumberOrName { min, max, such_as },
            None => Fault::Number { min, max },
        }
    }

    /// Every value, as one item of a list.
    fn all(&self) -> String {
        match self.unit {
            // Sunday is there once.
            Unit::Weekday => "0-6".to_owned(),
            _ => format!("{}-{}", self.min, self.max),
        }
    }
}

fn is_every(text: &str) -> bool {
    matches!(text, "*" | "?")
}

/// A number without a sign. One that is too large for any field is none.
fn digits(text: &str) -> Option<u16> {
    let all = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}
