//! Forms of log lines: for people, for programs, and for systemd's journal.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{self, Format, Full, Json, Writer},
    },
    registry::LookupSpan,
};

use crate::config::Live;

/// A form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Time, level, and the rest, for people.
    Text,
    /// One object per line.
    Json,
    /// A priority in front (sd-daemon(3)); the journal knows the time.
    Journald,
}

impl LogFormat {
    /// The form that fits the reader of standard error.
    pub(crate) fn fitting() -> Self {
        if is_read_by_journal() { Self::Journald } else { Self::Text }
    }
}

/// True if standard error is the stream that the journal gave this process (systemd.exec(5)).
#[cfg(unix)]
fn is_read_by_journal() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    rustix::fs::fstat(std::io::stderr())
        .is_ok_and(|about| stream == format!("{}:{}", about.st_dev, about.st_ino))
}

#[cfg(not(unix))]
fn is_read_by_journal() -> bool {
    false
}

/// Writes events as lines of a form that may change.
pub(crate) struct Lines {
    format: Live<LogFormat>,
    text: Format<Full>,
    json: Format<Json>,
    journald: Format<Full, ()>,
}

impl Lines {
    pub(crate) fn new(format: Live<LogFormat>) -> Self {
        let json = format::format().json().flatten_event(true);
        Self {
            format,
            text: format::format(),
            json: json.with_current_span(false).with_span_list(false),
            journald: format::format().without_time().with_level(false),
        }
    }
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match **self.format.load() {
            LogFormat::Text => self.text.format_event(context, writer, event),
            LogFormat::Json => self.json.format_event(context, writer, event),
            LogFormat::Journald => {
                let mut text = String::new();
                self.journald.format_event(context, Writer::new(&mut text), event)?;
                let priority = priority(*event.metadata().level());
                // The journal takes each line for an entry.
                text.lines().try_for_each(|line| writeln!(writer, "<{priority}>{line}"))
            }
        }
    }
}

/// The priority of syslog(3).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}
