//! The metrics as text.

use std::fmt;

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::Readings;

/// What tells the counters of a family apart.
type Labels<const N: usize> = [(&'static str, String); N];

/// Writes all there is.
pub(super) fn write(readings: &Readings<'_>) -> Result<String, fmt::Error> {
    let mut page = Page(Registry::with_prefix("moim"));
    relayed(&mut page, readings);
    forwarded(&mut page, readings);
    connected(&mut page, readings);
    let mut text = String::new();
    encode(&mut text, &page.0)?;
    Ok(text)
}

fn relayed(page: &mut Page, readings: &Readings<'_>) {
    let relay = &readings.shards.relay;
    let turn = &relay.counters;
    page.gauge("turn_shards", "Threads that relay", relay.shards);
    page.gauge("shards_stuck", "Threads of the UDP port that don't come round", readings.stuck);
    page.gauge("turn_allocations", "Allocations there are", relay.allocations);
    page.gauge("turn_peer_connections", "Connections to peers of TCP allocations", relay.peers);
    page.gauge("turn_relay_sockets", "Relayed sockets open", relay.relays);
    page.gauge("turn_stream_clients", "Clients over TCP and TLS", relay.streams);
    page.gauge("turn_dtls_sessions", "Clients over DTLS", relay.dtls_sessions);
    page.counter("turn_allocated", "Allocations made", turn.allocated);
    page.counter("turn_ended", "Allocations ended", turn.ended);
    page.labelled(
        "turn_requests",
        "Requests of STUN and TURN answered, by method and outcome: success, or the error's code",
        turn.answered
            .each()
            .map(|(method, outcome, count)| ([("method", method), ("outcome", outcome)], count)),
    );
    page.counters(
        "turn_packets",
        "Packets relayed, by where they came from",
        "from",
        &[("client", turn.from_clients), ("peer", turn.from_peers)],
    );
    page.counter("turn_moved", "Allocations that followed their client", turn.moved);
    page.counter("turn_reserved", "Ports reserved for a later allocation", turn.reserved);
    page.counter("turn_icmp_errors", "Errors of ICMP relayed", turn.relayed_errors);
    page.counter("turn_handed_over", "Packets handed from relay to relay here", turn.handed_over);
    page.counter("turn_bytes", "Bytes of payload relayed", turn.relayed_bytes);
    page.counter(
        "turn_connections_bound",
        "Connections of TCP allocations bound",
        turn.connections_bound,
    );
    page.counters(
        "turn_dropped",
        "Packets dropped, by reason",
        "reason",
        &[
            ("malformed", turn.dropped_malformed),
            ("unexpected", turn.dropped_unexpected),
            ("unpermitted", turn.dropped_unpermitted),
            ("own_address", turn.dropped_own),
            ("rate", turn.dropped_rate),
            ("bandwidth", turn.dropped_bandwidth),
            ("slow_client", relay.dropped.slow),
            ("gone_client", relay.dropped.gone),
            ("unsent", relay.dropped.unsent),
            ("between_shards", relay.dropped.crossing),
            ("garbage", relay.dropped.garbage),
        ],
    );
    page.counters(
        "turn_dtls_handshakes",
        "Handshakes of DTLS, by how far they came",
        "came",
        &[
            ("challenged", relay.dtls.challenged),
            ("begun", relay.dtls.begun),
            ("connected", relay.dtls.connected),
            ("refused", relay.dtls.refused),
        ],
    );
    page.counter("turn_dtls_stray", "Datagrams of DTLS from nobody known", relay.dtls.stray);
}

fn forwarded(page: &mut Page, readings: &Readings<'_>) {
    let media = &readings.shards.media;
    let tally = &media.tally;
    page.gauge("media_peers", "Links to the media server", media.peers);
    page.gauge("media_rooms", "Rooms with links to the media server", media.rooms);
    page.gauge("media_stream_clients", "Clients over ICE-TCP", media.streams);
    page.gauge("media_kept", "All that is kept for links, counted", media.kept);
    page.counter("media_connected", "Links that came to be", tally.connected);
    page.counter("media_ended", "Links that broke or fell silent", tally.ended);
    page.counter("media_link_panics", "Links lost to a panic in them", media.panics);
    page.counter("media_refused", "Offers, answers and wishes refused", tally.refused);
    page.counter("media_untold", "Links given up as their room was too slow", tally.untold);
    page.counters(
        "media_datagrams",
        "Datagrams of links, by where they went",
        "to",
        &[("server", tally.came), ("client", tally.sent), ("shard", tally.crossed)],
    );
    page.counter("media_relayed", "Packets of tracks of other shards", tally.relayed);
    page.counters(
        "media_dropped",
        "Datagrams dropped, by reason",
        "reason",
        &[
            ("unproven", tally.unproven),
            ("replayed", media.dropped.replayed),
            ("forged", media.dropped.forged),
            ("slow_client", tally.slow),
            ("gone_client", tally.gone),
        ],
    );
}

fn connected(page: &mut Page, readings: &Readings<'_>) {
    page.gauge("tcp_connections", "TCP connections open", readings.connections);
    let tally: Vec<_> = readings.tally.each().collect();
    page.counters("tcp_connections_seen", "TCP connections, by what became of them", "was", &tally);
    if let Some(census) = readings.census {
        page.gauge("rooms", "Rooms open", census.rooms);
        page.gauge("participants", "Participants in rooms", census.participants);
        page.gauge("sessions", "Sockets of signaling connected", census.sessions);
        let help = "Bytes that sockets of signaling hold: to be sent, or received in part";
        page.gauge("queue_bytes", help, census.queue_bytes);
        page.gauge("log_bytes", "Bytes of events kept for those who reconnect", census.log_bytes);
    }
}

/// What is written so far.
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

    /// Counters of one name, told apart by a label.
    fn counters(&mut self, name: &str, help: &str, label: &'static str, rows: &[(&str, u64)]) {
        self.labelled(name, help, rows.iter().map(|(row, value)| ([(label, *row)], *value)));
    }

    /// The same, by as many labels as it takes.
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
