//! Everything that happened, for the message of a failed wait.

use std::fmt;

use super::state::State;

pub(crate) struct Dump<'a>(pub(crate) &'a State);

impl fmt::Display for Dump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State {
            record, hub, world, ..
        } = self.0;
        writeln!(
            f,
            "--- Slack: {} sockets opened, {} open, {} envelopes pending",
            record.hellos,
            hub.open(),
            hub.pending()
        )?;
        for call in last(&record.calls) {
            let outcome = call.outcome.as_deref().unwrap_or("(under way)");
            let args = serde_json::Value::Object(call.args.clone()).to_string();
            writeln!(f, "{} {} {:.200} -> {outcome}", call.at, call.method, args)?;
        }
        for posted in last(&record.posted) {
            let (channel, thread) = (&posted.channel, posted.thread.as_deref().unwrap_or("-"));
            writeln!(
                f,
                "{} posted {:?} to {channel} thread {thread}: {:.120?}",
                posted.at, posted.via, posted.text
            )?;
        }
        writeln!(f, "{} acknowledgements", record.acks.len())?;
        for channel in world.channels.values() {
            writeln!(f, "{} holds {} messages", channel.id, channel.messages.len())?;
        }
        Ok(())
    }
}

/// The last hundred: a flood says no more than that.
fn last<T>(all: &[T]) -> &[T] {
    &all[all.len().saturating_sub(100)..]
}
