//! The environment variables that hold a channel's tokens.

/// The variable with a channel's token: `KATA_TOKEN_<WORKSPACE>_<SLUG>`, in upper case, with `_` for every other character. Two
/// channels may have one variable: whoever reads it must refuse both.
#[must_use]
pub fn token_variable(workspace: &str, slug: &str) -> String {
    variable("KATA_TOKEN", workspace, slug)
}

/// The variable with a channel's second token (Slack's app-level token): `KATA_APP_TOKEN_<WORKSPACE>_<SLUG>`.
#[must_use]
pub fn app_token_variable(workspace: &str, slug: &str) -> String {
    variable("KATA_APP_TOKEN", workspace, slug)
}

fn variable(prefix: &str, workspace: &str, slug: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let name = format!("{workspace}_{slug}")
        .chars()
        .map(plain)
        .collect::<String>();
    format!("{prefix}_{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_named_for_workspace_and_channel() {
        assert_eq!(token_variable("8f2c-1", "team"), "KATA_TOKEN_8F2C_1_TEAM");
        assert_eq!(app_token_variable("w\u{f6}", "t.x"), "KATA_APP_TOKEN_W__T_X");
        // Which is why two that clash are refused.
        assert_eq!(token_variable("a", "b-c"), token_variable("a-b", "c"));
    }
}
