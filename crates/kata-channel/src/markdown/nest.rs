//! What a line is nested in: quotes and list items, and the prefix they give it.

use unicode_width::UnicodeWidthStr;

use super::Dialect;
use crate::adapter::Unit;

#[derive(Debug)]
enum Container {
    Quote,
    /// The marker goes before the first line of the item, and once only.
    Item {
        marker: String,
    },
}

#[derive(Debug)]
struct List {
    /// The next number; none = bullets.
    number: Option<u64>,
    items: usize,
}

/// The quotes and lists that are open.
#[derive(Debug, Default)]
pub(super) struct Nest {
    containers: Vec<Container>,
    /// The item whose marker waits for its line. There is one at most: a list inside it gives it a line of its own.
    fresh: Option<usize>,
    lists: Vec<List>,
}

/// What a line begins with, and what its rest begins with when it is split.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) first: String,
    pub(super) hang: String,
}

struct Segment {
    first: String,
    hang: String,
}

// === impl Nest ===

impl Nest {
    pub(super) fn open_quote(&mut self) {
        self.containers.push(Container::Quote);
    }

    pub(super) fn open_list(&mut self, start: Option<u64>) {
        self.lists.push(List {
            number: start,
            items: 0,
        });
    }

    pub(super) fn open_item(&mut self, dialect: &Dialect) {
        let depth = self.lists.len().saturating_sub(1);
        let bullet = dialect
            .bullets
            .get(depth)
            .or(dialect.bullets.last())
            .copied()
            .unwrap_or_default();
        let mut marker = bullet.to_owned();
        if let Some(list) = self.lists.last_mut() {
            list.items += 1;
            if let Some(number) = &mut list.number {
                marker = format!("{number}. ");
                *number = number.saturating_add(1);
            }
        }
        self.fresh = Some(self.containers.len());
        self.containers.push(Container::Item { marker });
    }

    /// A box instead of a bullet. False when there is no bullet to replace.
    pub(super) fn tick(&mut self, mark: &str) -> bool {
        let bulleted = self.lists.last().is_some_and(|list| list.number.is_none());
        match (self.fresh, self.containers.last_mut()) {
            (Some(_), Some(Container::Item { marker })) if bulleted => {
                mark.clone_into(marker);
                true
            }
            _ => false,
        }
    }

    pub(super) fn close_list(&mut self) {
        self.lists.pop();
    }

    /// Closes the innermost quote or item.
    pub(super) fn close_container(&mut self) {
        self.containers.pop();
        self.fresh = self.fresh.filter(|fresh| *fresh < self.containers.len());
    }

    pub(super) fn in_item(&self) -> bool {
        matches!(self.containers.last(), Some(Container::Item { .. }))
    }

    /// A marker waits for the line that it goes before.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh.is_some()
    }

    /// The item that is open is the first one of its list.
    pub(super) fn is_first_item(&self) -> bool {
        self.lists.last().is_some_and(|list| list.items <= 1)
    }

    /// The prefix of the next line; its marker is used up. Of a nesting too deep for `room`, the outermost levels are not shown (nor
    /// looked at: a thousand levels over a thousand lines are no million steps).
    pub(super) fn prefix(&mut self, dialect: &Dialect, unit: Unit, room: usize) -> Prefix {
        let fresh = self.fresh.take();
        let marked = fresh.and_then(|at| Some((at, self.containers.get(at)?.segment(dialect, true))));
        let marker = marked.as_ref().map_or(0, |(_, segment)| unit.len(&segment.hang));
        let mut width = marker;
        let mut shown = Vec::new();
        for (at, container) in self.containers.iter().enumerate().rev() {
            if fresh == Some(at) {
                continue;
            }
            let segment = container.segment(dialect, false);
            width += unit.len(&segment.hang);
            if width > room {
                break;
            }
            shown.push((at, segment));
        }
        shown.extend(marked);
        shown.sort_by_key(|(at, _)| *at);
        Prefix {
            first: shown.iter().map(|(_, segment)| segment.first.as_str()).collect(),
            hang: shown
                .iter()
                .map(|(_, segment)| segment.hang.as_str())
                .filter(|_| marker <= room)
                .collect(),
        }
    }
}

// === impl Container ===

impl Container {
    fn segment(&self, dialect: &Dialect, is_marked: bool) -> Segment {
        match self {
            Self::Quote => Segment {
                first: dialect.quote.to_owned(),
                hang: dialect.quote.to_owned(),
            },
            Self::Item { marker } => {
                let hang = " ".repeat(marker.width().max(dialect.indent));
                Segment {
                    first: if is_marked { marker.clone() } else { hang.clone() },
                    hang,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nesting_too_deep_for_the_line_keeps_its_marker_and_its_innermost_levels() {
        let mut nest = Nest::default();
        for _ in 0..30 {
            nest.open_quote();
        }
        nest.open_list(Some(7));
        nest.open_item(&Dialect::PLAIN);
        let prefix = nest.prefix(&Dialect::PLAIN, Unit::Chars, 8);
        assert_eq!(
            prefix,
            Prefix {
                first: "> > 7. ".into(),
                hang: "> >    ".into()
            }
        );
        assert_eq!(nest.prefix(&Dialect::PLAIN, Unit::Chars, 8).first, "> >    ");
    }

    #[test]
    fn a_box_replaces_a_bullet_and_never_a_number() {
        let mut nest = Nest::default();
        nest.open_list(None);
        nest.open_item(&Dialect::PLAIN);
        assert!(nest.tick("☐ "));
        nest.close_container();
        nest.close_list();
        nest.open_list(Some(1));
        nest.open_item(&Dialect::PLAIN);
        assert!(!nest.tick("☐ "));
    }
}
