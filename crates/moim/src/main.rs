//! The moim binary: sockets, clock, configuration and storage around the sans-IO cores.

mod access;
mod accounts;
#[cfg(unix)]
mod admin;
mod api;
mod audit_command;
mod backup;
mod banner;
mod call_report;
mod calls_command;
mod cluster;
#[cfg(unix)]
mod cluster_command;
mod config;
mod config_command;
#[cfg(unix)]
mod ctl;
mod data;
mod dispatch;
#[cfg(unix)]
mod doctor;
#[cfg(unix)]
mod drain;
#[cfg(debug_assertions)]
mod faults;
mod forward;
mod handover;
mod histogram;
mod hot;
mod http;
mod line_rate;
mod log_format;
mod log_privacy;
mod log_throttle;
mod logs;
mod manuals;
mod metrics;
mod net;
mod oidc;
mod order;
mod panics;
mod qr;
mod reload;
mod server;
mod session_secret;
mod shard;
mod signaling;
mod size_command;
mod sizing;
mod socketio;
mod store;
mod supervisor;
#[cfg(target_os = "linux")]
mod upgrade;
mod webhooks;
mod wiring;
mod workers;

use std::{process::ExitCode, sync::Arc};

use clap::{ArgMatches, FromArgMatches};

use config::{CheckedConfig, Command, CommandLine, Given, Problems};
use logs::Logs;
use reload::Reload;
use server::Server;

/// Returns freed memory to the system, which glibc's allocator does not
/// (docs/decisions/jemalloc.md).
#[cfg(all(unix, target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Exit code for a configuration that can't work; clap's for wrong flags is the same.
const MISCONFIGURED: u8 = 2;

fn main() -> ExitCode {
    if std::env::args_os().len() <= 1 {
        return told(manuals::next_steps());
    }
    let matches = config::command_line().get_matches();
    let line = CommandLine::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match line.command {
        Command::Serve(options) => serve(Given::new(*options, innermost(&matches))),
        Command::Load(options) => {
            load::run(&options).unwrap_or_else(|error| misconfigured(&error.into()))
        }
        #[cfg(unix)]
        Command::Ctl(options) => done(ctl::run(options)),
        #[cfg(unix)]
        Command::Doctor(options) => doctor::run(*options, innermost(&matches)),
        #[cfg(unix)]
        Command::Drain(options) => done(drain::run(options)),
        #[cfg(target_os = "linux")]
        Command::Upgrade(options) => done(upgrade::run(options)),
        #[cfg(unix)]
        Command::Cluster(command) => done(cluster_command::run(command)),
        Command::Config(command) => match config_command::run(command, innermost(&matches)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problems) => misconfigured(&problems),
        },
        Command::Calls(options) => told(calls_command::run(&options).map(|()| String::new())),
        Command::Audit(options) => told(audit_command::run(&options).map(|()| String::new())),
        Command::Size(options) => told(size_command::run(&options).map(|()| String::new())),
        Command::Backup(options) => told(backup::backup(&options)),
        Command::Restore(options) => told(backup::restore(&options)),
        Command::Man(options) => told(manuals::man(&options).map(|()| String::new())),
        Command::Completions(options) => {
            manuals::completions(&options);
            ExitCode::SUCCESS
        }
    }
}

/// Prints the outcome of a command. Notes go to standard error, since a backup may be the output.
fn told(outcome: anyhow::Result<String>) -> ExitCode {
    match outcome {
        Ok(note) => {
            if !note.is_empty() {
                eprintln!("{note}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("moim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The matches of the innermost subcommand.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| innermost(inner))
}

fn serve(given: Given) -> ExitCode {
    let logs = logs::start();
    panics::log();
    match prepare(given, logs) {
        Ok((server, mut reload)) => server.run(async move || reload.reload().await),
        Err(problems) => misconfigured(&problems),
    }
}

fn prepare(given: Given, logs: Logs) -> Result<(Server, Reload), Problems> {
    let checked = CheckedConfig::new(given.clone())?;
    logs::check(&checked.config().log)?;
    for warning in checked.warnings() {
        tracing::warn!("{warning}");
    }
    let running = checked.sources().clone();
    let config = checked.open()?;
    logs.filter(&config.log)?;
    if let Some(format) = config.log_format {
        logs.format(format);
    }
    log_privacy::set(config.log_privacy);
    #[cfg(unix)]
    let examined = given.clone();
    #[cfg(unix)]
    let examine: Option<api::Examine> =
        Some(Arc::new(move |language| doctor::report(examined.clone(), language)));
    #[cfg(not(unix))]
    let examine = None;
    let (server, parts) = server::prepare(&config, examine)?;
    Ok((server, Reload::new(given, running, logs, parts)))
}

/// The exit code of a request to a running server. Health checks of containers take only 0 and 1.
#[cfg(unix)]
fn done(result: Result<(), Problems>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in problems.iter() {
                eprintln!("moim: {problem}");
            }
            ExitCode::FAILURE
        }
    }
}

fn misconfigured(problems: &Problems) -> ExitCode {
    for problem in problems.iter() {
        eprintln!("moim: {problem}");
    }
    ExitCode::from(MISCONFIGURED)
}
