//! `katad channels`: writes channel configs, lists them, and tries them out.

mod add;
mod check;
mod list;

pub(crate) use self::{
    add::{New, run as add},
    check::run as check,
    list::run as list,
};

use kata_ipc::config::RawConfig;

use crate::{
    daemon::{Asked, Spec, TokensOf},
    folder::{Local, Workspace},
};

/// A channel as `katad serve` would run it, or why it cannot.
fn spec(
    local: &Local,
    workspace: &Workspace,
    tokens: &dyn TokensOf,
    raw: &RawConfig,
) -> Result<Spec, String> {
    let asked = Asked {
        workspace: &workspace.id,
        configs: &[],
        tokens,
        enabled_plugins: &workspace.enabled_plugins,
    };
    match local.reader().channel(&asked, &raw.clone().switched_on()) {
        Ok(Some(spec)) => Ok(spec),
        Ok(None) => Err("it cannot be switched on".to_owned()),
        Err(refusal) => Err(refusal.error),
    }
}
