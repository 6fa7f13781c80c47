//! Metrics of the program and of its machine.

use super::{page::Page, process::ProcessUsage, readings::Readings, udp_errors::UdpErrors};

/// The revision that the binary was built from, if the build has told it.
const REVISION: &str = match option_env!("MOIM_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// Adds the metrics of the build, of shards and of the kernel.
pub(super) fn write(page: &mut Page, readings: &Readings<'_>) {
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("revision", REVISION)]
        .map(|(label, value)| (label, value.to_owned()));
    let help = "1; the labels tell what runs";
    page.gauges("build_info", help, [(labels, 1.0)].into_iter());
    let help = "Start of the server, seconds since 1970";
    page.ratio("start_time_seconds", help, readings.started);
    let busy =
        readings.busy_permille.iter().enumerate().map(|(shard, permille)| {
            ([("shard", shard.to_string())], f64::from(*permille) / 1000.0)
        });
    let help = "Share of the last five seconds in which a shard worked; from 0.8 on packets wait";
    page.gauges("shard_busy_ratio", help, busy);
    page.histogram(
        "packet_delay_seconds",
        "Time from the kernel's receipt of a packet until all that it caused was sent, sampled",
        &readings.shards.packet_delay,
    );
    if let Some(UdpErrors { receive_buffer, send_buffer }) = readings.udp_errors {
        let help = "Datagrams lost to full receive buffers, in the whole network namespace";
        page.counter("udp_receive_errors", help, receive_buffer);
        let help = "Datagrams not sent for full send buffers, in the whole network namespace";
        page.counter("udp_send_errors", help, send_buffer);
    }
}

/// Adds the metrics that Prometheus' own client libraries have.
pub(super) fn write_process(page: &mut Page, started: f64, usage: &ProcessUsage) {
    page.seconds("process_cpu_seconds", "CPU time used, of all threads", usage.cpu_seconds);
    page.ratio("process_start_time_seconds", "Start, seconds since 1970", started);
    if let Some(memory) = &usage.memory {
        let help = "Memory that is resident";
        page.gauge("process_resident_memory_bytes", help, memory.resident_bytes);
        let help = "Address space in use";
        page.gauge("process_virtual_memory_bytes", help, memory.virtual_bytes);
        page.gauge("process_threads", "Threads", memory.threads);
    }
    if let Some(descriptors) = usage.open_descriptors {
        page.gauge("process_open_fds", "Open file descriptors", descriptors);
    }
    if let Some(limit) = usage.max_descriptors {
        page.gauge("process_max_fds", "Limit of open file descriptors", limit);
    }
}
