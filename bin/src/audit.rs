//! `katad audit verify`: whether the record of verdicts is as it was written, and what such a check can and cannot find.

use std::path::Path;

use kata_store::{ApprovalFilter, AuditReport, Break, GrantFilter, HeadStanding, StoreError, View};
use serde_json::json;

use crate::{exit::Exit, home::Home, open::sentence, status, terminal};

/// What is said under each result, so that nobody takes it for more than it is.
const LIMITS: &str = "\
Found by this check: a row that was changed, removed or put in between, and rows cut off the end while daemon.audit
was left alone. Not found: a record made anew to its end, or emptied, by somebody who wrote or removed daemon.audit as
well, and rows taken off the front together with the mark of where it begins, as retention does. Whoever has your
user's rights can do either; keep a copy of daemon.audit elsewhere if that matters to you.";

/// Checks the record. Exits with 0 only if nothing is wrong with it.
pub(crate) fn verify(as_json: bool) -> Exit {
    let home = match Home::from_env() {
        Ok(home) => home,
        Err(why) => return terminal::fail(why, Exit::BadConfig),
    };
    let head = home.audit_head();
    let report = match status::open(&home).and_then(|view| look(&view, &head).map_err(|e| sentence(&e))) {
        Ok(report) => report,
        Err(why) => return terminal::fail(why, Exit::TryLater),
    };
    let said = if as_json {
        terminal::json(&to_json(&report))
    } else {
        terminal::say(format_args!("{}\n\n{LIMITS}", in_words(&report)))
    };
    if said != Exit::Done || is_sound(&report) {
        said
    } else {
        Exit::Bug
    }
}

/// What was found.
struct Report {
    chain: AuditReport,
    /// There is no record, and there are grants or questions, which are never without one.
    is_emptied: bool,
}

impl std::ops::Deref for Report {
    type Target = AuditReport;

    fn deref(&self) -> &AuditReport {
        &self.chain
    }
}

fn look(view: &View, head: &Path) -> Result<Report, StoreError> {
    let chain = view.verify_audit(head)?;
    let is_emptied = chain.rows == 0
        && chain.starts_after == 0
        && (!view.grants(&GrantFilter::default(), None, 1)?.is_empty()
            || !view.approvals(&ApprovalFilter::default(), None, 1)?.is_empty());
    Ok(Report { chain, is_emptied })
}

/// Nothing is wrong. Rows behind the head are told and are no fault: a daemon that was killed leaves them.
fn is_sound(report: &Report) -> bool {
    let head_fits = match report.head {
        HeadStanding::Same | HeadStanding::Behind { .. } => true,
        HeadStanding::Missing => report.rows == 0 && report.starts_after == 0,
        HeadStanding::Ahead { .. } | HeadStanding::Other { .. } | HeadStanding::Unreadable { .. } => false,
    };
    report.broken.is_none() && report.disputes == 0 && !report.is_emptied && head_fits
}

fn in_words(report: &Report) -> String {
    let mut said = vec![match report.rows {
        0 => "The record is empty.".to_owned(),
        1 => "1 row was checked.".to_owned(),
        n => format!("{n} rows were checked."),
    }];
    if report.is_emptied {
        said.push(
            "BROKEN: there are questions or grants, and no row about any of them: the record was emptied."
                .to_owned(),
        );
    }
    if report.starts_after > 0 {
        said.push(format!(
            "It begins behind row {}: older ones were removed, by retention or by somebody who moved the mark as well. These cannot be told apart.",
            report.starts_after
        ));
    }
    if let Some(broken) = report.broken {
        said.push(match broken.how {
            Break::Changed => format!("BROKEN: row {} was changed after it was written.", broken.row),
            Break::Unlinked => format!(
                "BROKEN: row {} does not follow on the one before it: a row was removed, put in between, or rewritten.",
                broken.row
            ),
        });
    }
    if report.disputes > 0 {
        said.push(format!(
            "BROKEN: at {} starts of the daemon daemon.audit said other than the record.",
            report.disputes
        ));
    }
    said.push(match &report.head {
        HeadStanding::Same => "Its last row is the one that daemon.audit names.".to_owned(),
        HeadStanding::Behind { rows } => format!(
            "It goes on for {rows} rows after the one that daemon.audit names: the daemon is at work, was killed between the two, or somebody added rows. These cannot be told apart."
        ),
        HeadStanding::Ahead { rows } => format!("BROKEN: {rows} rows were cut off its end: daemon.audit names a later one."),
        HeadStanding::Other { row } => format!("BROKEN: row {row} is not the one that daemon.audit names."),
        HeadStanding::Missing if report.rows == 0 => {
            "There is no daemon.audit either: nothing was decided yet, or somebody removed both. These cannot be told apart.".to_owned()
        }
        HeadStanding::Missing => "BROKEN: daemon.audit is missing, so rows may have been cut off the end.".to_owned(),
        HeadStanding::Unreadable { reason } => format!("BROKEN: daemon.audit cannot be read: {reason}."),
    });
    if is_sound(report) && report.rows > 0 {
        said.push("Nothing that this check can find is wrong with it.".to_owned());
    }
    said.join("\n")
}

fn to_json(report: &Report) -> serde_json::Value {
    let broken = report.broken.map(|broken| {
        let how = match broken.how {
            Break::Changed => "changed",
            Break::Unlinked => "unlinked",
        };
        json!({"row": broken.row, "how": how})
    });
    let head = match &report.head {
        HeadStanding::Same => json!({"standing": "same"}),
        HeadStanding::Behind { rows } => json!({"standing": "behind", "rows": rows}),
        HeadStanding::Ahead { rows } => json!({"standing": "ahead", "rows": rows}),
        HeadStanding::Other { row } => json!({"standing": "other", "row": row}),
        HeadStanding::Missing => json!({"standing": "missing"}),
        HeadStanding::Unreadable { reason } => json!({"standing": "unreadable", "reason": reason}),
    };
    json!({
        "sound": is_sound(report), "rows": report.rows, "startsAfter": report.starts_after, "lastRow": report.last,
        "broken": broken, "emptied": report.is_emptied, "disputes": report.disputes, "head": head,
    })
}
