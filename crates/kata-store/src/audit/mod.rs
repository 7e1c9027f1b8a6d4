//! Who decided what: rows that are only ever added, each chained to the one before it by a hash. The chain's head also
//! stands in a file of its own, so that rows cut off its end are missed.

mod chain;
mod head;
mod keep;
mod list;
mod verify;

use rusqlite::types::Value;

pub(crate) use head::{Check, HeadFile, check, set_aside};
pub(crate) use keep::sweep;
pub(crate) use list::list;
pub use list::{AuditFilter, AuditRow};
pub(crate) use verify::verify;
pub use verify::{AuditReport, Break, Broken, HeadStanding};

use crate::{AuditKind, StoreError, tx::Tx};

/// What is to be written down.
pub(crate) struct Entry<'a> {
    pub(crate) kind: AuditKind,
    pub(crate) workspace: Option<&'a str>,
    pub(crate) slug: Option<&'a str>,
    pub(crate) conversation: Option<&'a str>,
    pub(crate) session_key: Option<&'a str>,
    pub(crate) message: Option<i64>,
    pub(crate) tool: Option<&'a str>,
    pub(crate) digest: Option<&'a str>,
    pub(crate) decision: Option<&'a str>,
    pub(crate) rule: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) role: Option<&'a str>,
    pub(crate) by: Option<&'a str>,
    pub(crate) grant: Option<i64>,
    pub(crate) approval: Option<i64>,
    pub(crate) origin: Option<&'a serde_json::Value>,
}

impl Entry<'_> {
    pub(crate) fn new(kind: AuditKind) -> Self {
        Self {
            kind,
            workspace: None,
            slug: None,
            conversation: None,
            session_key: None,
            message: None,
            tool: None,
            digest: None,
            decision: None,
            rule: None,
            reason: None,
            role: None,
            by: None,
            grant: None,
            approval: None,
            origin: None,
        }
    }

    /// The row's columns, in the order of [`chain::COLUMNS`].
    fn columns(&self, id: i64, at: i64) -> [Value; chain::COUNT] {
        let text = |text: Option<&str>| text.map(str::to_owned).into();
        [
            chain::VERSION.into(),
            id.into(),
            at.into(),
            self.kind.as_str().to_owned().into(),
            text(self.workspace),
            text(self.slug),
            text(self.conversation),
            text(self.session_key),
            self.message.into(),
            text(self.tool),
            text(self.digest),
            text(self.decision),
            text(self.rule),
            text(self.reason),
            text(self.role),
            text(self.by),
            self.grant.into(),
            self.approval.into(),
            self.origin.map(ToString::to_string).into(),
            Value::Null,
        ]
    }
}

/// Adds a row to the chain; its id.
pub(crate) fn append(tx: &mut Tx<'_>, entry: &Entry<'_>) -> Result<i64, StoreError> {
    let last = chain::last(tx.conn)?;
    // Where somebody else has used the last id there is, the insert fails, and with it what was to be recorded.
    let id = last.id.saturating_add(1);
    let mut row: Vec<Value> = entry.columns(id, tx.now.0).into();
    let hash = chain::hash(last.hash.as_bytes(), row.iter().map(Into::into));
    row.extend([last.hash.into(), hash.into()]);
    tx.insert(chain::INSERT, rusqlite::params_from_iter(row))?;
    tx.wake.audit = true;
    Ok(id)
}
