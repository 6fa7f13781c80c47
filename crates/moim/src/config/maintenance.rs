//! Options of the commands beside the server: backups and manuals.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::StoreOptions;

/// Options of `moim backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupOptions {
    /// File to write, a tar.gz; `-` is standard output
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Data folder of the server [default: the one that `moim serve` would choose, or
    /// /var/lib/moim]
    #[arg(long, env = "MOIM_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// Store of the server, if it is not in the folder's moim.toml
    #[command(flatten)]
    pub(crate) stored: StoreOptions,

    /// Leave out the CA, certificates, the ACME account and secrets; rooms and history remain
    #[arg(long)]
    pub(crate) without_keys: bool,
}

/// Options of `moim restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreOptions {
    /// Backup to read; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Data folder of the server [default: the one that `moim serve` would choose, or
    /// /var/lib/moim]
    #[arg(long, env = "MOIM_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// Restore into a folder that is not empty; its files move to a folder replaced-TIME in it
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Options of `moim man`.
#[derive(Debug, Args)]
pub(crate) struct ManOptions {
    /// Folder for the pages, one for each command
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

/// Options of `moim completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsOptions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}
