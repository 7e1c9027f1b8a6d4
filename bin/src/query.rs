//! Queries: read-only views of the daemon's state, a page at a time.

mod permissions;
mod plugins;
mod sessions;

use kata_channel::Timestamp;
use kata_ipc::{
    command::{Query, QueryWhat},
    event::{
        Answer,
        view::{ChannelView, DaemonView, Direction, MessageState, MessageView, Page},
    },
};
use kata_store::{ChannelCounts, ChannelId, Listed, MessageFilter, QueuePlace, UnixMs};

use crate::{
    commands::Refused,
    daemon::{Daemon, fault},
    tasks,
};

pub(crate) use self::{
    permissions::{grant, live_grants},
    plugins::{of_build as plugins_of_build, running as running_plugins},
};

/// Items of a page when the query names no limit.
const PAGE: u32 = 100;
/// The largest page.
const LARGEST: u32 = 1000;

/// Answers one query.
pub(crate) async fn answer(daemon: &Daemon, query: &Query) -> Result<Answer, Refused> {
    Ok(match query.what {
        QueryWhat::Status => Answer::with(status(daemon).await?),
        QueryWhat::Channels => Answer::with(channels(daemon).await?),
        QueryWhat::Queue => Answer::with(queue(daemon, query).await?),
        QueryWhat::Messages => Answer::with(messages(daemon, query).await?),
        QueryWhat::Sessions => Answer::with(sessions::sessions(daemon, query).await?),
        QueryWhat::Plugins => Answer::with(plugins::plugins(daemon)),
        QueryWhat::Approvals => Answer::with(permissions::approvals(daemon, query).await?),
        QueryWhat::Grants => Answer::with(permissions::grants(daemon, query).await?),
        QueryWhat::Pairings => Answer::with(permissions::pairings(daemon, query).await?),
        QueryWhat::Audit => Answer::with(permissions::audit(daemon, query).await?),
        QueryWhat::Tools => Answer::with(permissions::all_tools(daemon, query)),
        QueryWhat::Tasks => Answer::with(tasks::query(daemon, query).await?),
    })
}

async fn status(daemon: &Daemon) -> Result<Page<DaemonView>, Refused> {
    let counts = daemon.store.channel_counts().await?;
    let sum = |of: fn(&ChannelCounts) -> u64| counts.iter().map(of).sum();
    let view = DaemonView {
        status: daemon.events.current(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: kata_ipc::PROTOCOL,
        pid: std::process::id(),
        started_at: daemon.started.to_iso(),
        turns_open: u32::try_from(daemon.open_turns.len()).unwrap_or(u32::MAX),
        turns_max: u32::try_from(daemon.slots.max()).unwrap_or(u32::MAX),
        inbound_waiting: sum(|c| c.waiting),
        outbound_waiting: sum(|c| c.outgoing),
        parked: sum(|c| c.parked),
    };
    Ok(Page {
        items: vec![view],
        next_cursor: None,
    })
}

async fn channels(daemon: &Daemon) -> Result<Page<ChannelView>, Refused> {
    let counts = daemon.store.channel_counts().await?;
    let waiting = |id: ChannelId| counts.iter().find(|c| c.channel == id).map_or(0, |c| c.waiting);
    let view = |channel: std::sync::Arc<crate::daemon::Channel>| {
        let (status, error) = channel.status();
        ChannelView {
            workspace_id: channel.key.workspace.to_string(),
            channel_id: channel.key.slug.to_string(),
            adapter: channel.spec.kind.adapter.to_owned(),
            status,
            error: error.as_ref().map(fault),
            paused: channel.is_paused(),
            waiting: waiting(channel.id),
        }
    };
    Ok(Page {
        items: daemon.channels.all().into_iter().map(view).collect(),
        next_cursor: None,
    })
}

async fn queue(daemon: &Daemon, query: &Query) -> Result<Page<MessageView>, Refused> {
    let after = match &query.cursor {
        None => None,
        Some(cursor) => Some(queue_place(cursor).ok_or_else(bad_cursor)?),
    };
    let limit = limit(query);
    let listed = daemon
        .store
        .queue(filter(daemon, query).await?, after, limit)
        .await?;
    let next = listed
        .last()
        .filter(|_| listed.len() == limit)
        .map(|l| format!("{}:{}", l.place.id, l.place.created_at));
    Ok(Page {
        items: listed.into_iter().map(message).collect(),
        next_cursor: next,
    })
}

fn queue_place(cursor: &str) -> Option<QueuePlace> {
    let (id, created_at) = cursor.split_once(':')?;
    Some(QueuePlace {
        created_at: created_at.to_owned(),
        id: id.parse().ok()?,
    })
}

async fn messages(daemon: &Daemon, query: &Query) -> Result<Page<MessageView>, Refused> {
    let filter = filter(daemon, query).await?;
    let before = id_cursor(query)?;
    let limit = limit(query);
    if let Some(id) = query.message_id {
        let explained = daemon.store.explain(&id.to_string()).await?;
        let rows = explained
            .into_iter()
            .flat_map(|e| [Some(e.message), e.answer])
            .flatten();
        return Ok(Page {
            items: rows.filter(|l| l.id == id).map(message).collect(),
            next_cursor: None,
        });
    }
    let listed = daemon.store.messages(filter, before, limit).await?;
    let next = listed
        .last()
        .filter(|_| listed.len() == limit)
        .map(|l| l.id.to_string());
    Ok(Page {
        items: listed.into_iter().map(message).collect(),
        next_cursor: next,
    })
}

async fn filter(daemon: &Daemon, query: &Query) -> Result<MessageFilter, Refused> {
    let status = query.state.map(|state| match state {
        MessageState::Waiting => "pending",
        MessageState::Processing => "processing",
        MessageState::Processed => "processed",
        MessageState::Parked => "failed",
    });
    Ok(MessageFilter {
        channel: channel(daemon, query).await?,
        conversation: None,
        session_key: query.session_key.clone(),
        status: status.map(str::to_owned),
    })
}

/// A slug alone is not unique: with one the workspace is asked for too.
async fn channel(daemon: &Daemon, query: &Query) -> Result<Option<ChannelId>, Refused> {
    let (workspace, slug) = match (&query.workspace_id, &query.slug) {
        (_, None) => return Ok(None),
        (None, Some(_)) => {
            return Err(Refused::new(
                "bad_filter",
                "slug goes with workspaceId: two workspaces may use one",
            ));
        }
        (Some(workspace), Some(slug)) => (workspace, slug),
    };
    let counts = daemon.store.channel_counts().await?;
    let found = counts
        .iter()
        .find(|c| c.workspace == *workspace && c.slug == *slug);
    let unknown = || {
        Refused::new(
            "not_found",
            format!("workspace {workspace:?} has no channel {slug:?}"),
        )
    };
    found.map(|c| Some(c.channel)).ok_or_else(unknown)
}

pub(crate) fn limit(query: &Query) -> usize {
    query.limit.unwrap_or(PAGE).clamp(1, LARGEST) as usize
}

pub(crate) fn id_cursor(query: &Query) -> Result<Option<i64>, Refused> {
    query
        .cursor
        .as_deref()
        .map(|c| c.parse().map_err(|_| bad_cursor()))
        .transpose()
}

fn bad_cursor() -> Refused {
    Refused::new("bad_cursor", "the cursor is not one that an earlier page gave")
}

fn message(listed: Listed) -> MessageView {
    MessageView {
        message_id: listed.id,
        direction: match listed.direction {
            kata_store::Direction::Inbound => Direction::In,
            kata_store::Direction::Outbound => Direction::Out,
        },
        workspace_id: listed.workspace,
        channel_id: listed.slug,
        session_key: listed.session_key,
        state: match listed.status.as_str() {
            "pending" => MessageState::Waiting,
            "processing" => MessageState::Processing,
            "failed" => MessageState::Parked,
            _ => MessageState::Processed,
        },
        attempt: listed.attempts,
        created_at: listed.created_at.map(iso).unwrap_or_default(),
        not_before: listed.due.map(iso),
        ended_at: listed.ended_at.map(iso),
        error: listed.error,
        content: Some(listed.content),
    }
}

pub(crate) fn iso(at: UnixMs) -> String {
    Timestamp::from_millis(at.0).to_iso()
}
