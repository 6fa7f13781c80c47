//! Attacks on one's own moim server, and the well-behaved clients that they must not affect.
//!
//! Both print their results as JSON, so that a test can distinguish an attack that failed from one
//! that never took place.

mod attack;
mod target;
mod turn_client;
mod witness;

use std::{io::Write as _, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};

use attack::Attack;
use target::Target;

#[derive(Parser)]
struct CommandLine {
    /// URL of the server, which must be your own
    #[arg(long)]
    url: String,
    /// CA certificate of an https server, in PEM
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Duration
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Well-behaved clients: signaling, TURN, and a newcomer every second
    Witness,
    /// An attack, from one address
    Attack { name: Attack },
}

fn main() -> anyhow::Result<()> {
    let CommandLine { url, ca, seconds, role } = CommandLine::parse();
    let target = Target::new(&url, ca.as_deref())?;
    let duration = Duration::from_secs(seconds);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        match role {
            Role::Witness => witness::run(target, duration).await,
            Role::Attack { name } => attack::run(name, target, duration).await,
        }
    })?;
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}
