//! A running agent and the connection to it.

use std::{fmt, io, path::Path, sync::Arc, time::Duration};

use agent_client_protocol::{
    Agent, JsonRpcMessage, JsonRpcNotification, is_connection_terminated, is_incoming_transport_closed,
    v1::ConnectionTo,
};
use futures_util::SinkExt;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::timeout,
};
use tokio_util::{
    codec::{FramedWrite, LinesCodec, LinesCodecError},
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{
    AcpSettings, client,
    complaints::Complaints,
    limits::{Fuse, lines},
    open::Stage,
};
use crate::{
    AgentError, Turn,
    process::{Leash, Program},
};

/// After an agent closed its stdout, its end and its last words are waited for this long.
const LINGER: Duration = Duration::from_secs(2);

/// Starts an agent.
pub(super) type Launch =
    Arc<dyn Fn(&AcpSettings, &Turn, &Path, &TaskTracker) -> io::Result<Started> + Send + Sync>;

/// A started agent. Tests start theirs without a process.
pub(super) struct Started {
    pub(super) stdin: Box<dyn AsyncWrite + Send + Unpin>,
    pub(super) stdout: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) stderr: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) leash: Option<Leash>,
}

/// A connection to a running agent. Dropping it ends the agent.
pub(super) struct Connection {
    program: String,
    cx: ConnectionTo<Agent>,
    pub(super) stage: Arc<Stage>,
    pub(super) fuse: Arc<Fuse>,
    complaints: Arc<Complaints>,
    // In this order: the agent's last words are read while it ends.
    leash: Option<Leash>,
    _served: DropGuard,
}

/// Tells an agent things.
#[derive(Clone, Debug)]
pub(super) struct Teller(ConnectionTo<Agent>);

/// Why a request has no result.
#[derive(Debug)]
pub(super) enum Fault {
    /// The agent said so, and lives.
    Said(agent_client_protocol::Error),
    /// The agent is gone, or has to go.
    Gone(AgentError),
}

/// Starts the program of `settings`.
pub(super) fn launch(
    settings: &AcpSettings,
    turn: &Turn,
    directory: &Path,
    tasks: &TaskTracker,
) -> io::Result<Started> {
    let ours = [
        ("KATA_WORKSPACE_ID", Some(&turn.workspace)),
        ("KATA_SESSION_KEY", Some(&turn.session_key)),
        ("KATA_MODEL", settings.model.as_ref()),
    ];
    let ours = ours
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    let variables: Vec<_> = settings.variables.iter().cloned().chain(ours).collect();
    let program = Program {
        name: &settings.program,
        args: &settings.args,
        variables: &variables,
        directory,
        guard: settings.guard.as_ref(),
    };
    let (mut leash, stdin) = Leash::start(program, tasks.clone())?;
    let (stdout, stderr) = leash.take_output();
    Ok(Started {
        stdin: Box::new(stdin),
        stdout: Box::new(stdout),
        stderr: Box::new(stderr),
        leash: Some(leash),
    })
}

// === impl Connection ===

impl Connection {
    /// Connects to a started agent. Everything that has to go on runs on `tasks`.
    pub(super) async fn open(
        program: &str,
        started: Started,
        tasks: &TaskTracker,
    ) -> Result<Self, AgentError> {
        let (stage, fuse) = (Arc::new(Stage::default()), Arc::new(Fuse::default()));
        let complaints = Arc::new(Complaints::default());
        let served = CancellationToken::new();
        let (ready, cx) = oneshot::channel();
        let outgoing = FramedWrite::new(started.stdin, LinesCodec::new());
        let outgoing = SinkExt::<String>::sink_map_err(outgoing, |e| match e {
            LinesCodecError::Io(e) => e,
            LinesCodecError::MaxLineLengthExceeded => io::Error::other("the line is too long"),
        });
        let serving = client::serve(
            outgoing,
            lines(started.stdout, Arc::clone(&fuse)),
            Arc::clone(&stage),
            ready,
        );
        let until = served.clone();
        tasks.spawn(async move {
            if let Some(Err(error)) = until.run_until_cancelled(serving).await {
                tracing::debug!(error = %error.message, "the connection to the agent broke");
            }
        });
        let (listening, name, until) = (Arc::clone(&complaints), program.to_owned(), served.clone());
        tasks.spawn(async move {
            until
                .run_until_cancelled(listening.listen(started.stderr, name))
                .await;
        });
        let served = served.drop_guard();
        let cx = cx
            .await
            .map_err(|_| AgentError::Dead(format!("{program} closed its stdin at once")))?;
        Ok(Self {
            program: program.to_owned(),
            cx,
            stage,
            fuse,
            complaints,
            leash: started.leash,
            _served: served,
        })
    }

    /// Asks the agent, and waits for as long as it takes. The result is as it came: agents say more than the protocol has
    /// names for.
    ///
    /// # Cancel safety
    /// Dropping it tells the agent that nobody waits any more.
    pub(super) async fn ask(&mut self, request: impl JsonRpcMessage) -> Result<Value, Fault> {
        let untyped = request.to_untyped_message().map_err(Fault::Said)?;
        let asked = self.cx.send_request(untyped).block_task();
        let answered = tokio::select! {
            biased;
            () = self.fuse.blown() => None,
            answered = asked => Some(answered),
        };
        match answered {
            Some(Ok(result)) => Ok(result),
            Some(Err(e)) if !is_connection_terminated(&e) && !is_incoming_transport_closed(&e) => {
                Err(Fault::Said(e))
            }
            _ => Err(Fault::Gone(self.death().await)),
        }
    }

    /// For telling the agent something while it is asked.
    pub(super) fn teller(&self) -> Teller {
        Teller(self.cx.clone())
    }

    /// Returns once the agent is gone.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn gone(&self) {
        self.cx.terminated().await;
    }

    /// It is gone, or has to go.
    pub(super) fn is_gone(&self) -> bool {
        self.cx.termination().is_some() || self.cx.is_incoming_closed() || self.fuse.excess().is_some()
    }

    /// Ends the agent: SIGTERM to its group, and SIGKILL 2 s later.
    ///
    /// # Cancel safety
    /// Cancel safe: the agent is ended all the same.
    pub(super) async fn end(mut self) {
        if let Some(leash) = self.leash.take() {
            leash.end().await;
        }
    }

    /// Why it is gone.
    async fn death(&mut self) -> AgentError {
        if let Some(excess) = self.fuse.excess() {
            return AgentError::Failed(format!("{} {excess}", self.program));
        }
        let mut end = None;
        let last_words = async {
            if let Some(leash) = &mut self.leash {
                end = leash.exit().wait().await.ok();
            }
            self.complaints.ended().await;
        };
        // A process that it left behind may hold the pipe open.
        let _ = timeout(LINGER, last_words).await;
        let how = end.map_or_else(
            || "closed its stdout in mid-turn, and lives on".to_owned(),
            |end| end.to_string(),
        );
        let last_line = self.complaints.last_line();
        let colon = if last_line.is_empty() { "" } else { ": " };
        AgentError::Dead(format!("{} {how}{colon}{last_line}", self.program))
    }
}

// === impl Teller ===

impl Teller {
    /// Tells the agent something. One that is gone need not know.
    pub(super) fn tell(&self, notification: impl JsonRpcNotification) {
        let _ = self.0.send_notification(notification);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}
