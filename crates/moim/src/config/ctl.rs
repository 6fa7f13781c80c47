//! Options of the subcommands that talk to a running server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The running server that a subcommand is about.
#[derive(Debug, Args)]
pub(crate) struct ServerOptions {
    /// Data folder of the server [default: the one that `moim serve` would choose, or
    /// /var/lib/moim]
    #[arg(long, env = "MOIM_DATA", value_name = "DIR", global = true)]
    pub(crate) data: Option<PathBuf>,
}

/// Options of `moim ctl`.
#[derive(Debug, Args)]
pub(crate) struct CtlOptions {
    /// The server.
    #[command(flatten)]
    pub(crate) server: ServerOptions,

    /// The request.
    #[command(subcommand)]
    pub(crate) command: CtlCommand,
}

/// Requests to a running server.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum CtlCommand {
    /// Check that the server takes new calls [exit code: 1 if it does not]
    Ready,
    /// Print the version, uptime, rooms and connections as JSON
    Status,
    /// Reload the configuration, like SIGHUP, and print what applies
    Reload,
}
