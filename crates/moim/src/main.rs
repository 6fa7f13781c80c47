//! The moim binary: sockets, clock, configuration and storage around the sans-IO cores.

mod banner;
mod config;
mod data;
mod dispatch;
#[cfg(debug_assertions)]
mod faults;
mod http;
mod line_rate;
mod logs;
mod metrics;
mod net;
mod panics;
mod parts;
mod reminder;
mod server;
mod shard;
mod signaling;
mod socket;
mod workers;

use std::process::ExitCode;

use clap::Parser;

use config::{Command, CommandLine, Config, Options};

/// Gives memory back to the system soon after connections have left, where the system's own keeps it.
#[cfg(all(unix, target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What can't be started as asked exits with this, as wrong flags do.
const MISCONFIGURED: u8 = 2;

fn main() -> ExitCode {
    match CommandLine::parse().command {
        Command::Serve(options) => serve(*options),
        Command::Load(options) => load::run(&options).unwrap_or_else(|error| misconfigured(&error)),
    }
}

fn serve(options: Options) -> ExitCode {
    let logs = logs::start();
    panics::log();
    let prepared = Config::settle(options).and_then(|config| {
        logs.filter(&config.log)?;
        server::prepare(&config)
    });
    match prepared {
        Ok(server) => server.run(),
        Err(error) => misconfigured(&error),
    }
}

fn misconfigured(error: &anyhow::Error) -> ExitCode {
    eprintln!("moim: {}", sentence(error));
    ExitCode::from(MISCONFIGURED)
}

/// An error as one sentence: what is wrong and what to do, then why in brackets.
fn sentence(error: &anyhow::Error) -> String {
    let mut causes = error.chain().skip(1).map(ToString::to_string).collect::<Vec<_>>();
    causes.dedup();
    match causes.as_slice() {
        [] => format!("{error}"),
        causes => format!("{error} ({})", causes.join(": ")),
    }
}
