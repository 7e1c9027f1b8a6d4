//! `katad chat`: talk to an agent in the terminal, through the same stacks that serve every platform.

use std::{
    collections::HashMap,
    io::{self, BufReader, IsTerminal},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use kata_channel::{
    ChannelKey, Clock,
    settings::{AgentSettings, Backend, Filter, SessionSettings, Settings},
};
use kata_ipc::Event;
use kata_plugin::{Plugin, Plugins, Registrar};
use kata_terminal::{ADAPTER, SENDER, Terminal, TerminalOptions, TerminalPlugin};
use tokio::sync::mpsc;

use crate::{
    cli::AgentChoice,
    daemon::{Channels, Daemon, Desired, Events, Parts, Spec},
    drain::{Ending, arm_watchdog},
    exit::Exit,
    home::{DaemonConfig, Home, Lock, LogConfig, PidFile},
    logging, open,
    tasks::{Desk, TasksPlugin},
    terminal,
};

/// A chat has a config directory of its own in the daemon's: both may run at once, and a chat goes on where it ended.
const OWN: &str = "chat";
/// Its only workspace: `workspaces/chat` in that directory holds its permissions.
const WORKSPACE: &str = "chat";
/// How often it is looked whether all answers are out, once the input has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Chats until the input ends and everything typed is answered.
pub(crate) fn run(agent: &str, verbose: bool) -> Exit {
    let agent = match agent.parse::<AgentChoice>() {
        Ok(agent) => agent,
        Err(why) => return terminal::fail(why, Exit::BadConfig),
    };
    let home = match Home::from_env().map(|home| Home::at(home.dir().join(OWN))) {
        Ok(home) => home,
        Err(why) => return terminal::fail(why, Exit::BadConfig),
    };
    if let Err(why) = home.create() {
        return terminal::fail(why, Exit::BadConfig);
    }
    let lock = match Lock::try_take(&home.lock_file()) {
        Ok(lock) => lock,
        Err(why) => return terminal::fail(why, Exit::TryLater),
    };
    let _logs = logging::init_file_only(&LogConfig::default(), &home.logs());
    let Ok(runtime) = crate::runtime() else {
        return Exit::Bug;
    };
    let exit = match runtime.block_on(chat(home, agent, verbose)) {
        Ok(exit) => exit,
        Err(why) => terminal::fail(why, Exit::TryLater),
    };
    runtime.shutdown_background();
    drop(lock);
    exit
}

async fn chat(home: Home, agent: AgentChoice, verbose: bool) -> Result<Exit, String> {
    let clock = Clock::system();
    let config = DaemonConfig::default();
    let opened = open::store(&home, &config, &clock).map_err(|e| open::refusal(&home, &e))?;
    let pid = PidFile::write(home.pid_file())
        .map_err(|e| format!("cannot write {}: {e}", home.pid_file().display()))?;
    let mut ending = Ending::signals().map_err(|e| e.to_string())?;
    let screen = open_terminal().map_err(|e| format!("the terminal cannot be read: {e}"))?;
    let terminal: Arc<dyn Plugin> = Arc::new(TerminalPlugin::new(screen.clone()));
    let desk = Desk::default();
    let plugins = Plugins::new([terminal, Arc::new(TasksPlugin::new(&desk))]).map_err(|e| e.to_string())?;
    let spec = spec(plugins.registrar(), agent).ok_or("the terminal has no channel")?;
    let (events, heard) = mpsc::channel(64);
    let daemon = Daemon::new(Parts {
        home,
        config,
        store: opened.store,
        clock,
        events: Events::inside(events),
        plugins,
        desk,
        host: None,
    });
    let verdict = daemon
        .gate
        .policies
        .of(WORKSPACE)
        .decide_run(kata_perm::Role::Owner);
    let may_run = format!(
        "{} by the rule {}",
        if verdict.is_allowed() { "allowed" } else { "denied" },
        verdict.rule
    );
    daemon.tasks.spawn(show(screen.clone(), heard, may_run, verbose));
    daemon.start();
    let mut desired = Desired::default();
    desired.workspaces.push((WORKSPACE.to_owned(), Vec::new()));
    desired.add(spec);
    Channels::configure(&daemon, daemon.channels.next_configuration(), desired).await;
    tokio::select! {
        () = async { screen.ended().await; answered(&daemon).await } => {}
        () = screen.gone() => {}
        _ = ending.sign() => {}
        () = daemon.stopping.cancelled() => return Ok(Exit::Bug),
    }
    arm_watchdog(Exit::Done);
    daemon.stopping.cancel();
    daemon.channels.stop_all().await;
    daemon.turning.close();
    let _ = tokio::time::timeout(daemon.config.drain(), daemon.turning.wait()).await;
    // What was not answered is asked again by the next chat.
    let _ = daemon.store.give_back_all().await;
    daemon.agents.shut_down().await;
    let _ = daemon.store.close().await;
    drop(pid);
    Ok(Exit::Done)
}

fn open_terminal() -> io::Result<Terminal> {
    let (input, output) = (io::stdin(), io::stdout());
    let options = TerminalOptions {
        colour: output.is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        interactive: input.is_terminal() && output.is_terminal(),
        user: SENDER.to_owned(),
    };
    Terminal::open(BufReader::new(input), output, options)
}

fn spec(plugins: &Registrar, agent: AgentChoice) -> Option<Spec> {
    let agent = match agent {
        AgentChoice::Echo => AgentSettings {
            backend: Some(Backend::Echo),
            ..AgentSettings::default()
        },
        AgentChoice::Command(program, args) => program_of(Backend::Command, &program, args),
        AgentChoice::Acp(program, args) => program_of(Backend::Acp, &program, args),
    };
    Some(Spec {
        key: ChannelKey::new(WORKSPACE, ADAPTER),
        kind: plugins.channel(ADAPTER)?.clone(),
        filter: Filter::default(),
        session: SessionSettings::default(),
        settings: Settings {
            agent,
            ..Settings::default()
        },
        poll_interval: None,
        token: None,
        app_token: None,
        advice: None,
        owners: vec![SENDER.to_owned()],
    })
}

fn program_of(backend: Backend, program: &Path, args: Vec<String>) -> AgentSettings {
    AgentSettings {
        backend: Some(backend),
        command: Some(absolute(program).display().to_string()),
        args,
        ..AgentSettings::default()
    }
}

/// A path with a directory in it is meant from here: the agent itself runs in its session's directory.
fn absolute(program: &Path) -> std::path::PathBuf {
    let has_directory = program.components().count() > 1;
    match std::path::absolute(program) {
        Ok(path) if has_directory => path,
        _ => program.to_owned(),
    }
}

/// Waits until nothing that was typed is without its answer.
async fn answered(daemon: &Arc<Daemon>) {
    loop {
        match daemon.store.channel_counts().await {
            Ok(counts)
                if counts
                    .iter()
                    .all(|c| c.waiting == 0 && c.running == 0 && c.outgoing == 0) =>
            {
                return;
            }
            Ok(_) => tokio::time::sleep(LOOK).await,
            Err(_) => return,
        }
    }
}

/// Shows what goes wrong, and with `-v` what goes on.
async fn show(screen: Terminal, mut heard: mpsc::Receiver<Event>, may_run: String, verbose: bool) {
    let mut since: HashMap<String, Instant> = HashMap::new();
    while let Some(event) = heard.recv().await {
        let note = match event {
            Event::PluginError(e) => Some(e.error),
            Event::MessageFailed(e) => {
                let next = e
                    .next_attempt_at
                    .map_or_else(|| "given up".to_owned(), |at| format!("again at {at}"));
                Some(format!("attempt {}: {} ({next})", e.attempt, e.error))
            }
            Event::SessionStarted(e) if verbose => Some(format!("session {}", e.session_key)),
            Event::SessionEnded(e) if verbose => Some(format!("session {} ended", e.session_key)),
            Event::MessageReceived(e) if verbose => {
                since.insert(e.channel_id.clone(), Instant::now());
                Some(format!(
                    "message {} is stored; a turn for its sender: {may_run}",
                    e.message_id
                ))
            }
            Event::MessageSent(e) if verbose => {
                let took = since
                    .get(&e.channel_id)
                    .map(|t| format!(" after {:.1} ms", t.elapsed().as_secs_f64() * 1e3));
                Some(format!(
                    "answer {} is out{}",
                    e.message_id,
                    took.unwrap_or_default()
                ))
            }
            Event::ToolCall(e) if verbose => Some(format!("tool {}: {:?} by {}", e.tool, e.verdict, e.rule)),
            _ => None,
        };
        if let Some(note) = note
            && screen.note(note).await.is_err()
        {
            return;
        }
    }
}
