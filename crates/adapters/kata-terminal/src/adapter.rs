//! The terminal behind the adapter contract.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use kata_channel::{
    Adapter, ChannelError, ChannelKey, Clock, Descriptor, Disposition, Identity, Inbound, Kind, Length,
    MessageId, OrderKey, Outbound, Place, Push, Receipt, Role, SendError, Sender, SenderId, Text, Unit,
    drive::Sink,
};
use serde_json::Map;

use crate::{ADAPTER, CONVERSATION, SENDER, Terminal};

/// Somebody who thinks for a long time is no broken connection, and there is no history to reconcile with.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// One channel's view of a terminal.
///
/// It offers no read-back: what was printed on a terminal that is gone can be known by nobody, so an unknown outcome is parked (D20).
#[derive(Debug)]
pub(crate) struct TerminalAdapter {
    terminal: Terminal,
    key: ChannelKey,
    clock: Clock,
    descriptor: Descriptor,
    last: Mutex<i64>,
}

// === impl TerminalAdapter ===

impl TerminalAdapter {
    pub(crate) fn new(terminal: Terminal, key: ChannelKey, clock: Clock) -> Self {
        let descriptor = Descriptor {
            platform: ADAPTER,
            length: Length {
                unit: Unit::Chars,
                limit: usize::MAX,
            },
            dialect: terminal.dialect(),
            notices: true,
            approvals: true,
            silence: NEVER,
            reconcile_every: NEVER,
        };
        Self {
            terminal,
            key,
            clock,
            descriptor,
            last: Mutex::new(0),
        }
    }

    fn message(&self, line: String) -> Inbound {
        let id = self.next_id();
        Inbound {
            channel: self.key.clone(),
            place: Place::conversation(CONVERSATION),
            id: MessageId::new(id.to_string()),
            order: OrderKey(id),
            kind: Kind::Message,
            sender: Sender {
                id: SenderId::new(SENDER),
                name: Some(self.terminal.user().to_owned()),
                is_bot: false,
                is_self: false,
            },
            text: Text::plain(line),
            mentions_us: true,
            is_direct: true,
            sent_at: self.clock.wall(),
            attachments: Vec::new(),
            metadata: Map::new(),
            role: Role::Stranger,
            disposition: Disposition::Turn,
            not_before: None,
        }
    }

    /// The wall clock in microseconds, and one more than the last one at least: no two lines share an id, not even over restarts (D2).
    fn next_id(&self) -> i64 {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = self
            .clock
            .wall()
            .as_millis()
            .saturating_mul(1_000)
            .max(last.saturating_add(1));
        *last
    }
}

#[async_trait]
impl Adapter for TerminalAdapter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn connect(&self) -> Result<Identity, ChannelError> {
        Ok(Identity {
            id: SenderId::new("katad"),
            name: "katad".into(),
        })
    }

    async fn disconnect(&self) {}

    async fn send(&self, out: &Outbound) -> Result<Receipt, SendError> {
        let (text, is_last) = (out.text.clone(), out.part >= out.of);
        let printed = self
            .terminal
            .on_screen(move |screen| screen.print(&text, is_last))
            .await;
        // Some of it may stand there.
        printed.map_err(|e| {
            SendError::maybe(ChannelError::ConnectionLost(format!("the terminal is gone: {e}")))
        })?;
        Ok(Receipt {
            id: Some(MessageId::new(out.key.to_string())),
        })
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

#[async_trait]
impl Push for TerminalAdapter {
    /// Ends only with an error: after the end of the input there is nothing to connect to again. The program hears of it by
    /// [`Terminal::ended`].
    async fn subscribe(&self, sink: Sink) -> Result<(), ChannelError> {
        let gone =
            |what: &str, e: &dyn std::fmt::Display| ChannelError::ConnectionLost(format!("{what}: {e}"));
        let mut typed = self.terminal.typed().lock().await;
        sink.ready();
        self.terminal
            .on_screen(|screen| screen.invite())
            .await
            .map_err(|e| gone("the terminal is gone", &e))?;
        loop {
            if typed.unpushed.is_none() {
                let Some(line) = typed.lines.recv().await else {
                    break;
                };
                typed.unpushed = Some(self.message(line));
                // Only the screen's memory changes: this cannot fail.
                let _ = self
                    .terminal
                    .on_screen(|screen| {
                        screen.typed();
                        Ok(())
                    })
                    .await;
            }
            let message = typed.unpushed.iter().cloned().collect();
            sink.push(message)
                .await
                .map_err(|e| gone("a line could not be stored", &e))?;
            typed.unpushed = None;
        }
        self.terminal.end();
        std::future::pending().await
    }
}
