//! Options of `moim audit`.

use std::path::PathBuf;

use clap::Args;

use super::calls::parse_time;

/// Options of `moim audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditOptions {
    /// Entries of this time: days (30d), hours (12h) or minutes (45m)
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = parse_time)]
    pub(crate) since: i64,

    /// Data folder of the server [default: as for moim serve]
    #[arg(long, env = "MOIM_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}
