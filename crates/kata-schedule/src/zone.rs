//! The time zone of a task.

use std::fmt;

use jiff::tz::TimeZone;

/// A time zone of the [IANA database](https://www.iana.org/time-zones), by which a task's local times are read.
///
/// The machine's copy of the database is used, else the one in the program. The zone of the system is the caller's to
/// find out: `Zone::from(jiff::tz::TimeZone::system())`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A time zone that the database does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("time zone {name:?} is not known: give a name of the IANA database, such as Europe/Berlin or UTC")]
pub struct UnknownZone {
    name: String,
}

// === impl Zone ===

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Zone = Zone(TimeZone::UTC);

    /// The zone of this name, in any case.
    ///
    /// # Errors
    ///
    /// The database has no zone of this name.
    pub fn parse(name: &str) -> Result<Zone, UnknownZone> {
        TimeZone::get(name)
            .ok()
            // The database's word for "somewhere"; its clock is that of UTC, which nobody means by it.
            .filter(|zone| !zone.is_unknown())
            .map(Zone)
            .ok_or_else(|| UnknownZone {
                name: name.chars().take(64).collect(),
            })
    }

    /// Its name in the database. A zone of the system may have none.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.iana_name()
    }

    pub(crate) fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl From<TimeZone> for Zone {
    fn from(zone: TimeZone) -> Zone {
        Zone(zone)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or("the system's time zone"))
    }
}
