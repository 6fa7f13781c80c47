//! Options of the subcommands that talk to a running server.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};

use super::ctl_api::{
    AdminCommand, KeysCommand, ParticipantsCommand, RoomsCommand, WebhooksCommand,
};

/// The running server that a subcommand is about.
#[derive(Debug, Args)]
pub(crate) struct ServerOptions {
    /// Data folder of the server [default: the one that `moim serve` would choose, or
    /// /var/lib/moim]
    #[arg(long, env = "MOIM_DATA", value_name = "DIR", global = true)]
    pub(crate) data: Option<PathBuf>,
}

/// Options of `moim drain`.
#[derive(Debug, Args)]
pub(crate) struct DrainOptions {
    /// The server.
    #[command(flatten)]
    pub(crate) server: ServerOptions,

    /// Time after which calls are cut, such as 90s, 15m or 2h [default: none]
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub(crate) limit: Option<Duration>,

    /// Return at once instead of waiting for the server's end
    #[arg(long)]
    pub(crate) no_wait: bool,
}

fn time(text: &str) -> Result<Duration, String> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => 0,
    };
    let seconds = number.parse::<u32>().ok().map(|number| u64::from(number) * seconds);
    let seconds = seconds.filter(|seconds| *seconds > 0);
    let seconds = seconds.ok_or("give a number and s, m, h or d, such as 90s or 2h")?;
    Ok(Duration::from_secs(seconds))
}

/// Subcommands about the cluster of a running server.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Print whether Redis is connected, and which servers are there
    Status(ClusterStatusOptions),
}

/// Options of `moim cluster status`.
#[derive(Debug, Args)]
pub(crate) struct ClusterStatusOptions {
    /// The server.
    #[command(flatten)]
    pub(crate) server: ServerOptions,

    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
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
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum CtlCommand {
    /// Check that the server takes new calls [exit code: 1 if it does not]
    Ready,
    /// Print the version, uptime, rooms and connections as JSON
    Status,
    /// Reload the configuration, like SIGHUP, and print what applies
    Reload,
    /// List, create, lock and end rooms
    #[command(subcommand)]
    Rooms(RoomsCommand),
    /// List participants and act on them
    #[command(subcommand)]
    Participants(ParticipantsCommand),
    /// Manage the keys of the API
    #[command(subcommand)]
    Keys(KeysCommand),
    /// List, make and remove receivers of what happens in rooms
    #[command(subcommand)]
    Webhooks(WebhooksCommand),
    /// Manage who may sign in at the page /admin
    #[command(subcommand)]
    Admin(AdminCommand),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let seconds = |text| time(text).map(|time| time.as_secs());
        assert_eq!(seconds("90"), Ok(90));
        assert_eq!([seconds("15m"), seconds("2h"), seconds("1d")], [Ok(900), Ok(7200), Ok(86_400)]);
        for wrong in ["", "h", "0s", "1w", "-1s", "1.5h", "99999999999s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
