//! The answer to a tool call.

use std::borrow::Cow;

use serde::Serialize;

/// What is to become of a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It runs.
    Allow,
    /// It does not.
    Deny,
    /// It runs if somebody says yes.
    Ask,
}

/// A decision, with the rule that made it and a sentence that says why. Serialised it is the `data` of `check_tool`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct Verdict {
    /// What is to become of the call.
    #[serde(rename = "verdict")]
    pub decision: Decision,
    /// The rule that decided: a stable word for logs and the audit.
    pub rule: Cow<'static, str>,
    /// Why, for people and for the agent.
    pub reason: String,
}

// === impl Verdict ===

impl Verdict {
    pub(crate) fn allow(rule: impl Into<Cow<'static, str>>, reason: String) -> Self {
        Self {
            decision: Decision::Allow,
            rule: rule.into(),
            reason,
        }
    }

    pub(crate) fn deny(rule: impl Into<Cow<'static, str>>, reason: String) -> Self {
        Self {
            decision: Decision::Deny,
            rule: rule.into(),
            reason,
        }
    }

    pub(crate) fn ask(rule: impl Into<Cow<'static, str>>, reason: String) -> Self {
        Self {
            decision: Decision::Ask,
            rule: rule.into(),
            reason,
        }
    }

    /// A person is asked, or the call is denied where that cannot be (D28).
    pub(crate) fn question(rule: impl Into<Cow<'static, str>>, tool: &str, can_ask: bool) -> Self {
        if can_ask {
            Self::ask(rule, format!("{tool} needs a person's approval."))
        } else {
            Self::deny(
                rule,
                format!("{tool} needs a person's approval, and nobody can be asked here."),
            )
        }
    }

    /// The plain denial. Agents and the app know it by these words.
    pub(crate) fn not_listed(rule: &'static str, tool: &str) -> Self {
        let reason = format!(
            "{tool} is not in the daemon tool allowlist. Daemon mode restricts tool access for safety."
        );
        Self::deny(rule, reason)
    }

    /// The same, with a sentence more.
    pub(crate) fn because(mut self, sentence: &str) -> Self {
        self.reason.push(' ');
        self.reason.push_str(sentence);
        self
    }

    /// The call may run without asking anybody.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.decision == Decision::Allow
    }
}
