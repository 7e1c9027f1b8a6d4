//! `query` `sessions`.

use std::time::Duration;

use kata_channel::Timestamp;
use kata_ipc::{
    command::Query,
    event::view::{Page, SessionState, SessionView},
};
use kata_session::life::{Life, State};

use super::{id_cursor, iso, limit};
use crate::{commands::Refused, daemon::Daemon};

/// Of a channel that is not there now.
const IDLE: Duration = Duration::from_secs(30 * 60);

pub(super) async fn sessions(daemon: &Daemon, query: &Query) -> Result<Page<SessionView>, Refused> {
    let limit = limit(query);
    let listed = daemon.store.sessions(id_cursor(query)?, limit).await?;
    let next = listed
        .last()
        .filter(|_| listed.len() == limit)
        .map(|s| s.id.to_string());
    let wanted = |s: &kata_store::SessionView| {
        query.workspace_id.as_ref().is_none_or(|w| *w == s.workspace)
            && query.slug.as_ref().is_none_or(|slug| *slug == s.slug)
            && query.session_key.as_ref().is_none_or(|key| *key == s.key)
    };
    let now = daemon.clock.wall();
    let items = listed.into_iter().filter(wanted).map(|session| {
        let channel = daemon.channels.by_key(&session.workspace, &session.slug);
        let idle = channel.map_or(IDLE, |channel| {
            daemon.agents.idle_after(&channel.spec.settings.agent)
        });
        view(session, now, idle)
    });
    Ok(Page {
        items: items.collect(),
        next_cursor: next,
    })
}

fn view(session: kata_store::SessionView, now: Timestamp, idle_after: Duration) -> SessionView {
    let life = Life {
        started: Timestamp::from_millis(session.started_at.0),
        last: Timestamp::from_millis(session.last_at.0),
        turns: session.turns,
        tokens: session.tokens,
    };
    let state = match life.state(now, idle_after, session.ended_at.is_some()) {
        State::Active => SessionState::Active,
        State::Idle => SessionState::Idle,
        State::Ended => SessionState::Ended,
    };
    SessionView {
        session_key: session.key,
        workspace_id: session.workspace,
        channel_id: session.slug,
        conversation: session.conversation,
        thread: session.thread,
        resets: session.generation,
        messages: session.messages,
        turns: session.turns,
        started_at: iso(session.started_at),
        last_message_at: Some(iso(session.last_at)),
        ended_at: session.ended_at.map(iso),
        ended_reason: session.ended_why,
        state,
        title: session.title,
        tokens: session.tokens,
        input_tokens: session.input_tokens,
        output_tokens: session.output_tokens,
        compactions: session.compactions,
    }
}
