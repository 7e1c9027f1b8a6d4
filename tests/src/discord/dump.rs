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
            "--- Discord: {} connections, {} open, {} ready, {} resumed, closed with {:?}",
            record.hellos,
            hub.open(),
            record.readies,
            record.resumes,
            record.closes
        )?;
        for violation in &record.violations {
            writeln!(f, "broken: {violation}")?;
        }
        for posted in &record.posted[record.posted.len().saturating_sub(50)..] {
            let text: String = posted.text.chars().take(100).collect();
            writeln!(
                f,
                "posted {:?} in {} {}: {text:?}",
                posted.via, posted.channel, posted.id
            )?;
        }
        for call in &record.calls[record.calls.len().saturating_sub(100)..] {
            writeln!(
                f,
                "call {} {} {:?}: {:?}",
                call.operation, call.path, call.query, call.outcome
            )?;
        }
        for channel in world.channels.values() {
            writeln!(
                f,
                "channel {} {:?}: {} messages",
                channel.id,
                channel.kind,
                channel.messages.len()
            )?;
        }
        Ok(())
    }
}
