//! `katad`: the always-on half of Kata Agents. This binary composes; it decides nothing. The picture of the program
//! is in [`stack`].

mod admit;
mod agents;
mod audit;
mod auth;
mod channels;
mod chat;
mod cli;
mod commands;
mod daemon;
mod drain;
mod exit;
mod explain;
mod folder;
mod gate;
mod grants;
mod home;
mod host;
mod logging;
mod open;
mod pair;
mod pairing;
mod plugins;
mod plugins_list;
mod query;
mod render;
mod replies;
mod rescue;
mod run;
mod serve;
mod stack;
mod start;
mod status;
mod stdio;
mod tasks;
mod terminal;
mod tools;
mod tryout;
mod turn;
mod watch;
mod wire;

use std::{io, process::ExitCode};

use clap::Parser;

use crate::cli::{AuditCommand, ChannelsCommand, Cli, Command, TaskCommand};

fn main() -> ExitCode {
    // Reads FAILPOINTS, for as long as the process lives. The kill tests' binary alone has this.
    #[cfg(feature = "failpoints")]
    std::mem::forget(fail::FailScenario::setup());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => return terminal::usage(&said).into(),
    };
    match cli.command {
        Command::Run { ignored } => run::run(&ignored),
        Command::Serve => serve::run(),
        Command::Chat { agent, verbose } => chat::run(&agent, verbose),
        Command::Status { json } => status::run(json),
        Command::Explain { message, json } => explain::run(&message, json),
        Command::Plugins { json } => plugins_list::run(json),
        Command::Grants { command, all, json } => grants::run(command.as_ref(), all, json),
        Command::Pair {
            code,
            revoke,
            all,
            json,
        } => pair::run(code.as_deref(), revoke, all, json),
        Command::Audit {
            command: AuditCommand::Verify { json },
        } => audit::verify(json),
        Command::Tasks { json } => tasks::print(json),
        Command::Task {
            command:
                TaskCommand::Next {
                    schedule,
                    kind,
                    zone,
                    count,
                    json,
                },
        } => tasks::preview(&schedule, kind, zone.as_deref(), count, json),
        Command::Channels { command } => match command {
            ChannelsCommand::Add(new) => channels::add(&new),
            ChannelsCommand::List { json } => channels::list(json),
            ChannelsCommand::Check { channel, workspace } => {
                channels::check(channel.as_deref(), workspace.as_deref())
            }
        },
        Command::Auth(asked) => auth::run(&asked),
        Command::Tools => tools::run(),
        // Its exit code is the program's.
        Command::Guard { control, command } => return kata_agent::guard::run(control, &command),
    }
    .into()
}

/// Two workers: the daemon waits far more than it computes.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("katad")
        .enable_all()
        .build()
}
