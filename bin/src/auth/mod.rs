//! `katad auth`: takes a channel's tokens from a person, has the platform check them, and keeps them.

#[cfg(feature = "gmail")]
mod google;
mod prompt;

use kata_home::Kept;
use kata_ipc::config::{ChannelConfig, RawConfig};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    daemon::{self, Spec, Tokens, TokensOf},
    exit::Exit,
    folder::{Local, Workspace, app_token_key, token_key},
    open::sentence,
    terminal,
    tryout::{self, Tried},
};

/// How a platform's tokens are come by.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// They are copied from the platform's pages: what is asked for the token, and for a second one that may be left out.
    Typed(&'static str, Option<&'static str>),
    /// A person agrees in a browser.
    #[cfg(feature = "gmail")]
    Google,
}

/// The platforms, one line each.
fn way(platform: &str) -> Option<Way> {
    const SOCKET: &str = "App-level token (xapp-…; empty: history is read every few seconds instead)";
    match platform {
        "slack" => Some(Way::Typed("Bot User OAuth Token (xoxb-…)", Some(SOCKET))),
        "discord" => Some(Way::Typed("Bot token", None)),
        #[cfg(feature = "gmail")]
        "gmail" => Some(Way::Google),
        _ => None,
    }
}

/// Which channel's.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Asked {
    /// The platform: `slack`, `discord`, `gmail`
    platform: String,
    /// The channel's name; needed where several are of that platform
    channel: Option<String>,
    /// Its workspace, by id or name
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// Forget the channel's tokens instead
    #[arg(long)]
    forget: bool,
}

/// A channel that was found.
struct Target<'a> {
    workspace: &'a Workspace,
    raw: &'a RawConfig,
    config: ChannelConfig,
}

/// What a person typed.
#[derive(Debug)]
struct Given {
    token: SecretString,
    app_token: Option<SecretString>,
}

/// Stores tokens, or forgets them.
pub(crate) fn run(whose: &Asked) -> Exit {
    if whose.forget { forget(whose) } else { store(whose) }
}

/// Asks for tokens, checks and stores them.
fn store(whose: &Asked) -> Exit {
    let done = Local::read().and_then(|local| {
        let target = target(&local, whose).map_err(bad)?;
        let given = ask(&whose.platform).map_err(bad)?;
        let spec = spec(&local, &target, &given).map_err(bad)?;
        let tried = crate::runtime()
            .map_err(|why| terminal::fail(why, Exit::Bug))?
            .block_on(tryout::token(&spec));
        if let Tried::Refused(why) = &tried {
            return Err(bad(format!("{why}. Nothing was stored.")));
        }
        let kept = keep(&local, &target, &given).map_err(bad)?;
        Ok(report(&target, &tried, kept))
    });
    done.unwrap_or_else(|exit| exit)
}

/// Forgets a channel's tokens.
fn forget(whose: &Asked) -> Exit {
    let done = Local::read().and_then(|local| {
        let Target {
            workspace, config, ..
        } = target(&local, whose).map_err(bad)?;
        let mut any = false;
        for key in [token_key(&config).to_owned(), app_token_key(&config)] {
            any |= local
                .own
                .remove(&workspace.id, &key)
                .map_err(|why| bad(sentence(&why)))?;
        }
        let said = if any {
            "forgotten"
        } else {
            "not there, so nothing was forgotten"
        };
        Ok(terminal::say(format_args!(
            "The tokens of channel {:?} are {said}.",
            config.slug
        )))
    });
    done.unwrap_or_else(|exit| exit)
}

fn bad(why: String) -> Exit {
    terminal::fail(why, Exit::BadConfig)
}

/// The channel that is meant: the one of that name, else the only one of that platform.
fn target<'a>(local: &'a Local, whose: &Asked) -> Result<Target<'a>, String> {
    let workspaces = match &whose.workspace {
        Some(name) => vec![local.workspace(Some(name))?],
        None => local.folder.workspaces.iter().collect(),
    };
    let all = workspaces
        .into_iter()
        .flat_map(|workspace| workspace.configs.iter().map(move |raw| (workspace, raw)));
    let meant: Vec<_> = all
        .filter(|(_, raw)| raw.adapter() == Some(&*whose.platform))
        .filter(|(_, raw)| {
            whose
                .channel
                .as_deref()
                .is_none_or(|slug| raw.slug() == Some(slug))
        })
        .collect();
    let platform = &whose.platform;
    match &meant[..] {
        [(workspace, raw)] => Ok(Target {
            workspace,
            raw,
            config: raw
                .parse()
                .map_err(|why| format!("the config of channel {:?} cannot be used: {why}", raw.slug()))?,
        }),
        [] => Err(match &whose.channel {
            Some(slug) => format!(
                "there is no {platform} channel {slug:?}; `katad channels add {platform} {slug}` makes one"
            ),
            None => format!("there is no {platform} channel; `katad channels add {platform} NAME` makes one"),
        }),
        several => {
            let name = |(workspace, raw): &(&Workspace, &RawConfig)| {
                format!("{} --workspace {}", raw.slug().unwrap_or("?"), workspace.id)
            };
            let names: Vec<_> = several.iter().map(name).collect();
            Err(format!(
                "which {platform} channel is meant? Name one of: {}",
                names.join(", ")
            ))
        }
    }
}

fn ask(platform: &str) -> Result<Given, String> {
    match way(platform) {
        Some(Way::Typed(token, app_token)) => Ok(Given {
            token: asked(token)?.ok_or("no token was given; nothing was stored")?,
            app_token: app_token.map(asked).transpose()?.flatten(),
        }),
        #[cfg(feature = "gmail")]
        Some(Way::Google) => google::sign_in(),
        None => Err(format!("katad does not know how {platform} gives out tokens")),
    }
}

fn asked(what: &str) -> Result<Option<SecretString>, String> {
    prompt::secret(what).map_err(|why| why.to_string())
}

/// The channel as it will be with these tokens.
fn spec(local: &Local, target: &Target<'_>, given: &Given) -> Result<Spec, String> {
    let asked = daemon::Asked {
        workspace: &target.workspace.id,
        configs: &[],
        tokens: given,
        enabled_plugins: &target.workspace.enabled_plugins,
    };
    // Whoever runs its agent, and whether it is switched on: its token may be stored.
    let mut reader = local.reader();
    reader.with_host = true;
    match reader.channel(&asked, &target.raw.clone().switched_on()) {
        Ok(Some(spec)) => Ok(spec),
        Ok(None) => Err(format!(
            "the channel {:?} cannot be switched on",
            target.config.slug
        )),
        Err(refusal) => Err(refusal.error),
    }
}

fn keep(local: &Local, target: &Target<'_>, given: &Given) -> Result<Kept, String> {
    let (workspace, config) = (&target.workspace.id, &target.config);
    let set = |key: &str, token| local.own.set(workspace, key, token).map_err(|why| sentence(&why));
    if let Some(app_token) = &given.app_token {
        set(&app_token_key(config), app_token)?;
    }
    set(token_key(config), &given.token)
}

fn report(target: &Target<'_>, tried: &Tried, kept: Kept) -> Exit {
    let slug = &target.config.slug;
    let place = match kept {
        Kept::Keyring => "in the system's keyring".to_owned(),
        Kept::File { because } => format!(
            "in state/tokens.json of the config directory, which its owner alone may read (the system's keyring: {because})"
        ),
    };
    match tried {
        Tried::Unreached(why) => terminal::fail(
            format_args!(
                "the token of channel {slug:?} is kept {place}, but could not be checked: {why}; `katad channels check {slug}` does that"
            ),
            Exit::TryLater,
        ),
        Tried::Connected(identity, _) => terminal::say(format_args!(
            "The token is good: the bot is {:?}. It is kept {place}, for channel {slug:?} of workspace {:?}.",
            identity.name, target.workspace.id
        )),
        Tried::Refused(_) => Exit::BadConfig,
    }
}

impl TokensOf for Given {
    fn tokens(&self, _: &str, _: &ChannelConfig) -> Result<Tokens, String> {
        Ok(Tokens {
            token: Some(self.token.expose_secret().into()),
            app_token: self.app_token.clone(),
            ..Tokens::default()
        })
    }
}
