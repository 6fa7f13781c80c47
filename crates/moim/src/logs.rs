//! Logs, on standard error.

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

use crate::line_rate::LineRate;

/// What is logged until the configuration says otherwise.
const DEFAULT: &str = "info";

/// Libraries that warn of packets, which anybody may send, and of data channels that end as they do.
const QUIET: &str = "dimpl=error,sctp_proto=off";

/// Libraries that tell the passwords of links where they trace, and where they debug.
const TELL_SECRETS: [&str; 5] = ["is", "str0m", "str0m_proto", "dimpl", "sctp_proto"];

/// Logs that were started, to be filtered as configured.
pub(crate) struct Logs(reload::Handle<EnvFilter, Registry>);

/// Starts logging, so that reading the configuration can log too.
pub(crate) fn start() -> Logs {
    let (filter, handle) = reload::Layer::new(EnvFilter::new(quieted(DEFAULT)));
    let lines = lines(io::stderr, io::stderr().is_terminal());
    let cap = filter_fn(tells_no_secret);
    tracing_subscriber::registry().with(filter).with(cap).with(lines).init();
    Logs(handle)
}

/// Writes lines, of each place no more than may be.
fn lines<S, W>(writer: W, is_ansi: bool) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    fmt::layer().with_writer(writer).with_ansi(is_ansi).with_filter(LineRate::default())
}

/// Whatever the operator asks for, for whatever part of a library.
fn tells_no_secret(metadata: &Metadata<'_>) -> bool {
    let library = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || !TELL_SECRETS.contains(&library)
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

    /// The passwords that an offer and its answer name.
    fn passwords<'a>(offer: &'a str, answer: &'a str) -> Vec<&'a str> {
        let lines = offer.lines().chain(answer.lines());
        lines.filter_map(|line| line.strip_prefix("a=ice-pwd:")).collect()
    }

    /// A link comes to be between a participant and the media server, on this thread.
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
                publish: Publish { voice: true, ..Publish::default() },
                publisher: 1,
                epoch: now,
                reports: false,
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
                            .for_each(|it| participant.handle_datagram(now, now, server, it));
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
        panic!("no link");
    }

    #[test]
    fn a_line_that_strangers_cause_again_and_again_is_written_some_times_a_minute() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::registry().with(lines(move || writer.clone(), false));
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..1000 {
                tracing::warn!(n, "a stranger did it again");
            }
            tracing::info!("another place");
        });
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let again = log.matches("a stranger did it again").count();
        assert!((1..=60).contains(&again), "{again} lines");
        assert!(log.contains("another place"));
    }

    #[test]
    fn traces_of_a_link_tell_no_password_whatever_is_asked_for() {
        for directives in ["trace", "is=trace,str0m::ice=trace,is::agent=trace,trace"] {
            let log = Log::default();
            let writer = log.clone();
            let lines = lines(move || writer.clone(), false);
            let filter = EnvFilter::new(quieted(directives));
            let cap = filter_fn(tells_no_secret);
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
