//! Options of all benchmarks.

use clap::Args;

/// Options of all benchmarks.
#[derive(Debug, Clone, Args)]
pub(crate) struct CommonOptions {
    /// Number of rounds, after one warm-up round.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Writes the tables to docs/benchmarks.md.
    #[arg(long)]
    pub(crate) publish: bool,
}
