//! Metrics of the STUN and TURN server.

use super::{page::Page, readings::Readings};

/// Adds the metrics of the relay.
pub(super) fn write(page: &mut Page, readings: &Readings<'_>) {
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
