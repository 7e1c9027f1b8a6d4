//! Which agent a channel talks to.

mod memory;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use kata_agent::{
    AcpAgents, AcpSettings, AgentRun, CommandAgent, CommandSettings, Echo, Guard, Host, Input, SessionMemory,
    ToolsFor, environment,
};
use kata_channel::settings::{AgentInput, AgentSettings, Backend, SessionMode};
use kata_session::compaction::Limits;
use tokio_util::task::TaskTracker;

use self::memory::NoMemory;
pub(crate) use self::memory::{StoreMemory, erase};
use crate::daemon::Spec;

/// An `acp` agent that nobody talks to is stopped after this.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// How long an `acp` agent may take until its session stands: some are slow to start, none is that slow.
const START: Duration = Duration::from_secs(60);

/// Makes a channel's agent from its settings, and the daemon's where it has none.
#[derive(Clone, Debug)]
pub(crate) struct Agents {
    /// The settings of channels that name no agent.
    default: AgentSettings,
    /// Where turns go that the host is to run. Without a host there is none.
    host: Option<Host>,
    /// Under this each session has its directory.
    sessions: PathBuf,
    /// Keeps programs from outliving us: our own.
    guard: Option<Guard>,
    acp: AcpAgents,
    memory: Arc<dyn SessionMemory>,
    tasks: TaskTracker,
}

/// What agents are made from.
#[derive(Debug)]
pub(crate) struct AgentParts {
    pub(crate) default: AgentSettings,
    pub(crate) host: Option<Host>,
    pub(crate) sessions: PathBuf,
    pub(crate) guard: Option<Guard>,
    pub(crate) max_warm: usize,
    pub(crate) memory: Arc<dyn SessionMemory>,
    pub(crate) tasks: TaskTracker,
}

/// Whether the agent of a channel knows by itself what was said before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remembers {
    /// A program that is started for each turn: it knows what stands in its prompt.
    WhatItIsTold,
    /// An `acp` agent keeps its own context, until its process or its session is lost.
    UntilLost,
    /// The host keeps it.
    ByTheHost,
    /// Nobody is to remember anything.
    Nothing,
}

// === impl Remembers ===

impl Remembers {
    /// What was said is kept as rows.
    pub(crate) fn keeps_a_transcript(self) -> bool {
        matches!(self, Self::WhatItIsTold | Self::UntilLost)
    }
}

// === impl Agents ===

impl Agents {
    pub(crate) fn new(parts: AgentParts) -> Self {
        Self {
            default: parts.default,
            host: parts.host,
            sessions: parts.sessions,
            guard: parts.guard,
            acp: AcpAgents::new(parts.max_warm, parts.tasks.clone()),
            memory: parts.memory,
            tasks: parts.tasks,
        }
    }

    /// The agent of a channel, in a workspace with this folder. `tools` brings an `acp` agent our tools.
    pub(crate) fn of(&self, spec: &Spec, workspace: Option<&Path>, tools: ToolsFor) -> AgentRun {
        let settings = self.acp(self.effective(&spec.settings.agent), workspace, Some(tools));
        self.run(spec, || match spec.session.mode {
            SessionMode::Lasting => settings,
            SessionMode::Stateless => for_once(settings),
        })
    }

    /// The same agent as a writer of summaries: no tools, no context of its own, and gone once it has written.
    pub(crate) fn summariser(&self, spec: &Spec) -> AgentRun {
        let settings = self.effective(&spec.settings.agent);
        self.run(spec, || for_once(self.acp(settings, None, None)))
    }

    /// Who remembers what was said in a channel.
    pub(crate) fn remembers(&self, spec: &Spec) -> Remembers {
        match (spec.session.mode, self.backend(&spec.settings.agent)) {
            (SessionMode::Stateless, _) | (_, Backend::Echo) => Remembers::Nothing,
            (_, Backend::Command) => Remembers::WhatItIsTold,
            (_, Backend::Acp) => Remembers::UntilLost,
            (_, Backend::Host) => Remembers::ByTheHost,
        }
    }

    /// How long a transcript of a channel may become.
    pub(crate) fn limits(&self, spec: &Spec) -> Limits {
        let model = self.effective(&spec.settings.agent).model.as_deref();
        Limits::for_model(model, spec.session.max_tokens)
    }

    /// An `acp` session to which nobody talked for this long has no agent any more; any other is said to be idle after it.
    pub(crate) fn idle_after(&self, channel: &AgentSettings) -> Duration {
        minutes(self.effective(channel).idle_min).unwrap_or(IDLE)
    }

    fn run(&self, spec: &Spec, acp: impl FnOnce() -> AcpSettings) -> AgentRun {
        let channel = &spec.settings.agent;
        let settings = self.effective(channel);
        match (self.backend(channel), &self.host) {
            (Backend::Acp, _) => AgentRun::Acp(self.acp.agent(acp())),
            (Backend::Command, _) => AgentRun::Command(self.command(settings)),
            (Backend::Host, Some(host)) => AgentRun::Host(host.clone()),
            (Backend::Echo | Backend::Host, _) => AgentRun::Echo(Echo),
        }
    }

    /// The end of a turn of a channel with these settings, where they name one.
    pub(crate) fn deadline(&self, channel: &AgentSettings) -> Option<Duration> {
        minutes(self.effective(channel).turn_deadline_min)
    }

    /// Who runs the agent of a channel with these settings.
    pub(crate) fn backend(&self, channel: &AgentSettings) -> Backend {
        match (self.effective(channel).backend, &self.host) {
            (Some(Backend::Acp), _) => Backend::Acp,
            (Some(Backend::Command), _) => Backend::Command,
            (Some(Backend::Host) | None, Some(_)) => Backend::Host,
            (Some(Backend::Echo | Backend::Host) | None, _) => Backend::Echo,
        }
    }

    /// The directory in which the agent of a session works, where we run it.
    pub(crate) fn directory(&self, channel: &AgentSettings, session_key: &str) -> Option<PathBuf> {
        matches!(self.backend(channel), Backend::Acp | Backend::Command)
            .then(|| self.sessions.join(kata_session::folder_name(session_key)))
    }

    /// Stops the agents that were kept. Takes two seconds at most.
    pub(crate) async fn shut_down(&self) {
        self.acp.shut_down().await;
    }

    fn effective<'a>(&'a self, channel: &'a AgentSettings) -> &'a AgentSettings {
        if channel.backend.is_some() {
            channel
        } else {
            &self.default
        }
    }

    fn acp(
        &self,
        settings: &AgentSettings,
        workspace: Option<&Path>,
        tools: Option<ToolsFor>,
    ) -> AcpSettings {
        AcpSettings {
            // A spec without a program is refused when it is read.
            program: settings.command.clone().unwrap_or_default(),
            args: settings.args.clone(),
            variables: environment(&settings.env, |name| std::env::var_os(name)),
            guard: self.guard.clone(),
            model: settings.model.clone(),
            sessions: self.sessions.clone(),
            roots: workspace.map(Path::to_owned).into_iter().collect(),
            no_progress: minutes(settings.no_progress_min),
            idle: minutes(settings.idle_min).unwrap_or(IDLE),
            start_limit: START,
            tools,
            memory: Arc::clone(&self.memory),
        }
    }

    fn command(&self, settings: &AgentSettings) -> CommandAgent {
        CommandAgent::new(
            CommandSettings {
                // A spec without a program is refused when it is read.
                program: settings.command.clone().unwrap_or_default(),
                args: settings.args.clone(),
                variables: environment(&settings.env, |name| std::env::var_os(name)),
                input: match settings.input {
                    Some(AgentInput::Json) => Input::Json,
                    Some(AgentInput::Text) | None => Input::Text,
                },
                model: settings.model.clone(),
                sessions: self.sessions.clone(),
                no_progress: minutes(settings.no_progress_min),
                guard: self.guard.clone(),
            },
            self.tasks.clone(),
        )
    }
}

/// An agent that begins without a memory, and is stopped once it has answered.
fn for_once(settings: AcpSettings) -> AcpSettings {
    AcpSettings {
        idle: Duration::ZERO,
        memory: Arc::new(NoMemory),
        ..settings
    }
}

fn minutes(m: Option<f64>) -> Option<Duration> {
    Duration::try_from_secs_f64(m? * 60.0)
        .ok()
        .filter(|d| !d.is_zero())
}
