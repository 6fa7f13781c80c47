//! Strangers: attacks on a moim server of one's own, and the well-behaved clients that must not
//! notice them.
//!
//! Both print what came of them as JSON, so that a test can tell an attack that was repelled from one
//! that never took place.

mod attack;
mod relay;
mod target;
mod witness;

use std::{io::Write as _, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};

use attack::Attack;
use target::Target;

#[derive(Parser)]
struct CommandLine {
    /// The server, which must be one of your own
    #[arg(long)]
    url: String,
    /// Certificate in PEM that an https server's own is signed with
    #[arg(long)]
    ca: Option<PathBuf>,
    /// How long to go on
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// A pair that talks, a TURN client, and newcomers once a second
    Witness,
    /// One attack, from one address
    Attack { name: Attack },
}

fn main() -> anyhow::Result<()> {
    let CommandLine { url, ca, seconds, role } = CommandLine::parse();
    let target = Target::new(&url, ca.as_deref())?;
    let time = Duration::from_secs(seconds);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        match role {
            Role::Witness => witness::run(target, time).await,
            Role::Attack { name } => attack::run(name, target, time).await,
        }
    })?;
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}
