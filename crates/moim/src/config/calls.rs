//! Options of `moim calls`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::StoreOptions;

/// Options of `moim calls`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct CallsOptions {
    /// What to do other than list calls.
    #[command(subcommand)]
    pub(crate) command: Option<CallsCommand>,

    /// Calls of this time: days (30d), hours (12h) or minutes (45m)
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_time)]
    pub(crate) since: i64,

    /// Format: a table, or one line per participation
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: CallsFormat,

    /// Data folder of the server [default: as for moim serve]
    #[arg(long, env = "MOIM_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// Store of the server, if it is not in the folder's moim.toml.
    #[command(flatten)]
    pub(crate) stored: StoreOptions,
}

/// Subcommands of `moim calls`.
#[derive(Debug, Subcommand)]
pub(crate) enum CallsCommand {
    /// Tell why a call was bad
    Show(ShowOptions),
}

/// Options of `moim calls show`.
#[derive(Debug, Args)]
pub(crate) struct ShowOptions {
    /// Id of the call, as `moim calls` lists it
    pub(crate) id: String,

    /// Time of day, in this machine's zone: two minutes before and after it [default: the whole
    /// call]
    #[arg(long, value_name = "HH:MM", value_parser = crate::call_report::parse_clock)]
    pub(crate) at: Option<i64>,

    /// Language: en or ko
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(crate) lang: CallsLanguage,

    /// Data folder of the server [default: as for moim serve]
    #[arg(long, env = "MOIM_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// Store of the server, if it is not in the folder's moim.toml.
    #[command(flatten)]
    pub(crate) stored: StoreOptions,
}

/// A format of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CallsFormat {
    Table,
    Csv,
    Jsonl,
}

/// A language of the sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CallsLanguage {
    En,
    Ko,
}

/// Seconds of a text like `30d`.
pub(super) fn parse_time(text: &str) -> Result<i64, String> {
    let wrong = || "give a number and d, h or m, as 30d".to_owned();
    let unit = match text.chars().last() {
        Some('d') => 24 * 60 * 60,
        Some('h') => 60 * 60,
        Some('m') => 60,
        _ => return Err(wrong()),
    };
    let number = text.get(..text.len() - 1).and_then(|number| number.parse::<u32>().ok());
    number.map(|number| i64::from(number) * unit).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(parse_time("30d"), Ok(30 * 86_400));
        assert_eq!((parse_time("12h"), parse_time("45m")), (Ok(43_200), Ok(2_700)));
        for wrong in ["", "d", "5", "5w", "-5d", "é"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
