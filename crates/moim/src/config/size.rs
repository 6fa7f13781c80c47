//! Options of `moim size`.

use clap::{Args, value_parser};

/// Options of `moim size`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct SizeOptions {
    /// Rooms at once
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=100_000))]
    pub(crate) rooms: u32,

    /// People in each room
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) people: u32,

    /// Pictures that each of them sees at once [default: the others, 9 at most]
    #[arg(long, value_name = "N")]
    pub(crate) pictures: Option<u32>,

    /// Kilobits per second of a picture [default: 500]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=20_000))]
    pub(crate) kbps: Option<u32>,

    /// Print the numbers as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
