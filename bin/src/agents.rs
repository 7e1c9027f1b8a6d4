//! Which agent a channel talks to.

use std::{path::PathBuf, time::Duration};

use kata_agent::{AgentRun, CommandAgent, CommandSettings, Echo, Host, Input, environment};
use kata_channel::settings::{AgentInput, AgentSettings, Backend};
use tokio_util::task::TaskTracker;

/// Makes a channel's agent from its settings, and the daemon's where it has none.
#[derive(Clone, Debug)]
pub(crate) struct Agents {
    /// The settings of channels that name no agent.
    default: AgentSettings,
    /// Where turns go that the host is to run. Without a host there is none.
    host: Option<Host>,
    /// Under this each session has its directory.
    sessions: PathBuf,
    tasks: TaskTracker,
}

// === impl Agents ===

impl Agents {
    pub(crate) fn new(
        default: AgentSettings,
        host: Option<Host>,
        sessions: PathBuf,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            default,
            host,
            sessions,
            tasks,
        }
    }

    /// The agent of a channel with these settings.
    pub(crate) fn of(&self, channel: &AgentSettings) -> AgentRun {
        let settings = self.effective(channel);
        match (settings.backend, &self.host) {
            (Some(Backend::Command), _) => AgentRun::Command(self.command(settings)),
            (Some(Backend::Host) | None, Some(host)) => AgentRun::Host(host.clone()),
            (Some(Backend::Echo | Backend::Host) | None, _) => AgentRun::Echo(Echo),
        }
    }

    /// The end of a turn of a channel with these settings, where they name one.
    pub(crate) fn deadline(&self, channel: &AgentSettings) -> Option<Duration> {
        minutes(self.effective(channel).turn_deadline_min)
    }

    /// Whether the host runs this channel's agent.
    pub(crate) fn is_host(&self, channel: &AgentSettings) -> bool {
        matches!(self.of(channel), AgentRun::Host(_))
    }

    fn effective<'a>(&'a self, channel: &'a AgentSettings) -> &'a AgentSettings {
        if channel.backend.is_some() {
            channel
        } else {
            &self.default
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
                guard: None,
            },
            self.tasks.clone(),
        )
    }
}

fn minutes(m: Option<f64>) -> Option<Duration> {
    Duration::try_from_secs_f64(m? * 60.0)
        .ok()
        .filter(|d| !d.is_zero())
}
