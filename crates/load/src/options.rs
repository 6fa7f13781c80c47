//! Command line options of `moim load`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

/// Joins rooms with headless participants and measures what they receive
#[derive(Debug, Args)]
pub struct Options {
    /// The server
    #[arg(long, value_name = "URL", default_value = "http://localhost:4000")]
    pub(crate) url: String,

    /// Certificate (PEM) that signed the certificate of an https server
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// Number of rooms
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rooms: u32,

    /// Participants per room that send and receive
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) publishers: u32,

    /// Participants per room that only receive
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) subscribers: u32,

    /// Time to measure once all participants are connected: 90s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(crate) duration: Duration,

    /// Media that publishers send
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Media::Simulcast)]
    pub(crate) media: Media,

    /// Size in device pixels at which participants request each camera
    #[arg(long, value_name = "WxH", default_value = "640x360", value_parser = size)]
    pub(crate) view: (u32, u32),

    /// Transport of media to the server
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Transport::Udp)]
    pub(crate) transport: Transport,

    /// Participants per second that leave and are replaced by new ones
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    pub(crate) churn: f64,

    /// Prefix of room names; each run appends a random part
    #[arg(long, value_name = "NAME", default_value = "load")]
    pub(crate) prefix: String,

    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The media of a publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Media {
    /// Audio only
    Audio,
    /// Audio and one 640x360 video
    Single,
    /// Audio and three video layers up to 1280x720
    Simulcast,
}

/// The transport of media to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// UDP
    Udp,
    /// ICE over TCP
    Tcp,
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        other => return Err(format!("`{other}` is no unit: use s, m or h")),
    };
    let count: u64 = digits.parse().map_err(|_| "use a number and s, m or h: 90s".to_owned())?;
    Ok(Duration::from_secs(count.saturating_mul(unit)))
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('x');
    let both = parts.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    both.ok_or_else(|| "use width x height: 640x360".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_parsed() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert!(duration("5d").is_err() && duration("s").is_err() && duration("").is_err());
        assert_eq!(size("640x360"), Ok((640, 360)));
        assert!(size("640").is_err() && size("x").is_err());
    }
}
