//! Where things are: channels and threads, servers and their roles. Told by the gateway, asked of the REST API where it did not
//! tell, bounded.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hashlink::LruCache;
use kata_channel::Place;

use crate::{
    errors::CallError,
    rest::{
        Rest,
        wire::{Channel, Guild, Member},
    },
};

/// Channels and threads in memory. A server has 500 channels and 1,000 active threads at most.
const CHANNELS: usize = 10_000;
/// Direct conversations that were seen.
const DIRECTS: usize = 1_000;
/// Servers of which roles are known.
const GUILDS: usize = 2_500;
/// A name is untrusted text and stands in the middle of other text.
const LONGEST: usize = 80;

/// Kinds of channels: <https://docs.discord.com/developers/resources/channel#channel-object-channel-types>.
pub(crate) mod kind {
    pub(crate) const TEXT: u64 = 0;
    pub(crate) const DIRECT: u64 = 1;
    pub(crate) const ANNOUNCEMENTS: u64 = 5;
    pub(crate) const FORUM: u64 = 15;
    pub(crate) const MEDIA: u64 = 16;

    pub(crate) fn is_thread(kind: u64) -> bool {
        matches!(kind, 10..=12)
    }

    /// A forum has posts, which are threads, and no messages of its own.
    pub(crate) fn is_forum(kind: u64) -> bool {
        matches!(kind, FORUM | MEDIA)
    }
}

/// A channel or a thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) kind: u64,
    pub(crate) guild: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) name: Option<String>,
}

/// What is known of the world around a bot.
#[derive(Debug)]
pub(crate) struct Atlas(Mutex<Known>);

#[derive(Debug)]
struct Known {
    spots: LruCache<String, Spot>,
    directs: LruCache<String, ()>,
    /// Direct conversations by the person; none = Discord opens none.
    people: LruCache<String, Option<String>>,
    guilds: LruCache<String, Roles>,
}

#[derive(Debug, Default)]
struct Roles {
    names: HashMap<String, String>,
    ours: Vec<String>,
}

// === impl Spot ===

impl Spot {
    fn of(channel: &Channel, guild: Option<&str>) -> Self {
        Self {
            kind: channel.kind,
            guild: channel.guild_id.clone().or_else(|| guild.map(str::to_owned)),
            parent: channel.parent_id.clone(),
            name: channel.name.as_deref().map(tidy),
        }
    }

    /// The place that a channel's id stands for: a thread is a place in its channel.
    pub(crate) fn place(&self, id: &str) -> Place {
        match &self.parent {
            Some(parent) if kind::is_thread(self.kind) => Place::thread(parent.as_str(), id),
            _ => Place::conversation(id),
        }
    }
}

// === impl Atlas ===

impl Default for Atlas {
    fn default() -> Self {
        Self(Mutex::new(Known {
            spots: LruCache::new(CHANNELS),
            directs: LruCache::new(DIRECTS),
            people: LruCache::new(DIRECTS),
            guilds: LruCache::new(GUILDS),
        }))
    }
}

impl Atlas {
    /// A server is there, with all that is in it. `me` is our own id.
    pub(crate) fn chart_guild(&self, guild: &Guild, me: &str) {
        let mut known = self.lock();
        for channel in guild.channels.iter().chain(&guild.threads) {
            let spot = Spot::of(channel, Some(&guild.id));
            known.spots.insert(channel.id.clone(), spot);
        }
        let is_me = |member: &&Member| member.user.as_ref().is_some_and(|user| user.id == me);
        let ours = guild
            .members
            .iter()
            .find(is_me)
            .map(|member| member.roles.clone());
        let roles = Roles {
            names: guild
                .roles
                .iter()
                .map(|role| (role.id.clone(), tidy(&role.name)))
                .collect(),
            ours: ours.unwrap_or_default(),
        };
        known.guilds.insert(guild.id.clone(), roles);
    }

    /// A channel or thread is there, or has changed.
    pub(crate) fn chart(&self, channel: &Channel) {
        if channel.id.is_empty() {
            return;
        }
        let mut known = self.lock();
        known.spots.insert(channel.id.clone(), Spot::of(channel, None));
        if let [person] = &channel.recipients[..]
            && channel.kind == kind::DIRECT
        {
            known.people.insert(person.id.clone(), Some(channel.id.clone()));
        }
    }

    /// What is known of a channel.
    pub(crate) fn spot(&self, id: &str) -> Option<Spot> {
        self.lock().spots.get(id).cloned()
    }

    /// The channel, asked for if it is not known.
    ///
    /// # Errors
    /// Discord's.
    pub(crate) async fn find(&self, id: &str, rest: &Rest) -> Result<Spot, CallError> {
        if let Some(known) = self.spot(id) {
            return Ok(known);
        }
        let channel: Channel = rest.get("look at a channel", format!("/channels/{id}")).await?;
        self.chart(&channel);
        Ok(Spot::of(&channel, None))
    }

    /// The roles we have in a server, asked for if they are not known.
    ///
    /// # Errors
    /// Discord's.
    pub(crate) async fn learn_roles(&self, guild: &str, me: &str, rest: &Rest) -> Result<(), CallError> {
        if self.lock().guilds.contains_key(guild) {
            return Ok(());
        }
        let member: Member = rest
            .get("look at our roles", format!("/guilds/{guild}/members/{me}"))
            .await?;
        self.lock().guilds.insert(
            guild.to_owned(),
            Roles {
                names: HashMap::new(),
                ours: member.roles,
            },
        );
        Ok(())
    }

    /// Our roles in a server have changed.
    pub(crate) fn set_roles(&self, guild: &str, ours: Vec<String>) {
        if let Some(roles) = self.lock().guilds.get_mut(guild) {
            roles.ours = ours;
        }
    }

    /// Whether one of these roles is ours.
    pub(crate) fn is_ours(&self, guild: &str, roles: &[String]) -> bool {
        let mut known = self.lock();
        let ours = known.guilds.get(guild).map(|known| &known.ours);
        ours.is_some_and(|ours| roles.iter().any(|role| ours.contains(role)))
    }

    /// A role's name.
    pub(crate) fn role(&self, guild: &str, role: &str) -> Option<String> {
        self.lock().guilds.get(guild)?.names.get(role).cloned()
    }

    /// A direct conversation was seen. Discord does not list them to bots.
    pub(crate) fn note_direct(&self, id: &str) {
        let mut known = self.lock();
        known.directs.insert(id.to_owned(), ());
        known.spots.insert(
            id.to_owned(),
            Spot {
                kind: kind::DIRECT,
                ..Spot::default()
            },
        );
    }

    /// Discord opens no direct conversation with this person.
    pub(crate) fn note_shut(&self, person: &str) {
        self.lock().people.insert(person.to_owned(), None);
    }

    /// The direct conversation with a person; `Some(None)` = there can be none, none = it is not known.
    pub(crate) fn direct_with(&self, person: &str) -> Option<Option<String>> {
        self.lock().people.get(person).cloned()
    }

    /// The direct conversations that were seen.
    pub(crate) fn directs(&self) -> Vec<String> {
        self.lock().directs.iter().map(|(id, ())| id.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name without line ends, and not too long.
pub(crate) fn tidy(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(LONGEST).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guild() -> Guild {
        serde_json::from_str(
            r#"{"id": "1", "roles": [{"id": "7", "name": "the\nbots"}], "members": [{"user": {"id": "9"}, "roles": ["7"]}],
                "channels": [{"id": "2", "type": 0, "name": "general"}, {"id": "3", "type": 15, "name": "help"}],
                "threads": [{"id": "4", "type": 11, "parent_id": "3", "name": "how?"}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_thread_is_a_place_in_its_channel() {
        let atlas = Atlas::default();
        atlas.chart_guild(&guild(), "9");
        let place = |id| atlas.spot(id).unwrap().place(id);
        assert_eq!(place("2"), Place::conversation("2"));
        assert_eq!(place("4"), Place::thread("3", "4"));
        assert_eq!(atlas.spot("4").unwrap().guild.as_deref(), Some("1"));
    }

    #[test]
    fn our_roles_and_their_names_are_known() {
        let atlas = Atlas::default();
        atlas.chart_guild(&guild(), "9");
        assert!(atlas.is_ours("1", &["6".into(), "7".into()]));
        assert!(!atlas.is_ours("1", &["6".into()]));
        assert!(!atlas.is_ours("2", &["7".into()]));
        assert_eq!(atlas.role("1", "7").as_deref(), Some("the bots"));
        atlas.set_roles("1", Vec::new());
        assert!(!atlas.is_ours("1", &["7".into()]));
    }

    #[test]
    fn what_is_known_is_bounded() {
        let atlas = Atlas::default();
        for n in 0..CHANNELS + 10 {
            let id = n.to_string();
            atlas.chart(&Channel {
                id: id.clone(),
                ..Channel::default()
            });
            atlas.note_direct(&id);
        }
        assert_eq!(atlas.lock().spots.len(), CHANNELS);
        assert_eq!(atlas.directs().len(), DIRECTS);
    }
}
