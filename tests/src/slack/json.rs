//! The world as Slack's JSON. Shapes from Slack's OpenAPI examples and the Java SDK's samples.

use serde_json::{Map, Value, json};

use super::{
    ts::Ts,
    world::{APP, BOT, BOT_NAME, BOT_USER, Channel, ChannelKind, File, Message, TEAM, User},
};

pub(crate) fn user(user: &User) -> Value {
    json!({
        "id": user.id, "team_id": TEAM, "name": user.name, "deleted": false, "color": "9f69e7",
        "real_name": user.name, "tz": "Europe/Berlin", "tz_label": "Central European Time", "tz_offset": 3600,
        "profile": {
            "title": "", "phone": "", "real_name": user.name, "real_name_normalized": user.name,
            "display_name": user.name, "display_name_normalized": user.name, "status_text": "",
            "status_emoji": "", "avatar_hash": "ge3b51ca72de", "team": TEAM,
        },
        "is_admin": false, "is_owner": false, "is_primary_owner": false, "is_restricted": false,
        "is_ultra_restricted": false, "is_bot": user.is_bot, "is_app_user": false, "updated": 1_502_138_686,
    })
}

pub(crate) fn channel(channel: &Channel) -> Value {
    if channel.kind == ChannelKind::Im {
        let user = channel.members.iter().find(|m| *m != BOT_USER);
        return json!({
            "id": channel.id, "created": channel.created, "is_archived": channel.archived, "is_im": true,
            "is_org_shared": false, "context_team_id": TEAM, "updated": channel.created * 1000, "user": user,
            "is_user_deleted": false, "priority": 0,
        });
    }
    let private = channel.kind != ChannelKind::Public;
    let note = json!({"value": "", "creator": "", "last_set": 0});
    json!({
        "id": channel.id, "name": channel.name, "name_normalized": channel.name, "created": channel.created,
        "creator": channel.members.iter().next(), "is_channel": channel.kind == ChannelKind::Public,
        "is_group": channel.kind == ChannelKind::Private, "is_im": false,
        "is_mpim": channel.kind == ChannelKind::Mpim, "is_private": private, "is_archived": channel.archived,
        "is_general": false, "is_shared": false, "is_ext_shared": false, "is_org_shared": false,
        "is_pending_ext_shared": false, "pending_shared": [], "unlinked": 0, "context_team_id": TEAM,
        "is_member": channel.has(BOT_USER), "topic": note, "purpose": note, "previous_names": [],
        "num_members": channel.members.len(),
    })
}

pub(crate) fn file(file: &File, base: &str) -> Value {
    let mut url: url::Url = base.parse().expect("the fake's own address");
    let folder = format!("{TEAM}-{}", file.id);
    url.path_segments_mut().expect("http has a path").extend([
        "files-pri",
        folder.as_str(),
        file.name.as_str(),
    ]);
    let url = url.as_str();
    json!({
        "id": file.id, "created": 1_700_000_000, "timestamp": 1_700_000_000, "name": file.name,
        "title": file.name, "mimetype": file.mimetype, "filetype": file.name.rsplit('.').next(),
        "pretty_type": "File", "mode": "hosted", "size": file.content.len(), "is_external": false,
        "is_public": true, "public_url_shared": false, "url_private": url, "url_private_download": url,
        "permalink": url, "file_access": "visible",
    })
}

/// What a message shows of itself, depending on who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) channel: &'a Channel,
    /// Full metadata instead of its `event_type` alone (`include_all_metadata`).
    pub(crate) all_metadata: bool,
    pub(crate) files: &'a std::collections::BTreeMap<String, File>,
    /// Where files are served.
    pub(crate) base: &'a str,
}

impl View<'_> {
    /// A message as `conversations.history` shows it.
    pub(crate) fn message(&self, message: &Message) -> Value {
        let mut out = Map::new();
        out.insert("type".into(), "message".into());
        out.insert("user".into(), message.user.clone().into());
        out.insert("text".into(), message.text.clone().into());
        out.insert("ts".into(), message.ts.to_string().into());
        out.insert("team".into(), TEAM.into());
        if let Some(subtype) = message.subtype {
            out.insert("subtype".into(), subtype.into());
        }
        if let Some(bot) = &message.bot_id {
            out.insert("bot_id".into(), bot.clone().into());
            out.insert("app_id".into(), APP.into());
            out.insert("bot_profile".into(), bot_profile(bot));
        }
        if let Some((user, at)) = &message.edited {
            out.insert("edited".into(), json!({"user": user, "ts": at.to_string()}));
        }
        self.thread(message, &mut out);
        self.extras(message, &mut out);
        Value::Object(out)
    }

    fn thread(&self, message: &Message, out: &mut Map<String, Value>) {
        let Some(thread) = message.thread else { return };
        out.insert("thread_ts".into(), thread.to_string().into());
        if thread != message.ts {
            if let Some(root) = self.channel.messages.get(&thread) {
                out.insert("parent_user_id".into(), root.user.clone().into());
            }
            return;
        }
        let replies: Vec<&Message> = replies(self.channel, thread).collect();
        let mut users: Vec<&str> = replies.iter().map(|r| r.user.as_str()).collect();
        users.sort_unstable();
        users.dedup();
        out.insert("reply_count".into(), replies.len().into());
        out.insert("reply_users_count".into(), users.len().into());
        out.insert("reply_users".into(), json!(users));
        out.insert("subscribed".into(), false.into());
        out.insert("is_locked".into(), false.into());
        if let Some(latest) = replies.last() {
            out.insert("latest_reply".into(), latest.ts.to_string().into());
        }
    }

    fn extras(&self, message: &Message, out: &mut Map<String, Value>) {
        if let Some(metadata) = &message.metadata {
            let shown = if self.all_metadata {
                metadata.clone()
            } else {
                json!({"event_type": metadata["event_type"]})
            };
            out.insert("metadata".into(), shown);
        }
        if !message.blocks.is_empty() {
            out.insert("blocks".into(), message.blocks.clone().into());
        }
        if !message.files.is_empty() {
            let files = message
                .files
                .iter()
                .filter_map(|id| self.files.get(id))
                .map(|f| file(f, self.base));
            out.insert("files".into(), files.collect());
            out.insert("upload".into(), false.into());
        }
        if !message.reactions.is_empty() {
            let reactions = message.reactions.iter();
            let shown = reactions.map(|(name, who)| json!({"name": name, "users": who, "count": who.len()}));
            out.insert("reactions".into(), shown.collect());
        }
    }
}

/// The replies of a thread, oldest first.
pub(crate) fn replies(channel: &Channel, thread: Ts) -> impl Iterator<Item = &Message> {
    channel
        .messages
        .values()
        .filter(move |m| m.thread == Some(thread) && m.ts != thread)
}

fn bot_profile(bot: &str) -> Value {
    let name = if bot == BOT { BOT_NAME } else { "other" };
    json!({
        "id": bot, "app_id": APP, "name": name, "deleted": false, "updated": 1_700_000_000, "team_id": TEAM,
        "user_id": BOT_USER, "icons": {},
    })
}
