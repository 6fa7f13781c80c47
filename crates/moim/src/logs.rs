//! Logs, on standard error.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::{
    EnvFilter, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

/// What is logged until the configuration says otherwise.
const DEFAULT: &str = "info";

/// A library that warns of packets, which anybody may send.
const QUIET: &str = "dimpl=error";

/// Logs that were started, to be filtered as configured.
pub(crate) struct Logs(reload::Handle<EnvFilter, Registry>);

/// Starts logging, so that reading the configuration can log too.
pub(crate) fn start() -> Logs {
    let (filter, handle) = reload::Layer::new(EnvFilter::new(quieted(DEFAULT)));
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry().with(filter).with(lines).init();
    Logs(handle)
}

/// These directives, and before them that packets are nothing to warn of.
fn quieted(directives: &str) -> String {
    format!("{QUIET},{directives}")
}

impl Logs {
    /// Logs what `directives` say from now on.
    pub(crate) fn filter(&self, directives: &str) -> anyhow::Result<()> {
        let filter = EnvFilter::try_new(quieted(directives)).with_context(|| {
            format!("--log {directives} names no level: use error, warn, info, debug or trace")
        })?;
        self.0.reload(filter).context("Logs can't be filtered")
    }
}
