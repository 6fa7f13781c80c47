//! Logging to standard error.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::filter_fn,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt,
};

use crate::{
    config::Live,
    line_rate::LineRate,
    log_format::{Lines, LogFormat},
};

/// Filter directives until the configuration has been read.
const DEFAULT: &str = "info";

/// Libraries that warn about malformed packets and about data channels that close normally, or tell
/// of each migration.
const QUIET_LIBRARIES: &str = "dimpl=error,sctp_proto=off,rusqlite_migration=warn";

/// Libraries that log ICE passwords at debug and trace level.
const LIBRARIES_LOGGING_SECRETS: [&str; 5] = ["is", "str0m", "str0m_proto", "dimpl", "sctp_proto"];

/// The running logger, whose filter and format can be replaced.
pub(crate) struct Logs {
    filter: reload::Handle<EnvFilter, Registry>,
    format: Live<LogFormat>,
}

/// Starts logging with the default filter, before the configuration is read.
pub(crate) fn start() -> Logs {
    let (filter, handle) = reload::Layer::new(EnvFilter::new(with_quiet_libraries(DEFAULT)));
    let format = Live::new(LogFormat::fitting());
    let lines = lines(io::stderr, io::stderr().is_terminal(), format.clone());
    let cap = filter_fn(logs_no_secret);
    tracing_subscriber::registry().with(filter).with(cap).with(lines).init();
    Logs { filter: handle, format }
}

/// The layer that writes lines, limited per callsite.
fn lines<S, W>(writer: W, is_ansi: bool, format: Live<LogFormat>) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer).with_ansi(is_ansi);
    layer.event_format(Lines::new(format)).with_filter(LineRate::default())
}

/// Caps libraries that log secrets at info level, whatever directives the operator gives.
fn logs_no_secret(metadata: &Metadata<'_>) -> bool {
    let library = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || !LIBRARIES_LOGGING_SECRETS.contains(&library)
}

/// `directives` after those that keep [`QUIET_LIBRARIES`] quiet, so that they can be overridden.
fn with_quiet_libraries(directives: &str) -> String {
    format!("{QUIET_LIBRARIES},{directives}")
}

/// Checks filter directives of the operator.
pub(crate) fn check(directives: &str) -> anyhow::Result<()> {
    parse(directives).map(drop)
}

fn parse(directives: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(with_quiet_libraries(directives)).with_context(|| {
        format!("--log {directives} names no level: use error, warn, info, debug or trace")
    })
}

impl Logs {
    /// Replaces the format.
    pub(crate) fn format(&self, format: LogFormat) {
        self.format.replace(format);
    }

    /// Replaces the filter.
    pub(crate) fn filter(&self, directives: &str) -> anyhow::Result<()> {
        self.filter.reload(parse(directives)?).context("The log filter can't be replaced")
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::SocketAddr,
        sync::{Arc, Mutex},
        time::{Duration, Instant},
    };

    use headless::{Participant, Publish};
    use sfu::{Output, PeerId, RoomId, Sfu, Transport};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The ICE passwords in an offer and its answer.
    fn passwords<'a>(offer: &'a str, answer: &'a str) -> Vec<&'a str> {
        let lines = offer.lines().chain(answer.lines());
        lines.filter_map(|line| line.strip_prefix("a=ice-pwd:")).collect()
    }

    /// Connects a participant to the media server on this thread; returns offer and answer.
    fn link() -> (String, String) {
        let (client, server) =
            (SocketAddr::from(([192, 0, 2, 1], 5)), SocketAddr::from(([192, 0, 2, 2], 6)));
        let mut now = Instant::now();
        let config = sfu::Config {
            candidates: vec![(Transport::Udp, server)],
            ..sfu::Config::new(0, [7; 32])
        };
        let mut sfu = Sfu::new(config, now);
        let mut participant = Participant::new(
            now,
            headless::Config {
                local: client,
                transport: headless::Transport::Udp,
                publish: Publish { audio: true, ..Publish::default() },
                publisher: 1,
                epoch: now,
                twcc: false,
            },
        );
        let offer = participant.offer(now).unwrap().sdp;
        sfu.add_peer(now, RoomId(1), PeerId(1)).unwrap();
        sfu.handle_offer(now, PeerId(1), &offer).unwrap();
        let mut answer = None;
        for _ in 0..2000 {
            while let Some(output) = sfu.poll_output() {
                match output {
                    Output::Transmit(run) => {
                        run.datagrams()
                            .for_each(|bytes| participant.handle_datagram(now, now, server, bytes));
                    }
                    Output::Event(sfu::Event::Answer { sdp, .. }) => {
                        participant.handle_answer(now, &sdp).unwrap();
                        answer = Some(sdp);
                    }
                    _ => {}
                }
            }
            participant.handle_timeout(now);
            while let Some(transmit) = participant.poll_transmit() {
                sfu.handle_datagram(now, server, client, Transport::Udp, &transmit.bytes);
            }
            if participant.is_connected() {
                return (offer, answer.unwrap());
            }
            now += Duration::from_millis(5);
            sfu.handle_timeout(now);
        }
        panic!("the link is not up");
    }

    #[test]
    fn repeated_line_of_one_callsite_is_limited() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::registry().with(lines(
            move || writer.clone(),
            false,
            Live::new(LogFormat::Text),
        ));
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..1000 {
                tracing::warn!(n, "a repeated line");
            }
            tracing::info!("another callsite");
        });
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let repeated = log.matches("a repeated line").count();
        assert!((1..=60).contains(&repeated), "{repeated} lines");
        assert!(log.contains("another callsite"));
    }

    #[test]
    fn libraries_are_quiet_about_what_clients_do_unless_the_operator_asks() {
        for (directives, sctp, dtls) in
            [("info", false, false), ("debug", false, false), ("sctp_proto=warn", true, false)]
        {
            let log = Log::default();
            let writer = log.clone();
            let lines = lines(move || writer.clone(), false, Live::new(LogFormat::Text));
            let filter = EnvFilter::new(with_quiet_libraries(directives));
            let subscriber = tracing_subscriber::registry().with(filter).with(lines);
            tracing::subscriber::with_default(subscriber, || {
                tracing::error!(target: "sctp_proto::association", "the end of a data channel");
                tracing::warn!(target: "dimpl::engine", "a malformed packet");
            });
            let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
            assert_eq!(log.contains("the end of a data channel"), sctp, "{directives}");
            assert_eq!(log.contains("a malformed packet"), dtls, "{directives}");
        }
    }

    fn logged_as(format: LogFormat) -> String {
        let log = Log::default();
        let writer = log.clone();
        let lines = lines(move || writer.clone(), false, Live::new(format));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::warn!(rooms = 3, "one\ntwo");
        });
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn lines_have_the_chosen_format() {
        let text = logged_as(LogFormat::Text);
        assert!(text.contains("WARN moim::logs") && text.contains("rooms=3"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&logged_as(LogFormat::Json)).unwrap();
        assert_eq!((&json["level"], &json["rooms"]), (&"WARN".into(), &3.into()), "{json}");
        assert_eq!(json["message"], "one\ntwo");
        let journald = logged_as(LogFormat::Journald);
        let mut lines = journald.lines();
        assert!(lines.next().unwrap().starts_with("<4>moim::logs"), "{journald}");
        assert!(lines.next().unwrap().starts_with("<4>two rooms=3"), "{journald}");
    }

    #[test]
    fn ice_passwords_are_not_logged_at_any_level() {
        for directives in ["trace", "is=trace,str0m::ice=trace,is::agent=trace,trace"] {
            let log = Log::default();
            let writer = log.clone();
            let lines = lines(move || writer.clone(), false, Live::new(LogFormat::Text));
            let filter = EnvFilter::new(with_quiet_libraries(directives));
            let cap = filter_fn(logs_no_secret);
            let subscriber = tracing_subscriber::registry().with(filter).with(cap).with(lines);
            let (offer, answer) = tracing::subscriber::with_default(subscriber, || {
                tracing::trace!("a trace of ours");
                link()
            });
            let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
            assert!(log.contains("a trace of ours"));
            let passwords = passwords(&offer, &answer);
            assert!(passwords.len() >= 2);
            for password in passwords {
                let line = log.lines().find(|line| line.contains(password));
                assert_eq!(line, None, "{directives}");
            }
        }
    }
}
