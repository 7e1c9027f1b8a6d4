//! What the policy says, seen from outside.

mod file;
mod grants;
// Needs symbolic links.
#[cfg(unix)]
mod hostile;
mod properties;
#[cfg(unix)]
mod protected;
mod rules;
mod schema;

use kata_perm::{Context, Decision, PermissionsFile, Policy, Role, Roots, ToolCall, Verdict};
use serde_json::Value;

/// The base with this file in force, in a workspace that is not there.
fn policy(file: &Value) -> Policy {
    let file = PermissionsFile::parse(&file.to_string()).unwrap_or_else(|error| panic!("{error}"));
    Policy::base().with_file(&file, &Roots::new("/none/ws"))
}

fn decide(policy: &Policy, tool: &str, input: &Value) -> Verdict {
    policy.decide(&ToolCall::new(tool, input.clone()), &Context::new(Role::Owner))
}

fn check(policy: &Policy, tool: &str, input: &Value, decision: Decision, rule: &str) {
    let verdict = decide(policy, tool, input);
    assert_eq!(
        (verdict.decision, &*verdict.rule),
        (decision, rule),
        "{tool} {input}: {}",
        verdict.reason
    );
}
