//! What is asked for, read and checked: the same whether a host asks or the folder says it.

use kata_channel::settings::Backend;
use kata_ipc::config::RawConfig;
use kata_plugin::Registrar;

use super::{
    channels::Desired,
    spec::{Refusal, Spec, TokensOf, Workspace},
};
use crate::home::DaemonConfig;

/// The channels of one workspace, as somebody asks for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) workspace: &'a str,
    pub(crate) configs: &'a [RawConfig],
    pub(crate) tokens: &'a dyn TokensOf,
    pub(crate) enabled_plugins: &'a [String],
}

/// Checks what is asked for against what this daemon is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) plugins: &'a Registrar,
    pub(crate) config: &'a DaemonConfig,
    /// A host is there that runs agents.
    pub(crate) with_host: bool,
}

// === impl Reader ===

impl Reader<'_> {
    /// What shall run, and a sentence for each config that cannot.
    pub(crate) fn read<'a>(&self, asked: impl IntoIterator<Item = Asked<'a>>) -> Desired {
        let mut desired = Desired::default();
        for asked in asked {
            self.add(&mut desired, asked);
        }
        desired
    }

    fn add(&self, desired: &mut Desired, asked: Asked<'_>) {
        let is_enabled = |id: &str| asked.enabled_plugins.iter().any(|enabled| enabled == id);
        desired
            .workspaces
            .push((asked.workspace.to_owned(), asked.enabled_plugins.to_vec()));
        let known = self.plugins.channels().map(|kind| kind.plugin);
        desired.plugins.extend(known.filter(|id| is_enabled(id)));
        for raw in asked.configs {
            match self.channel(&asked, raw) {
                Ok(Some(spec)) => desired.add(spec),
                Ok(None) => {}
                Err(refusal) => desired.refusals.push(refusal),
            }
        }
    }

    /// One channel; none if it is switched off.
    pub(crate) fn channel(&self, asked: &Asked<'_>, raw: &RawConfig) -> Result<Option<Spec>, Refusal> {
        let against = Workspace {
            id: asked.workspace,
            tokens: asked.tokens,
            enabled_plugins: asked.enabled_plugins,
            plugins: self.plugins,
            owners: self.config,
        };
        let Some(mut spec) = Spec::read(against, raw)? else {
            return Ok(None);
        };
        if spec.settings.agent.backend.is_none()
            && let Some(agent) = self.config.agent_of(asked.workspace)
        {
            spec.settings.agent = agent.clone();
        }
        if !self.with_host {
            self.check_agent(&spec)?;
        }
        Ok(Some(spec))
    }

    /// Without a host a channel must say who answers: one that nobody chose would say to people what they said.
    fn check_agent(&self, spec: &Spec) -> Result<(), Refusal> {
        let backend = spec.settings.agent.backend.or(self.config.agent.backend);
        let wrong = match backend {
            Some(Backend::Acp | Backend::Command | Backend::Echo) => return Ok(()),
            Some(Backend::Host) => "its agent is \"host\", and no host is here",
            None => "it has no agent",
        };
        Err(Refusal {
            plugin_id: spec.key.slug.to_string(),
            error: format!(
                "channel {:?}: {wrong}; name one that katad runs (acp, command or echo) in settings.agent of the channel, or in agent of daemon.json",
                spec.key.slug
            ),
        })
    }
}
