//! Direct conversations with people whom the configuration names. Discord does not list a bot's direct conversations, so the first
//! thing that somebody says there while we are away would be found nowhere. To open a conversation that there is gives its id, and
//! tells the other side nothing: <https://docs.discord.com/developers/resources/user#create-dm>.

use http::Method;
use kata_channel::{ChannelError, Place};
use serde_json::json;

use super::DiscordAdapter;
use crate::{
    errors::{CallError, code},
    rest::{Call, wire::Channel},
};

/// People for whom a conversation is opened. Discord stops bots that open many.
const MOST: usize = 50;

/// The conversations of those people. Each is opened once in our life, and not at all if it is read already: a conversation that is
/// stored is looked at, and says whose it is.
pub(super) async fn open(adapter: &DiscordAdapter, known: &[Place]) -> Result<Vec<Place>, ChannelError> {
    // Where channels are named, direct conversations are not served.
    if !adapter.desk.named.is_empty() {
        return Ok(Vec::new());
    }
    let people: Vec<&str> = adapter
        .desk
        .people
        .iter()
        .take(MOST)
        .map(String::as_str)
        .collect();
    recognise(adapter, &people, known).await?;
    for person in &people {
        if adapter.account().atlas.direct_with(person).is_none() && !open_one(adapter, person).await? {
            break;
        }
    }
    let claims = &adapter.account().claims;
    let found = people
        .into_iter()
        .filter_map(|person| adapter.account().atlas.direct_with(person)?)
        .filter(|id| !claims.belongs_to_another(id, &adapter.desk.key));
    Ok(found.map(Place::conversation).collect())
}

/// Looks at what is read already, until it is known whose conversations those are.
async fn recognise(adapter: &DiscordAdapter, people: &[&str], known: &[Place]) -> Result<(), ChannelError> {
    let account = adapter.account();
    let is_missing = |person: &&str| account.atlas.direct_with(person).is_none();
    for place in known {
        if !people.iter().any(is_missing) {
            break;
        }
        match account
            .atlas
            .find(place.conversation.as_str(), &account.rest)
            .await
        {
            // A channel that is gone.
            Ok(_) | Err(CallError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// `false` = not now, nor for the next one.
async fn open_one(adapter: &DiscordAdapter, person: &str) -> Result<bool, ChannelError> {
    let account = adapter.account();
    let call = Call::new(
        "open a direct conversation",
        Method::POST,
        "/users/@me/channels".into(),
    );
    let opened: Result<Channel, CallError> = account.rest.send(call, &json!({"recipient_id": person})).await;
    match opened {
        Ok(channel) => account.atlas.chart(&channel),
        Err(CallError::Limited { .. }) => return Ok(false),
        Err(CallError::Refused(refusal)) if refusal.code == code::TOO_MANY_DIRECTS => return Ok(false),
        Err(CallError::Refused(refusal)) if refusal.status != 401 => {
            // A bot, ourselves, somebody who is gone: the others are served all the same.
            tracing::debug!(code = refusal.code, "a direct conversation cannot be opened");
            account.atlas.note_shut(person);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}
