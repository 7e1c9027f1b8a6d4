//! A stretch of time in which a zone's clocks run on without being moved.

use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};

/// From one change of the clocks to the next.
#[derive(Debug)]
pub(super) struct Stretch {
    /// The change that it begins with. None: it always was so.
    pub(super) change: Option<Change>,
    /// When the next change is. None: it stays so.
    pub(super) end: Option<Timestamp>,
    /// What the clocks show, from UTC.
    pub(super) offset: Offset,
}

/// A moment at which clocks are moved.
#[derive(Debug)]
pub(super) struct Change {
    /// What the clocks showed until then, from UTC.
    pub(super) before: Offset,
    /// What they would have shown at that moment.
    pub(super) wall_before: DateTime,
    /// What they show instead.
    pub(super) wall_after: DateTime,
}

// === impl Stretch ===

impl Stretch {
    pub(super) fn around(zone: &TimeZone, time: Timestamp) -> Stretch {
        let offset = zone.to_offset(time);
        // `preceding` means strictly before, and a stretch has the moment of its change.
        let instant = SignedDuration::from_nanos(1);
        let start = time
            .checked_add(instant)
            .ok()
            .and_then(|just_after| zone.preceding(just_after).next());
        let change = start.and_then(|start| {
            let at = start.timestamp();
            let before = zone.to_offset(at.checked_sub(instant).ok()?);
            Some(Change {
                before,
                wall_before: before.to_datetime(at),
                wall_after: offset.to_datetime(at),
            })
        });
        let end = zone.following(time).next().map(|change| change.timestamp());
        Stretch { change, end, offset }
    }
}

// === impl Change ===

impl Change {
    /// Clocks went forward: local times were skipped. Otherwise they went back, or only their zone's name changed.
    pub(super) fn skipped(&self) -> bool {
        self.wall_before < self.wall_after
    }
}
