//! Counts and histograms of the links' quality.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use sfu::{JoinStep, LinkQuality, Transport};

use crate::histogram::{Histogram, JITTER_SECONDS, JOIN_SECONDS, LOSS_RATIO, ROUND_TRIP_SECONDS};

/// Transport of a link to the media server, from the browser's view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LinkTransport {
    Udp,
    Tcp,
    RelayUdp,
    RelayTcp,
    RelayTls,
    RelayDtls,
    /// Relayed by another shard, which alone knows the client's transport.
    Relay,
    /// The link failed.
    None,
}

impl LinkTransport {
    /// All transports with their names in metrics.
    pub(crate) const NAMES: [(Self, &'static str); 8] = [
        (Self::Udp, "udp"),
        (Self::Tcp, "tcp"),
        (Self::RelayUdp, "relay_udp"),
        (Self::RelayTcp, "relay_tcp"),
        (Self::RelayTls, "relay_tls"),
        (Self::RelayDtls, "relay_dtls"),
        (Self::Relay, "relay"),
        (Self::None, "none"),
    ];

    /// The transport of a link that is not relayed by this server.
    pub(crate) fn direct(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
        }
    }

    /// The transport of a link through an allocation of this server; `None` if another shard has
    /// the allocation.
    pub(crate) fn relayed(client: Option<turn::Transport>) -> Self {
        match client {
            Some(turn::Transport::Udp) => Self::RelayUdp,
            Some(turn::Transport::Tcp) => Self::RelayTcp,
            Some(turn::Transport::Tls) => Self::RelayTls,
            Some(turn::Transport::Dtls) => Self::RelayDtls,
            None => Self::Relay,
        }
    }
}

/// Links by transport and address family.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LinkCounts([[u64; 2]; LinkTransport::NAMES.len()]);

/// Address families by their names in metrics.
const FAMILIES: [&str; 2] = ["ipv4", "ipv6"];

impl LinkCounts {
    /// Counts a link to this address; that of a failed link is unknown, and counts as IPv4.
    pub(crate) fn count(&mut self, transport: LinkTransport, remote: Option<SocketAddr>) {
        let row = LinkTransport::NAMES.iter().position(|(named, _)| *named == transport);
        let is_ipv6 = remote.is_some_and(|remote| !remote.ip().to_canonical().is_ipv4());
        let row = row.and_then(|row| self.0.get_mut(row));
        if let Some(count) = row.and_then(|row| row.get_mut(usize::from(is_ipv6))) {
            *count += 1;
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let others = other.0.iter().flatten();
        self.0.iter_mut().flatten().zip(others).for_each(|(count, more)| *count += more);
    }

    /// Iterates over transport, family and count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        LinkTransport::NAMES.iter().zip(&self.0).flat_map(|((transport, name), counts)| {
            let counts = FAMILIES.into_iter().zip(counts).take(match transport {
                LinkTransport::None => 1,
                _ => 2,
            });
            let family =
                |family| if *transport == LinkTransport::None { "unknown" } else { family };
            counts.map(move |(of, count)| (*name, family(of), *count))
        })
    }
}

/// Histograms of one shard, or the sum over all.
#[derive(Debug, Clone)]
pub(crate) struct QualityHistograms {
    pub(crate) ice: Histogram,
    pub(crate) dtls: Histogram,
    pub(crate) first_frame: Histogram,
    pub(crate) round_trip: Histogram,
    pub(crate) jitter: Histogram,
    /// Loss from the peers.
    pub(crate) loss_up: Histogram,
    /// Loss to the peers.
    pub(crate) loss_down: Histogram,
}

impl Default for QualityHistograms {
    fn default() -> Self {
        let join = || Histogram::new(JOIN_SECONDS);
        Self {
            ice: join(),
            dtls: join(),
            first_frame: join(),
            round_trip: Histogram::new(ROUND_TRIP_SECONDS),
            jitter: Histogram::new(JITTER_SECONDS),
            loss_up: Histogram::new(LOSS_RATIO),
            loss_down: Histogram::new(LOSS_RATIO),
        }
    }
}

impl QualityHistograms {
    /// Takes in the duration of a step of a join.
    pub(super) fn on_step(&mut self, step: JoinStep, took: std::time::Duration) {
        let histogram = match step {
            JoinStep::Ice => &mut self.ice,
            JoinStep::Dtls => &mut self.dtls,
            JoinStep::FirstFrame => &mut self.first_frame,
        };
        histogram.observe(took.as_secs_f64());
    }

    /// Takes in a sample of a link.
    pub(super) fn on_sample(&mut self, link: &LinkQuality) {
        for (histogram, time) in
            [(&mut self.round_trip, link.round_trip), (&mut self.jitter, link.jitter)]
        {
            time.into_iter().for_each(|time| histogram.observe(time.as_secs_f64()));
        }
        for (histogram, packets) in
            [(&mut self.loss_up, link.received), (&mut self.loss_down, link.sent)]
        {
            packets.loss().into_iter().for_each(|loss| histogram.observe(loss));
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.ice.add(&other.ice);
        self.dtls.add(&other.dtls);
        self.first_frame.add(&other.first_frame);
        self.round_trip.add(&other.round_trip);
        self.jitter.add(&other.jitter);
        self.loss_up.add(&other.loss_up);
        self.loss_down.add(&other.loss_down);
    }
}
