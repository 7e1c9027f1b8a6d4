//! Reference definitions (`[label]: address`) that nothing refers to. A browser shows none of them; an answer that ends in a
//! list of its sources would lose it.

use std::collections::HashSet;

use pulldown_cmark::{BrokenLinkCallback, Parser};

/// The definitions of a document, and which of them were used.
#[derive(Debug)]
pub(super) struct References {
    /// Label and full text, in the order of the document.
    definitions: Vec<(String, String)>,
    used: HashSet<String>,
}

// === impl References ===

impl References {
    pub(super) fn of<'i, F: BrokenLinkCallback<'i>>(parser: &Parser<'i, F>) -> Self {
        let mut found: Vec<_> = parser.reference_definitions().iter().collect();
        found.sort_by_key(|(_, definition)| definition.span.start);
        let definitions = found.into_iter().map(|(label, definition)| {
            let title = definition
                .title
                .as_ref()
                .map(|title| format!(" \"{title}\""))
                .unwrap_or_default();
            (
                label.to_lowercase(),
                format!("[{label}]: {}{title}", definition.dest),
            )
        });
        Self {
            definitions: definitions.collect(),
            used: HashSet::new(),
        }
    }

    pub(super) fn used(&mut self, label: &str) {
        self.used.insert(label.to_lowercase());
    }

    /// The ones that were not used, as text.
    pub(super) fn unused(self) -> impl Iterator<Item = String> {
        let used = self.used;
        self.definitions
            .into_iter()
            .filter(move |(label, _)| !used.contains(label))
            .map(|(_, text)| text)
    }
}
