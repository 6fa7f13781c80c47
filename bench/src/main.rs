//! moim beside its peers on one machine in one run. `cargo xtask bench` builds what this needs and
//! runs it.

mod cores;
mod figure;
mod fleet;
mod machine;
mod moim;
mod quota;
mod report;
mod rounds;
mod sfu;
mod signal;
mod spawned;
mod turn;
mod usage;

use clap::{Args, Parser, Subcommand};

/// Measures moim beside its peers.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct CommandLine {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Signaling, beside the tutorials' handlers on Node's socket.io.
    Signal(signal::Options),
    /// The media server, beside Janus' VideoRoom.
    Sfu(sfu::Options),
    /// The relay, beside coturn.
    Turn(turn::Options),
}

/// What all benches are asked alike.
#[derive(Debug, Clone, Args)]
struct Common {
    /// Rounds that count. One more goes before them.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Writes the tables into docs/benchmarks.md.
    #[arg(long)]
    publish: bool,
}

fn main() -> anyhow::Result<()> {
    match CommandLine::parse().bench {
        Bench::Signal(options) => signal::run(&options),
        Bench::Sfu(options) => sfu::run(&options),
        Bench::Turn(options) => turn::run(&options),
    }
}
