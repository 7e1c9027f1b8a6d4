//! What the host asks for, command by command. Nothing here blocks the command loop: what takes time runs in a task.

mod tools;

use std::{iter, sync::Arc};

use kata_channel::ChannelKey;
use kata_ipc::{
    Command, Request,
    command::{
        ChannelRef, ConfigureChannels, MessageRef, PairSender, PluginAction, SessionRef, SessionTitle,
    },
    event::Answer,
};
use kata_store::{Retried, StoreError};

use crate::{
    daemon::{Asked, Channels, Daemon, Desired},
    folder::{Handed, own_tokens},
    pairing, plugins, query, tasks,
};

/// Carries out one command. `stop` is not among them: it is the command loop's own affair.
pub(crate) async fn carry_out(daemon: &Arc<Daemon>, request: Request) {
    let Request { request_id, command } = request;
    let name = command.name();
    match command {
        Command::Stop => {}
        Command::Start(start) => {
            if let Some(host) = &daemon.host {
                host.introduced(&start.capabilities);
            }
            answer(daemon, request_id, Answer::done()).await;
        }
        Command::HealthCheck => {
            daemon
                .events
                .status(daemon.events.current(), None, request_id)
                .await
        }
        Command::ConfigureChannels(configure) => configure_channels(daemon, configure, request_id),
        Command::MessageProcessed(processed) => {
            let Some(host) = daemon.host.clone() else { return };
            let daemon = Arc::clone(daemon);
            daemon.turning.clone().spawn(async move {
                host.processed(&daemon, processed).await;
                answer(&daemon, request_id, Answer::done()).await;
            });
        }
        Command::Query(_) if request_id.is_none() => {
            daemon
                .events
                .protocol_error(
                    "a query needs a `requestId`: without one its answer cannot be told from another's",
                    name,
                    None,
                )
                .await;
        }
        command => {
            let daemon = Arc::clone(daemon);
            daemon.tasks.clone().spawn(async move {
                let done = other(&daemon, command, request_id.as_deref()).await;
                conclude(&daemon, name, request_id, done).await;
            });
        }
    }
}

async fn answer(daemon: &Daemon, request_id: Option<String>, answer: Answer) {
    if let Some(id) = request_id {
        daemon.events.result(id, answer).await;
    }
}

/// A command that fails: `result` if somebody waits for one, else `plugin_error` under the command's name, as in 0.7.
async fn conclude(daemon: &Daemon, name: &str, request_id: Option<String>, done: Result<Answer, Refused>) {
    match (request_id, done) {
        (Some(id), Ok(answer)) => daemon.events.result(id, answer).await,
        (Some(id), Err(why)) => {
            daemon
                .events
                .result(id, Answer::failed(why.code, why.message))
                .await
        }
        (None, Ok(_)) => {}
        (None, Err(why)) => daemon.events.plugin_error(name, &why.message).await,
    }
}

/// A command that was understood and cannot be done.
#[derive(Debug)]
pub(crate) struct Refused {
    code: &'static str,
    message: String,
}

impl Refused {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The sentence for people.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("not_found", message)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::new("store", error.to_string())
    }
}

async fn other(daemon: &Arc<Daemon>, command: Command, request_id: Option<&str>) -> Result<Answer, Refused> {
    match command {
        Command::Query(what) => query::answer(daemon, &what).await,
        Command::RetryMessage(row) => retry(daemon, row).await,
        Command::DiscardMessage(row) => discard(daemon, row).await,
        Command::ResetSession(session) => reset(daemon, session).await,
        Command::SetSessionTitle(titled) => set_title(daemon, titled).await,
        Command::CancelTurn(row) => cancel(daemon, row).await,
        Command::PauseChannel(channel) => pause(daemon, &channel, true).await,
        Command::ResumeChannel(channel) => pause(daemon, &channel, false).await,
        Command::CheckTool(call) => tools::check(daemon, call, request_id).await,
        Command::CallTool(call) => tools::call(daemon, call, request_id).await,
        Command::ResolveApproval(answer) => tools::resolve(daemon, answer).await,
        Command::RevokeGrant(grant) => tools::revoke(daemon, grant).await,
        Command::PluginAction(action) => plugin_action(daemon, action).await,
        Command::ScheduleTask(task) => tasks::schedule(daemon, task).await,
        Command::CancelTask(task) => tasks::cancel(daemon, task).await,
        Command::PauseTask(task) => tasks::pause(daemon, task).await,
        Command::ResumeTask(task) => tasks::resume(daemon, task).await,
        Command::RunTask(task) => tasks::run_now(daemon, task).await,
        Command::PairSender(asked) => pair(daemon, asked).await,
        Command::UnpairSender(asked) => {
            let unpaired = pairing::unpair(daemon, asked.pairing_id, "the host").await?;
            Ok(Answer::with(unpaired))
        }
        command => Err(unavailable(command.name(), "nothing was done")),
    }
}

fn unavailable(what: &str, so: &str) -> Refused {
    Refused::new(
        "unavailable",
        format!("this version of katad has no {what} yet; {so}"),
    )
}

/// The whole desired state. Carried out in a task of its own: connecting to a platform must not hold up a command.
fn configure_channels(daemon: &Arc<Daemon>, configure: ConfigureChannels, request_id: Option<String>) {
    let number = daemon.channels.next_configuration();
    let daemon = Arc::clone(daemon);
    daemon.tasks.clone().spawn(async move {
        let reading = {
            let daemon = Arc::clone(&daemon);
            // Our own store may ask the system's keyring, and that one a person.
            tokio::task::spawn_blocking(move || desired(&daemon, &configure))
        };
        let Ok(desired) = reading.await else { return };
        Channels::configure(&daemon, number, desired).await;
        answer(&daemon, request_id, Answer::done()).await;
    });
}

fn desired(daemon: &Daemon, configure: &ConfigureChannels) -> Desired {
    let own = own_tokens(&daemon.home);
    let workspaces = &configure.workspaces;
    let tokens: Vec<_> = workspaces
        .iter()
        .map(|workspace| Handed {
            tokens: &workspace.tokens,
            own: &own,
        })
        .collect();
    let asked = iter::zip(workspaces, &tokens).map(|(workspace, tokens)| Asked {
        workspace: &workspace.workspace_id,
        configs: &workspace.configs,
        tokens,
        enabled_plugins: &workspace.enabled_plugins,
    });
    daemon.reader().read(asked)
}

/// Routed to the plugin, and answered with what it says.
async fn plugin_action(daemon: &Daemon, asked: PluginAction) -> Result<Answer, Refused> {
    let workspace = asked
        .payload
        .as_ref()
        .and_then(|payload| payload.get("workspaceId")?.as_str())
        .map(str::to_owned);
    let done = plugins::act(
        daemon,
        &asked.plugin_id,
        workspace.as_deref(),
        &asked.action,
        asked.payload,
    );
    Ok(Answer::with(done.await?))
}

/// Lets a stranger in.
async fn pair(daemon: &Daemon, asked: PairSender) -> Result<Answer, Refused> {
    let channel = Some((asked.workspace_id, asked.slug));
    let code = pairing::code(asked.code, channel, "the host");
    Ok(Answer::with(pairing::pair(daemon, code).await?))
}

async fn retry(daemon: &Daemon, MessageRef { message_id, .. }: MessageRef) -> Result<Answer, Refused> {
    match daemon.store.retry(message_id).await? {
        Retried::Inbound | Retried::Outbound => Ok(Answer::done()),
        Retried::NotParked => Err(Refused::new(
            "not_parked",
            format!("message {message_id} is not parked; only parked ones are retried"),
        )),
        Retried::Unknown => Err(Refused::not_found(format!("there is no message {message_id}"))),
    }
}

async fn discard(daemon: &Daemon, MessageRef { message_id, .. }: MessageRef) -> Result<Answer, Refused> {
    if daemon.store.discard(message_id).await? {
        Ok(Answer::done())
    } else {
        Err(Refused::not_found(format!(
            "message {message_id} neither waits nor is parked"
        )))
    }
}

async fn reset(
    daemon: &Daemon,
    SessionRef {
        workspace_id,
        session_key,
        ..
    }: SessionRef,
) -> Result<Answer, Refused> {
    if let Some(ended) = daemon.store.reset_session(&workspace_id, &session_key).await? {
        let channel = ChannelKey::new(&*ended.workspace, &*ended.slug);
        daemon.events.session_ended(&channel, &ended.key, "reset").await;
        Ok(Answer::done())
    } else {
        Err(Refused::not_found(format!(
            "workspace {workspace_id:?} has no session {session_key:?} in its present generation"
        )))
    }
}

async fn set_title(daemon: &Daemon, titled: SessionTitle) -> Result<Answer, Refused> {
    let (workspace, key) = (&titled.workspace_id, &titled.session_key);
    if daemon
        .store
        .set_session_title(workspace, key, &titled.title)
        .await?
    {
        Ok(Answer::done())
    } else {
        Err(Refused::not_found(format!(
            "workspace {workspace:?} has no session {key:?}"
        )))
    }
}

async fn cancel(daemon: &Daemon, MessageRef { message_id, .. }: MessageRef) -> Result<Answer, Refused> {
    if daemon.store.cancel(message_id, "cancelled by the host").await? {
        daemon.open_turns.cancel(message_id);
        Ok(Answer::done())
    } else {
        Err(Refused::not_found(format!(
            "no turn of message {message_id} is open"
        )))
    }
}

async fn pause(daemon: &Daemon, name: &ChannelRef, paused: bool) -> Result<Answer, Refused> {
    let channel = daemon
        .channels
        .by_key(&name.workspace_id, &name.slug)
        .ok_or_else(|| {
            Refused::not_found(format!(
                "workspace {:?} has no running channel {:?}",
                name.workspace_id, name.slug
            ))
        })?;
    daemon.store.set_paused(channel.id, paused).await?;
    channel.set_paused(paused);
    daemon.channels.touch();
    Ok(Answer::done())
}
