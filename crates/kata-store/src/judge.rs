//! The verdict on a tool call: what stands after grants and counts, written down in the same transaction.

use serde_json::Value;

use crate::{
    AuditKind, ChannelId, Ruling, StoreError,
    audit::{self, Entry},
    channel,
    grant::{self, Standing},
    tx::Tx,
};

/// Where a tool call is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The workspace.
    pub workspace: String,
    /// The channel; none for a turn that has none.
    pub channel: Option<ChannelId>,
    /// The platform's place of talk.
    pub conversation: Option<String>,
    /// The session's key.
    pub session_key: Option<String>,
    /// The turn: its newest message row.
    pub message: Option<i64>,
}

/// A tool call and what the rules say about it.
#[derive(Clone, Debug)]
pub struct Judge {
    /// Where it is made.
    pub scope: Scope,
    /// The tool.
    pub tool: String,
    /// The digest of the tool and its arguments.
    pub digest: String,
    /// What the rules say.
    pub decision: Ruling,
    /// The rule that said so.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// What the turn's sender may do.
    pub role: String,
    /// Who and what the turn was made from.
    pub origin: Option<Value>,
    /// The rule that allows has an end or a number of uses, and this call takes one.
    pub counted: Option<Counted>,
}

/// A rule of the permissions file that has a grant: it ends, or allows a number of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The rule's id, as it was given to [`Store::sync_file_grants`](crate::Store::sync_file_grants).
    pub rule: String,
    /// How many calls it allows; none: any number.
    pub limit: Option<u64>,
}

/// The verdict that stands. It is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What is decided.
    pub decision: Ruling,
    /// The rule that decided; `grant:{id}` where a grant of an approval did.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// The grant of which this call took a use, or that was spent.
    pub grant: Option<i64>,
    /// Its row in the audit.
    pub audit: i64,
}

/// What was decided, before it is written down.
struct Verdict {
    decision: Ruling,
    rule: String,
    reason: String,
    grant: Option<i64>,
}

pub(crate) fn judge(tx: &mut Tx<'_>, judge: Judge) -> Result<Judged, StoreError> {
    let verdict = match judge.decision {
        // A grant never beats a denial: none is looked for.
        Ruling::Deny => None,
        Ruling::Ask => granted(tx, &judge)?,
        Ruling::Allow => counted(tx, &judge)?,
    };
    let verdict = verdict.unwrap_or_else(|| Verdict {
        decision: judge.decision,
        rule: judge.rule.clone(),
        reason: judge.reason.clone(),
        grant: None,
    });
    let audit = record(tx, &judge, &verdict)?;
    Ok(Judged {
        decision: verdict.decision,
        rule: verdict.rule,
        reason: verdict.reason,
        grant: verdict.grant,
        audit,
    })
}

/// Somebody said yes to this very call before.
fn granted(tx: &mut Tx<'_>, judge: &Judge) -> Result<Option<Verdict>, StoreError> {
    Ok(grant::take(tx, judge)?.map(|(grant, by)| Verdict {
        decision: Ruling::Allow,
        rule: format!("grant:{grant}"),
        reason: format!("{} was approved by {by}.", judge.tool),
        grant: Some(grant),
    }))
}

/// The rule of the file allows it, if it still does.
fn counted(tx: &mut Tx<'_>, judge: &Judge) -> Result<Option<Verdict>, StoreError> {
    let Some(Counted { rule, limit }) = &judge.counted else {
        return Ok(None);
    };
    let found = grant::standing(tx, &judge.scope.workspace, rule)?;
    let grant = found.map(|(grant, _)| grant);
    let why = match found {
        None => "is not in force any more",
        Some((_, Standing::Revoked)) => "was revoked",
        Some((_, Standing::Ended)) => "has ended",
        Some((grant, Standing::Live)) if grant::count(tx, grant, *limit)? => {
            return Ok(Some(Verdict {
                decision: Ruling::Allow,
                rule: judge.rule.clone(),
                reason: judge.reason.clone(),
                grant: Some(grant),
            }));
        }
        Some((_, Standing::Live)) => "has no use left",
    };
    Ok(Some(Verdict {
        decision: Ruling::Deny,
        rule: judge.rule.clone(),
        reason: format!("The rule {rule} that allows {} {why}.", judge.tool),
        grant,
    }))
}

fn record(tx: &mut Tx<'_>, judge: &Judge, verdict: &Verdict) -> Result<i64, StoreError> {
    let scope = &judge.scope;
    let home = match scope.channel {
        Some(channel) => channel::find(tx, channel)?,
        None => None,
    };
    audit::append(
        tx,
        &Entry {
            workspace: Some(&scope.workspace),
            slug: home.as_ref().map(|home| home.slug.as_str()),
            conversation: scope.conversation.as_deref(),
            session_key: scope.session_key.as_deref(),
            message: scope.message,
            tool: Some(&judge.tool),
            digest: Some(&judge.digest),
            decision: Some(verdict.decision.as_str()),
            rule: Some(&verdict.rule),
            reason: Some(&verdict.reason),
            role: Some(&judge.role),
            grant: verdict.grant,
            origin: judge.origin.as_ref(),
            ..Entry::new(AuditKind::Verdict)
        },
    )
}
