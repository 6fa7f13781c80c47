//! The command line: subcommands and their options.

use std::path::PathBuf;

use axum::http::Uri;
use clap::{Args, Parser, Subcommand};

use super::{
    Options,
    maintenance::{BackupOptions, CompletionsOptions, ManOptions, RestoreOptions},
};

/// Video calls that anyone can host: one program, one port.
#[derive(Debug, Parser)]
#[command(name = "moim", version)]
pub(crate) struct CommandLine {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Subcommands of the program.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(Box<Options>),
    /// Load-test a server with headless participants
    Load(load::Options),
    /// Ask a running server
    #[cfg(unix)]
    Ctl(super::ctl::CtlOptions),
    /// Examine the server and its machine, and say what to do [exit code: 0 if nothing is wrong, 1
    /// if calls fail or are worse than they could be, 2 if the configuration can't work]
    #[cfg(unix)]
    Doctor(Box<DoctorOptions>),
    /// Have a running server end when its calls have ended: it opens no rooms, and open ones go on
    #[cfg(unix)]
    Drain(super::ctl::DrainOptions),
    /// Have a running server change to the program on disk, without cutting calls
    #[cfg(target_os = "linux")]
    Upgrade(super::ctl::ServerOptions),
    /// Ask a running server about its cluster
    #[cfg(unix)]
    #[command(subcommand)]
    Cluster(super::ctl::ClusterCommand),
    /// Check, show or write a configuration, without starting a server
    #[command(subcommand)]
    Config(ConfigCommand),
    /// List the calls of the last days, and tell why one was bad
    Calls(super::calls::CallsOptions),
    /// Print the audit log, one JSON object a line
    Audit(super::audit::AuditOptions),
    /// Tell how large a server a number of calls needs
    Size(super::size::SizeOptions),
    /// Write the data folder to one private file, while the server runs or not
    Backup(BackupOptions),
    /// Fill the data folder from a backup, while the server is stopped
    Restore(RestoreOptions),
    /// Write the manual pages
    Man(ManOptions),
    /// Print the completions of a shell
    Completions(CompletionsOptions),
}

/// Subcommands about the configuration. None of them changes anything.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Report all mistakes in a file, the environment and flags [exit code: 2 if there are any]
    Check(Box<CheckOptions>),
    /// Print the value of each option and its source
    Show(Box<Options>),
    /// Print a commented configuration file
    Example,
}

/// Options of `moim config check`.
#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// File to check [default: the one that `moim serve` would read]
    #[arg(value_name = "FILE", conflicts_with = "config")]
    pub(crate) file: Option<PathBuf>,

    /// Options of `moim serve`.
    #[command(flatten)]
    pub(crate) options: Options,
}

/// Options of `moim doctor`.
#[cfg(unix)]
#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    /// Print the checks and findings as JSON
    #[arg(long, help_heading = "Report")]
    pub(crate) json: bool,

    /// Language of the texts [default: that of the locale]
    #[arg(long, help_heading = "Report", value_name = "LANGUAGE", value_parser = ["en", "ko"])]
    pub(crate) lang: Option<String>,

    /// Test from outside: print a QR code that a phone on mobile data opens once, and show its test
    /// step by step; the server must run
    #[arg(long, help_heading = "From outside")]
    pub(crate) phone: bool,

    /// Test from outside: have the moim at this URL, whose operator allows it with
    /// --probe-others, dial this server back; the server must run
    #[arg(long, help_heading = "From outside", value_name = "URL", conflicts_with = "phone")]
    pub(crate) by: Option<Uri>,

    /// Options of `moim serve`, if the server was started with flags.
    #[command(flatten)]
    pub(crate) options: Options,
}
