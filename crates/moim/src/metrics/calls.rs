//! Metrics of connections, rooms and joins.

use super::{page::Page, readings::Readings};
use crate::signaling::Counts;

/// Adds the metrics of connections, rooms and joins.
pub(super) fn write(page: &mut Page, readings: &Readings<'_>) {
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
    if let Some(counts) = &readings.counts {
        refused(page, counts);
    }
    sizes(page, &readings.room_sizes);
    joins(page, readings);
}

fn refused(page: &mut Page, counts: &Counts) {
    let help = "Requests refused by signaling, by error code";
    page.counters("refusals", help, "code", &counts.refusals);
    let help = "Requests beyond a rate limit, by what is limited";
    page.counters("rate_limited", help, "what", &counts.rate_limited);
    page.counter("freezes", "Freezes of videos that pages have reported", counts.freezes);
}

/// Rooms by their number of participants. A histogram would have the sum of all rooms so far.
fn sizes(page: &mut Page, sizes: &[u32]) {
    const BUCKETS: [(u32, &str); 8] = [
        (0, "0"),
        (1, "1"),
        (2, "2"),
        (4, "3-4"),
        (8, "5-8"),
        (16, "9-16"),
        (50, "17-50"),
        (u32::MAX, "51+"),
    ];
    let mut rooms = [0_u32; BUCKETS.len()];
    for size in sizes {
        let bucket = BUCKETS.iter().position(|(max, _)| size <= max);
        if let Some(count) = bucket.and_then(|bucket| rooms.get_mut(bucket)) {
            *count += 1;
        }
    }
    let rows = BUCKETS.iter().zip(rooms);
    let rows = rows.map(|((_, name), count)| ([("size", (*name).to_owned())], f64::from(count)));
    page.gauges("rooms_by_size", "Open rooms, by number of participants", rows);
}

fn joins(page: &mut Page, readings: &Readings<'_>) {
    let quality = &readings.shards.sfu.quality;
    let mut steps =
        vec![("ice", &quality.ice), ("dtls", &quality.dtls), ("first_frame", &quality.first_frame)];
    if let Some(counts) = &readings.counts {
        steps.splice(0..0, [("socket", &counts.socket), ("room", &counts.room)]);
    }
    let help = "Time that each step of a join took: the socket, the room's admission, the path to \
                the media server, its encryption, and the first video frame";
    page.histograms("join_seconds", help, "step", &steps);
}
