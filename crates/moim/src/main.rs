//! The moim binary: sockets, clock, configuration and storage around the sans-IO cores.

mod banner;
mod config;
mod data;
mod dispatch;
#[cfg(debug_assertions)]
mod faults;
mod http;
mod line_rate;
mod log_throttle;
mod logs;
mod metrics;
mod net;
mod panics;
mod server;
mod shard;
mod signaling;
mod socketio;
mod wiring;
mod workers;

use std::process::ExitCode;

use clap::Parser;

use config::{Command, CommandLine, Config, Options};

/// Returns freed memory to the system, which glibc's allocator does not
/// (docs/decisions/jemalloc.md).
#[cfg(all(unix, target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Exit code for a configuration that can't work; clap's for wrong flags is the same.
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
    let prepared = Config::resolve(options).and_then(|config| {
        logs.filter(&config.log)?;
        server::prepare(&config)
    });
    match prepared {
        Ok(server) => server.run(),
        Err(error) => misconfigured(&error),
    }
}

fn misconfigured(error: &anyhow::Error) -> ExitCode {
    eprintln!("moim: {}", in_one_sentence(error));
    ExitCode::from(MISCONFIGURED)
}

/// Formats an error as one sentence: problem and remedy, then the causes in parentheses.
fn in_one_sentence(error: &anyhow::Error) -> String {
    let mut causes = error.chain().skip(1).map(ToString::to_string).collect::<Vec<_>>();
    causes.dedup();
    match causes.as_slice() {
        [] => format!("{error}"),
        causes => format!("{error} ({})", causes.join(": ")),
    }
}
