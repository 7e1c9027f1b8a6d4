//! Rules of a file that end, or that allow so many calls, are grants: kept, counted, listed and revoked like those that
//! an approval minted.

use std::sync::Arc;

use kata_store::FileGrant;

use crate::{daemon::Daemon, wire};

/// A rule of a file as verdicts name it, and so as its grant is kept: `rule:` and its id.
pub(super) const RULE: &str = "rule:";

/// The id of a rule that is named as verdicts name it.
pub(super) fn rule_id(named: &str) -> &str {
    named.strip_prefix(RULE).unwrap_or(named)
}

/// Makes the grants of a workspace's file those that it has now.
pub(super) async fn sync(daemon: &Arc<Daemon>, workspace: &str) {
    let policy = daemon.gate.policies.of(workspace);
    let grants = policy.file_grants().map(|grant| FileGrant {
        rule: format!("{RULE}{}", grant.id),
        fingerprint: grant.fingerprint.to_string(),
        tools: grant.tools.join(", "),
        uses: grant.uses,
        until: grant.until.map(wire::unix_ms),
    });
    let grants = grants.collect();
    if let Err(error) = daemon.store.sync_file_grants(workspace, grants).await {
        daemon.store_failed("writing down the grants of a permissions file", &error);
    }
}
