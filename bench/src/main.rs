//! Benchmarks moim and its peers on one machine in one run. `cargo xtask bench` builds and runs it.

mod cores;
mod figure;
mod fleet;
mod machine;
mod moim;
mod options;
mod quota;
mod report;
mod rounds;
mod sfu;
mod signal;
mod spawned;
mod turn;
mod usage;

use clap::{Parser, Subcommand};

/// Benchmarks moim and its peers.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct CommandLine {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Signaling: moim and the tutorials' handlers on Node's socket.io.
    Signal(signal::Options),
    /// Media server: moim, and Janus' VideoRoom or LiveKit.
    Sfu(sfu::Options),
    /// TURN: moim and coturn.
    Turn(turn::Options),
}

fn main() -> anyhow::Result<()> {
    match CommandLine::parse().bench {
        Bench::Signal(options) => signal::run(&options),
        Bench::Sfu(options) => sfu::run(&options),
        Bench::Turn(options) => turn::run(&options),
    }
}
