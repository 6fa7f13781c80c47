//! Metrics of the media server.

use super::{page::Page, readings::Readings};

/// Adds the metrics of the media server.
pub(super) fn write(page: &mut Page, readings: &Readings<'_>) {
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
    quality(page, readings);
}

fn quality(page: &mut Page, readings: &Readings<'_>) {
    let sfu = &readings.shards.sfu;
    let (media, quality) = (&sfu.media, &sfu.quality);
    page.labelled(
        "links",
        "Links to the media server, by the browser's transport; none: the link failed",
        sfu.links.iter().map(|(transport, family, count)| {
            ([("transport", transport), ("family", family)], count)
        }),
    );
    page.histogram("link_round_trip_seconds", "Round-trip times of links", &quality.round_trip);
    page.histogram("link_jitter_seconds", "Jitter that browsers report", &quality.jitter);
    page.histograms(
        "link_loss_ratio",
        "Lost share of a link's packets in ten seconds, from (up) and to (down) browsers",
        "direction",
        &[("up", &quality.loss_up), ("down", &quality.loss_down)],
    );
    page.counters(
        "pictures_paused",
        "Videos that a browser was no longer sent, by reason",
        "reason",
        &[
            ("bandwidth", media.paused_for_bandwidth),
            ("hidden", media.paused_hidden),
            ("limit", media.paused_by_limit),
        ],
    );
    page.counters(
        "keyframe_requests",
        "Requests for keyframes, from viewers and to publishers",
        "at",
        &[
            ("viewer", media.keyframe_requests_received),
            ("publisher", media.keyframe_requests_sent),
        ],
    );
}
