//! The slash command, registered in each server where it is missing or has changed: Discord allows 200 registrations a day and server,
//! and shows a server's own command at once.
//! <https://docs.discord.com/developers/interactions/application-commands>

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    account::Account,
    errors::CallError,
    rest::{Call, wire::Command},
};

const NAME: &str = "kata";
const DESCRIPTION: &str = "Ask the agent";
const OPTION: &str = "message";
const HINT: &str = "Your question, or one of: reset, status, stop, help";
/// A command, as opposed to a right-click.
const CHAT_INPUT: u64 = 1;
const STRING: u64 = 3;

/// Makes sure that a server has our command. What fails is a command less, and nothing else.
pub(crate) async fn ensure(account: &Account, guild: &str) {
    if !account.begin_commands(guild) {
        return;
    }
    if let Err(error) = register(account, guild).await {
        account.forget_commands(guild);
        tracing::debug!(code = error.code(), "the slash command cannot be registered");
    }
}

async fn register(account: &Account, guild: &str) -> Result<(), CallError> {
    let Ok(me) = account.me() else { return Ok(()) };
    let path = format!("/applications/{}/guilds/{guild}/commands", me.application);
    let known: Vec<Value> = account
        .rest
        .get("look at the slash commands", path.clone())
        .await?;
    if known.iter().any(is_current) {
        return Ok(());
    }
    // What is not named is taken away: the others are named as they are.
    let others = known.into_iter().filter(|command| command["name"] != NAME);
    let all: Vec<Value> = others.chain([ours()]).collect();
    let call = Call::new("register the slash command", Method::PUT, path);
    account.rest.done(call, &all).await.map(drop)
}

fn ours() -> Value {
    json!({
        "name": NAME, "type": CHAT_INPUT, "description": DESCRIPTION,
        "options": [{"name": OPTION, "description": HINT, "type": STRING, "required": false}],
    })
}

fn is_current(command: &Value) -> bool {
    let Ok(command) = Command::deserialize(command) else {
        return false;
    };
    let [option] = &command.options[..] else {
        return false;
    };
    command.name == NAME
        && command.description == DESCRIPTION
        && option.name == OPTION
        && option.description == HINT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_changed_is_registered() {
        assert!(is_current(&ours()));
        let mut other = ours();
        other["description"] = "Something else".into();
        assert!(!is_current(&other));
        assert!(!is_current(&json!({"name": "ask"})));
    }
}
