//! The metrics in OpenMetrics text format.

use std::fmt;

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::readings::Readings;

/// Labels of one counter in a family.
type Labels<const N: usize> = [(&'static str, String); N];

/// Writes all metrics.
pub(super) fn write(readings: &Readings<'_>) -> Result<String, fmt::Error> {
    let mut page = Page(Registry::with_prefix("moim"));
    relayed(&mut page, readings);
    forwarded(&mut page, readings);
    connected(&mut page, readings);
    certified(&mut page, readings);
    let mut text = String::new();
    encode(&mut text, &page.0)?;
    Ok(text)
}

fn relayed(page: &mut Page, readings: &Readings<'_>) {
    let report = &readings.shards.turn;
    let turn = &report.counters;
    let dropped = &readings.shards.dropped;
    page.gauge("turn_shards", "Shards: threads that relay and forward", readings.shards.shards);
    page.gauge("shards_stuck", "Shards that are stuck", readings.stuck);
    if let Some(buffers) = readings.kernel_buffers {
        let help = "Smallest granted receive buffer of the UDP port's sockets (SO_RCVBUF)";
        page.gauge("udp_receive_buffer_bytes", help, buffers.receive);
        let help = "Smallest granted send buffer of the UDP port's sockets (SO_SNDBUF)";
        page.gauge("udp_send_buffer_bytes", help, buffers.send);
    }
    page.gauge("turn_allocations", "Current allocations", report.allocations);
    page.gauge(
        "turn_peer_connections",
        "Current connections to peers of TCP allocations",
        report.peers,
    );
    page.gauge("turn_relay_sockets", "Open relayed sockets", report.relayed_sockets);
    page.gauge("turn_stream_clients", "TURN clients over TCP and TLS", report.stream_clients);
    page.gauge("turn_dtls_sessions", "TURN clients over DTLS", report.dtls_sessions);
    page.counter("turn_allocated", "Allocations created", turn.allocated);
    page.counter("turn_ended", "Allocations ended", turn.ended);
    page.labelled(
        "turn_requests",
        "STUN and TURN requests, by method and outcome: success, or the error code",
        turn.responses
            .iter()
            .map(|(method, outcome, count)| ([("method", method), ("outcome", outcome)], count)),
    );
    page.counters(
        "turn_packets",
        "Relayed packets, by sender",
        "from",
        &[("client", turn.from_clients), ("peer", turn.from_peers)],
    );
    page.counter("turn_moved", "Allocations moved to a new five-tuple (RFC 8016)", turn.moved);
    page.counter("turn_reserved", "Ports reserved (RESERVATION-TOKEN)", turn.reserved);
    page.counter("turn_icmp_errors", "ICMP errors relayed", turn.relayed_errors);
    page.counter(
        "turn_handed_over",
        "Packets between two relayed addresses of this server",
        turn.hairpinned,
    );
    page.counter("turn_bytes", "Relayed payload bytes", turn.relayed_bytes);
    page.counter(
        "turn_connections_bound",
        "Connections bound (CONNECTION-BIND)",
        turn.connections_bound,
    );
    page.counters(
        "turn_dropped",
        "Dropped packets, by reason",
        "reason",
        &[
            ("malformed", turn.dropped_malformed),
            ("unexpected", turn.dropped_unexpected),
            ("unpermitted", turn.dropped_unpermitted),
            ("own_address", turn.dropped_own),
            ("rate", turn.dropped_rate),
            ("bandwidth", turn.dropped_bandwidth),
            ("slow_client", report.dropped.slow_client),
            ("gone_client", report.dropped.gone_client),
            ("unsent", dropped.unsent),
            ("between_shards", dropped.between_shards),
            ("garbage", dropped.garbage),
        ],
    );
    page.counters(
        "turn_dtls_handshakes",
        "DTLS handshakes, by stage reached",
        "came",
        &[
            ("challenged", report.dtls.challenged),
            ("begun", report.dtls.begun),
            ("connected", report.dtls.connected),
            ("refused", report.dtls.refused),
        ],
    );
    page.counter(
        "turn_dtls_panics",
        "DTLS sessions of TURN clients lost to a panic",
        report.dtls.panicked,
    );
    page.counter("turn_dtls_stray", "DTLS datagrams of unknown sessions", report.dtls.stray);
}

fn forwarded(page: &mut Page, readings: &Readings<'_>) {
    let sfu = &readings.shards.sfu;
    let counters = &sfu.counters;
    page.gauge("media_peers", "Peers of the media server", sfu.peers);
    page.gauge("media_rooms", "Rooms with peers of the media server", sfu.rooms);
    page.gauge("media_stream_clients", "ICE-TCP connections", sfu.stream_clients);
    page.gauge("media_kept_entries", "Entries in all tables of the media server", sfu.entries);
    page.counter("media_connected", "Peers connected", counters.connected);
    page.counter("media_ended", "Peers that failed or timed out", counters.ended);
    page.counter("media_link_panics", "Peers lost to a panic", sfu.panics);
    page.counter("media_refused", "Rejected offers, answers and subscriptions", counters.refused);
    page.counter(
        "media_untold",
        "Peers dropped because their room's event queue was full",
        counters.event_overflows,
    );
    page.counters(
        "media_datagrams",
        "Media datagrams, by destination",
        "to",
        &[("server", counters.received), ("client", counters.sent), ("shard", counters.forwarded)],
    );
    page.counter("media_relayed", "Packets received from other shards' tracks", counters.cascaded);
    page.counters(
        "media_dropped",
        "Dropped media datagrams, by reason",
        "reason",
        &[
            ("unproven", counters.unauthenticated),
            ("replayed", sfu.dropped.replayed),
            ("forged", sfu.dropped.forged),
            ("slow_client", counters.slow_client),
            ("gone_client", counters.gone_client),
        ],
    );
}

fn connected(page: &mut Page, readings: &Readings<'_>) {
    page.gauge("tcp_connections", "Open TCP connections", readings.connections);
    let connections: Vec<_> = readings.connection_counters.each().collect();
    page.counters("tcp_connections_seen", "TCP connections, by outcome", "was", &connections);
    if let Some(census) = readings.census {
        page.gauge("rooms", "Open rooms", census.rooms);
        page.gauge("participants", "Participants in rooms", census.participants);
        page.gauge("sessions", "Connected signaling sockets", census.sessions);
        let help = "Bytes held for signaling sockets: queued, unsent, or received in part";
        page.gauge("queue_bytes", help, census.queue_bytes);
        page.gauge("log_bytes", "Bytes of events kept for resuming", census.log_bytes);
    }
}

fn certified(page: &mut Page, readings: &Readings<'_>) {
    let family = Family::<Labels<1>, Gauge>::default();
    for expiry in &readings.expiries {
        let labels = [("source", expiry.source.to_owned())];
        family.get_or_create(&labels).set(expiry.ends.unix_timestamp());
    }
    page.0.register(
        "certificate_expiry_timestamp_seconds",
        "Expiry of the certificate that expires first, by source: files, local or acme",
        family,
    );
    let family = Family::<Labels<1>, Gauge>::default();
    for (code, count) in &readings.acme_problems {
        let labels = [("code", (*code).to_owned())];
        family.get_or_create(&labels).set(i64::try_from(*count).unwrap_or(i64::MAX));
    }
    let help = "Names without a certificate of the CA, or without its renewal, by code";
    page.0.register("acme_problems", help, family);
    page.counters(
        "acme_failures",
        "Failed attempts to get a certificate from the CA, by code",
        "code",
        &readings.acme_failures,
    );
}

/// The metrics registered so far.
struct Page(Registry);

impl Page {
    fn gauge(&mut self, name: &str, help: &str, value: impl TryInto<i64>) {
        let gauge = Gauge::<i64>::default();
        gauge.set(value.try_into().unwrap_or(i64::MAX));
        self.0.register(name, help, gauge);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        self.0.register(name, help, counter);
    }

    /// Adds counters of one name that differ by a label.
    fn counters(&mut self, name: &str, help: &str, label: &'static str, rows: &[(&str, u64)]) {
        self.labelled(name, help, rows.iter().map(|(row, value)| ([(label, *row)], *value)));
    }

    /// Adds counters of one name that differ by several labels.
    fn labelled<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl Iterator<Item = ([(&'static str, &'a str); N], u64)>,
    ) {
        let family = Family::<Labels<N>, Counter>::default();
        for (labels, value) in rows {
            let labels = labels.map(|(label, value)| (label, value.to_owned()));
            family.get_or_create(&labels).inc_by(value);
        }
        self.0.register(name, help, family);
    }
}
