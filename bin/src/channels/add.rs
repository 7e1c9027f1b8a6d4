//! `katad channels add`: writes the config of a new channel.

use kata_channel::{Clock, ingress::Trigger};
use kata_home::{WorkspacesError, add_channel, begin_list};
use kata_ipc::config::RawConfig;
use serde_json::{Map, Value, json};

use crate::{
    daemon::{Asked, Tokens, TokensOf},
    exit::Exit,
    folder::Local,
    home::Home,
    open::sentence,
    terminal,
};

/// What a new channel shall be.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct New {
    /// The platform: `slack`, …
    platform: String,
    /// The channel's name: letters, digits, '-' and '_'
    channel: String,
    /// The workspace, by its id or its name; needed where there are several
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// A conversation that is served, by the platform's id (a label for mail); may be repeated
    #[arg(long, value_name = "ID")]
    conversation: Vec<String>,
    /// Somebody who may speak, by the platform's id; may be repeated. Without: everyone in the conversations named
    #[arg(long, value_name = "ID")]
    sender: Vec<String>,
    /// A JavaScript regular expression that a message must match; may be repeated, one suffices
    #[arg(long, value_name = "PATTERN")]
    trigger: Vec<String>,
    /// Written, but not switched on
    #[arg(long)]
    disabled: bool,
}

/// No token is needed for a config to be written.
#[derive(Debug)]
struct Later;

impl TokensOf for Later {
    fn tokens(&self, _: &str, _: &kata_ipc::config::ChannelConfig) -> Result<Tokens, String> {
        Ok(Tokens::default())
    }
}

/// Writes the config, and says what comes next.
pub(crate) fn run(new: &New) -> Exit {
    match write(new) {
        Ok(exit) => exit,
        Err(why) => terminal::fail(why, Exit::BadConfig),
    }
}

fn write(new: &New) -> Result<Exit, String> {
    begin(new)?;
    let local = match Local::read() {
        Ok(local) => local,
        // It was said.
        Err(exit) => return Ok(exit),
    };
    let workspace = local.workspace(new.workspace.as_deref())?;
    let config = config(new);
    let asked = Asked {
        workspace: &workspace.id,
        configs: &[],
        tokens: &Later,
        enabled_plugins: &workspace.enabled_plugins,
    };
    let mut reader = local.reader();
    // Its agent may be chosen later.
    reader.with_host = true;
    let raw = RawConfig::from(Value::from(config.clone())).switched_on();
    reader.channel(&asked, &raw).map_err(|refusal| refusal.error)?;
    Trigger::compile(&new.trigger).map_err(|why| why.to_string())?;
    let file = add_channel(&workspace.root, &new.channel, &config).map_err(|why| sentence(&why))?;
    Ok(terminal::say(format_args!(
        "Written: {}\nNext: `katad auth {} {}`, then `katad channels check {}`.",
        file.display(),
        new.platform,
        new.channel,
        new.channel
    )))
}

/// Where no app ever was there is no list of workspaces: it begins with the one that is named.
fn begin(new: &New) -> Result<(), String> {
    let home = Home::from_env().map_err(|why| why.to_string())?;
    home.create().map_err(|why| why.to_string())?;
    let id = new.workspace.as_deref().unwrap_or("main");
    match begin_list(home.dir(), id, Clock::system().wall().as_millis()) {
        Ok(file) => {
            terminal::say(format_args!("Written: {}", file.display()));
            Ok(())
        }
        Err(WorkspacesError::Exists { .. }) => Ok(()),
        Err(why) => Err(sentence(&why)),
    }
}

fn config(new: &New) -> Map<String, Value> {
    let slug = &new.channel;
    let mut credentials = json!({ "channelSlug": slug });
    if new.platform == "slack" {
        credentials["appTokenSlug"] = json!(format!("{slug}-app"));
    }
    let mut filter = Map::new();
    if !new.conversation.is_empty() {
        filter.insert("channelIds".to_owned(), json!(new.conversation));
    }
    if !new.trigger.is_empty() {
        filter.insert("triggerPatterns".to_owned(), json!(new.trigger));
    }
    let mut config = Map::new();
    config.insert("slug".to_owned(), json!(slug));
    config.insert("enabled".to_owned(), json!(!new.disabled));
    config.insert("adapter".to_owned(), json!(new.platform));
    config.insert("credentials".to_owned(), credentials);
    config.insert("filter".to_owned(), Value::Object(filter));
    if !new.sender.is_empty() {
        config.insert("settings".to_owned(), json!({ "senders": new.sender }));
    }
    config
}
