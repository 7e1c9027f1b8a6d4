//! Tokens in environment variables.

use std::{collections::BTreeMap, ffi::OsString};

use secrecy::SecretString;

/// What a variable with a token begins with.
const PREFIXES: [&str; 2] = ["KATA_TOKEN_", "KATA_APP_TOKEN_"];

/// The variables that hold tokens, as they stood at the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    tokens: BTreeMap<String, SecretString>,
}

// === impl Environment ===

impl Environment {
    /// The tokens among these variables. An empty one counts as unset.
    pub(crate) fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let token = |(name, value): (OsString, OsString)| {
            let name = name.into_string().ok()?;
            let value = value.into_string().ok()?;
            let is_token = PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            (is_token && !value.trim().is_empty()).then(|| (name, value.into()))
        };
        Self {
            tokens: variables.into_iter().filter_map(token).collect(),
        }
    }

    pub(crate) fn get(&self, variable: &str) -> Option<&SecretString> {
        self.tokens.get(variable)
    }
}
