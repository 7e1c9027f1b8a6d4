//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Parser, Subcommand};

use crate::{auth, channels, tasks::TypeArg};

const AFTER_HELP: &str = "\
State, settings (daemon.json) and logs (logs/katad.log) are in $KATA_CONFIG_DIR, else $CRAFT_CONFIG_DIR, else
~/.kata-agents.

Exit codes: 0 done; 64 the configuration or the command line cannot be used; 70 a bug; 75 try again later.";

/// The always-on half of Kata Agents: brings messages to an agent, and carries the answers back.
#[derive(Debug, Parser)]
#[command(name = "katad", version, about, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve a host over stdin and stdout, one JSON object a line
    Run {
        /// Accepted and ignored: the app passes the path of the script that it used to start
        #[arg(
            value_name = "ANYTHING",
            hide = true,
            trailing_var_arg = true,
            allow_hyphen_values = true
        )]
        ignored: Vec<String>,
    },
    /// Serve without the app: channels and tokens come from the config directory
    Serve,
    /// Talk to an agent in this terminal, through the same path that a message from a platform takes
    Chat {
        /// The agent: `echo`, `acp PROGRAM ARGS…` or `command PROGRAM ARGS…`
        #[arg(long, default_value = "echo", value_name = "AGENT")]
        agent: String,
        /// Show sessions, verdicts and timing
        #[arg(short, long)]
        verbose: bool,
    },
    /// What the daemon has done and has still to do
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Every step of one message, from its arrival to the answer's receipt
    Explain {
        /// A row id, or the platform's own id of the message
        message: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The plugins of this build, and what they bring
    Plugins {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// What the agents were allowed to do, beyond the rules
    Grants {
        #[command(subcommand)]
        command: Option<GrantsCommand>,
        /// Those that are over as well
        #[arg(long)]
        all: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Who was let in beside those whom the settings name; with a code, let its sender in
    Pair {
        /// The pairing code that a sender was told
        code: Option<String>,
        /// Make a sender a stranger again, by the number that the list shows
        #[arg(long, value_name = "PAIRING", conflicts_with = "code")]
        revoke: Option<i64>,
        /// Those that are over as well
        #[arg(long)]
        all: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The record of every verdict, question, answer and grant
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// The scheduled tasks: when each runs next, and how its latest run ended
    Tasks {
        /// As JSON, with the latest runs of each
        #[arg(long)]
        json: bool,
    },
    /// Schedules, without a daemon
    Task {
        #[command(subcommand)]
        command: TaskCommand,
    },
    /// Channels of the config directory: write one, list them, try them out
    Channels {
        #[command(subcommand)]
        command: ChannelsCommand,
    },
    /// Store a channel's token, and have its platform check it
    Auth(auth::Asked),
    /// Serve the daemon's tools to an agent over MCP on stdin and stdout; the daemon starts this by itself
    #[command(hide = true)]
    Tools,
    /// Run a program that does not outlive the daemon; the daemon starts this by itself
    #[command(hide = true)]
    Guard {
        /// The descriptor of the pipe whose other end the daemon holds
        #[arg(long)]
        control: u32,
        /// The program and its arguments
        #[arg(required = true, last = true)]
        command: Vec<OsString>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum GrantsCommand {
    /// End a grant before its time
    Revoke {
        /// Its number, as `katad grants` shows it
        grant: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChannelsCommand {
    /// Write the config of a new channel
    Add(channels::New),
    /// What is configured, and where the tokens come from
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask the platforms whether token, scopes and conversations are good
    Check {
        /// The channel's name; without it all that are switched on
        channel: Option<String>,
        /// Its workspace, by id or name
        #[arg(long, value_name = "ID")]
        workspace: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that the record was not changed, and say what this check can and cannot find
    Verify {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// When a schedule would run next
    Next {
        /// A cron pattern ('0 9 * * MON-FRI'), milliseconds (60000) or a time (2027-01-31T18:00)
        schedule: String,
        /// What it is, where its looks do not say
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<TypeArg>,
        /// The IANA time zone that it is meant in; the system's without it
        #[arg(long)]
        zone: Option<String>,
        /// How many runs
        #[arg(short = 'n', default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

impl Cli {
    /// `KATA_CONFIG_DIR` is read by the home itself; nothing here overrides it.
    #[cfg(test)]
    pub(crate) fn of(args: &[&str]) -> Result<Self, clap::Error> {
        Self::try_parse_from(std::iter::once("katad").chain(args.iter().copied()))
    }
}

/// What `--agent` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AgentChoice {
    /// Says what it was told.
    Echo,
    /// A program that speaks the Agent Client Protocol, and its arguments.
    Acp(PathBuf, Vec<String>),
    /// A program and its arguments.
    Command(PathBuf, Vec<String>),
}

impl std::str::FromStr for AgentChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = shell_words::split(text).map_err(|e| format!("--agent {text:?}: {e}"))?;
        match words.split_first() {
            Some((first, [])) if first == "echo" => Ok(Self::Echo),
            Some((kind, rest)) if kind == "command" || kind == "acp" => match rest.split_first() {
                Some((program, args)) if kind == "acp" => Ok(Self::Acp(program.into(), args.to_vec())),
                Some((program, args)) => Ok(Self::Command(program.into(), args.to_vec())),
                None => Err(format!(
                    "--agent {kind}: name the program, as in --agent '{kind} my-agent --flag'"
                )),
            },
            _ => Err(format!(
                "--agent {text:?}: must be `echo`, `acp PROGRAM ARGS…` or `command PROGRAM ARGS…`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_takes_whatever_the_app_passes() {
        for args in [&["run"][..], &["run", "/x/daemon/entry.ts"], &["run", "--flag"]] {
            assert!(
                matches!(Cli::of(args).unwrap().command, Command::Run { .. }),
                "{args:?}"
            );
        }
    }

    #[test]
    fn an_agent_is_echo_or_a_command_with_its_words() {
        assert_eq!("echo".parse(), Ok(AgentChoice::Echo));
        assert_eq!(
            "command my-agent 'two words'".parse(),
            Ok(AgentChoice::Command("my-agent".into(), vec!["two words".into()]))
        );
        assert_eq!(
            "acp my-agent --acp".parse(),
            Ok(AgentChoice::Acp("my-agent".into(), vec!["--acp".into()]))
        );
        assert!("command".parse::<AgentChoice>().is_err());
        assert!("acp".parse::<AgentChoice>().is_err());
        assert!("claude".parse::<AgentChoice>().is_err());
    }
}
