//! Permissions of the file that come to an end.

use std::time::SystemTime;

use crate::{digest::Digest, file};

/// A rule that allows a number of calls, or allows until a time: what whoever lists grants shows beside those that were
/// minted by an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileGrant {
    /// The rule's id. Verdicts name it as `rule:{id}`.
    pub id: String,
    /// Changes with every word of the rule, its comment too: a rule of the same id with another fingerprint is another grant.
    pub fingerprint: Digest,
    /// The tools that it is about, as they are written: names, or patterns of names.
    pub tools: Vec<String>,
    /// How many calls it allows in all.
    pub uses: Option<u64>,
    /// When it ends, wall time.
    pub until: Option<SystemTime>,
}

// === impl FileGrant ===

impl FileGrant {
    /// None where the rule allows for ever.
    pub(crate) fn of(rule: &file::Rule) -> Option<Self> {
        if rule.uses.is_none() && rule.until.is_none() {
            return None;
        }
        let written = serde_json::to_value(rule).expect("a rule was read from JSON");
        Some(Self {
            id: rule.id.clone(),
            fingerprint: Digest::of(&written),
            tools: rule.tools.iter().map(|name| name.text.clone()).collect(),
            uses: rule.uses,
            until: rule.until.as_ref().map(|until| until.value.into()),
        })
    }
}
