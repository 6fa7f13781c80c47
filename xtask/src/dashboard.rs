//! `cargo xtask dashboard`: the Grafana dashboard, from a table of its panels.
//!
//! A test of the server checks that each expression names an exported metric
//! (`crates/moim/tests/server/watching.rs`).

use anyhow::{Context, ensure};
use serde_json::{Value, json};

const FILE: &str = "grafana/moim.json";

/// Columns of Grafana's grid.
const GRID_WIDTH: usize = 24;
const PANEL_HEIGHT: usize = 8;

/// A panel: its title, unit in Grafana's names, and lines as (legend, expression).
struct Panel {
    title: &'static str,
    unit: &'static str,
    width: usize,
    lines: &'static [(&'static str, &'static str)],
}

const fn panel(
    title: &'static str,
    unit: &'static str,
    width: usize,
    lines: &'static [(&'static str, &'static str)],
) -> Panel {
    Panel { title, unit, width, lines }
}

/// The panels by row, from what users feel to what causes it.
const ROWS: &[(&str, &[Panel])] = &[
    (
        "Calls",
        &[
            panel(
                "Participants",
                "short",
                8,
                &[
                    ("participants", r#"sum(moim_participants{instance=~"$instance"})"#),
                    ("sockets", r#"sum(moim_sessions{instance=~"$instance"})"#),
                ],
            ),
            panel(
                "Rooms by size",
                "short",
                8,
                &[("{{size}}", r#"sum by (size) (moim_rooms_by_size{instance=~"$instance"})"#)],
            ),
            panel(
                "Links by transport, per minute",
                "short",
                8,
                &[(
                    "{{transport}}",
                    r#"sum by (transport) (rate(moim_links_total{instance=~"$instance"}[$__rate_interval])) * 60"#,
                )],
            ),
            panel(
                "Join, 95 % are faster than",
                "s",
                12,
                &[(
                    "{{step}}",
                    r#"histogram_quantile(0.95, sum by (le, step) (rate(moim_join_seconds_bucket{instance=~"$instance"}[$__rate_interval])))"#,
                )],
            ),
            panel(
                "Refusals per minute",
                "short",
                12,
                &[
                    (
                        "{{code}}",
                        r#"sum by (code) (rate(moim_refusals_total{instance=~"$instance"}[$__rate_interval])) * 60 > 0"#,
                    ),
                    (
                        "limit: {{what}}",
                        r#"sum by (what) (rate(moim_rate_limited_total{instance=~"$instance"}[$__rate_interval])) * 60 > 0"#,
                    ),
                ],
            ),
        ],
    ),
    (
        "Quality",
        &[
            panel(
                "Round trip, median and 95 %",
                "s",
                8,
                &[
                    (
                        "median",
                        r#"histogram_quantile(0.5, sum by (le) (rate(moim_link_round_trip_seconds_bucket{instance=~"$instance"}[$__rate_interval])))"#,
                    ),
                    (
                        "95 %",
                        r#"histogram_quantile(0.95, sum by (le) (rate(moim_link_round_trip_seconds_bucket{instance=~"$instance"}[$__rate_interval])))"#,
                    ),
                ],
            ),
            panel(
                "Links that lose more than 3 %",
                "percentunit",
                8,
                &[(
                    "{{direction}}",
                    r#"1 - sum by (direction) (rate(moim_link_loss_ratio_bucket{instance=~"$instance", le="0.03"}[$__rate_interval])) / sum by (direction) (rate(moim_link_loss_ratio_count{instance=~"$instance"}[$__rate_interval]))"#,
                )],
            ),
            panel(
                "Jitter, 95 %",
                "s",
                8,
                &[(
                    "jitter",
                    r#"histogram_quantile(0.95, sum by (le) (rate(moim_link_jitter_seconds_bucket{instance=~"$instance"}[$__rate_interval])))"#,
                )],
            ),
            panel(
                "Videos paused, per minute",
                "short",
                8,
                &[(
                    "{{reason}}",
                    r#"sum by (reason) (rate(moim_pictures_paused_total{instance=~"$instance"}[$__rate_interval])) * 60"#,
                )],
            ),
            panel(
                "Freezes, per minute",
                "short",
                8,
                &[
                    (
                        "freezes",
                        r#"sum(rate(moim_freezes_total{instance=~"$instance"}[$__rate_interval])) * 60"#,
                    ),
                    (
                        "keyframes asked by {{at}}",
                        r#"sum by (at) (rate(moim_keyframe_requests_total{instance=~"$instance"}[$__rate_interval])) * 60"#,
                    ),
                ],
            ),
            panel(
                "Media datagrams",
                "pps",
                8,
                &[(
                    "to {{to}}",
                    r#"sum by (to) (rate(moim_media_datagrams_total{instance=~"$instance"}[$__rate_interval]))"#,
                )],
            ),
        ],
    ),
    (
        "Server",
        &[
            panel(
                "Shards' busy share",
                "percentunit",
                8,
                &[("{{instance}} {{shard}}", r#"moim_shard_busy_ratio{instance=~"$instance"}"#)],
            ),
            panel(
                "Packet delay in the server, 99 %",
                "s",
                8,
                &[(
                    "delay",
                    r#"histogram_quantile(0.99, sum by (le) (rate(moim_packet_delay_seconds_bucket{instance=~"$instance"}[$__rate_interval])))"#,
                )],
            ),
            panel(
                "Packets lost on this machine",
                "pps",
                8,
                &[
                    (
                        "receive buffer",
                        r#"sum(rate(moim_udp_receive_errors_total{instance=~"$instance"}[$__rate_interval]))"#,
                    ),
                    (
                        "send buffer",
                        r#"sum(rate(moim_udp_send_errors_total{instance=~"$instance"}[$__rate_interval]))"#,
                    ),
                    (
                        "relay: {{reason}}",
                        r#"sum by (reason) (rate(moim_turn_dropped_total{instance=~"$instance"}[$__rate_interval])) > 0"#,
                    ),
                    (
                        "media: {{reason}}",
                        r#"sum by (reason) (rate(moim_media_dropped_total{instance=~"$instance"}[$__rate_interval])) > 0"#,
                    ),
                ],
            ),
            panel(
                "CPU",
                "short",
                8,
                &[(
                    "cores",
                    r#"rate(process_cpu_seconds_total{job="moim", instance=~"$instance"}[$__rate_interval])"#,
                )],
            ),
            panel(
                "Memory",
                "bytes",
                8,
                &[
                    (
                        "resident",
                        r#"process_resident_memory_bytes{job="moim", instance=~"$instance"}"#,
                    ),
                    ("queues", r#"moim_queue_bytes{instance=~"$instance"}"#),
                    ("event logs", r#"moim_log_bytes{instance=~"$instance"}"#),
                ],
            ),
            panel(
                "Descriptors and connections",
                "short",
                8,
                &[
                    ("descriptors", r#"process_open_fds{job="moim", instance=~"$instance"}"#),
                    ("TCP connections", r#"moim_tcp_connections{instance=~"$instance"}"#),
                    ("allocations", r#"moim_turn_allocations{instance=~"$instance"}"#),
                ],
            ),
            panel(
                "Store",
                "short",
                12,
                &[
                    ("queue", r#"moim_store_queue_depth{instance=~"$instance"}"#),
                    (
                        "dropped per minute: {{reason}}",
                        r#"rate(moim_store_dropped_total{instance=~"$instance"}[$__rate_interval]) * 60"#,
                    ),
                ],
            ),
            panel(
                "Webhooks",
                "short",
                12,
                &[
                    ("waiting", r#"moim_webhooks_pending{instance=~"$instance"}"#),
                    (
                        "delivered per minute",
                        r#"rate(moim_webhooks_delivered_total{instance=~"$instance"}[$__rate_interval]) * 60"#,
                    ),
                    (
                        "failed attempts per minute",
                        r#"rate(moim_webhooks_failed_attempts_total{instance=~"$instance"}[$__rate_interval]) * 60"#,
                    ),
                    (
                        "dropped per minute: {{reason}}",
                        r#"rate(moim_webhooks_dropped_total{instance=~"$instance"}[$__rate_interval]) * 60"#,
                    ),
                ],
            ),
            panel(
                "Relayed traffic",
                "Bps",
                12,
                &[(
                    "relayed",
                    r#"sum(rate(moim_turn_bytes_total{instance=~"$instance"}[$__rate_interval]))"#,
                )],
            ),
        ],
    ),
];

/// Writes the dashboard.
pub(crate) fn write() -> anyhow::Result<()> {
    std::fs::write(FILE, text()?).with_context(|| format!("can't write {FILE}"))
}

/// Fails if the committed dashboard differs from the table.
pub(crate) fn check() -> anyhow::Result<()> {
    let written = std::fs::read_to_string(FILE).with_context(|| format!("can't read {FILE}"))?;
    ensure!(written == text()?, "{FILE} is not current: run `cargo xtask dashboard` and commit it");
    Ok(())
}

fn text() -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&dashboard())? + "\n")
}

fn dashboard() -> Value {
    let mut panels = Vec::new();
    let mut top = 0;
    for (title, row) in ROWS {
        let grid = json!({"x": 0, "y": top, "w": GRID_WIDTH, "h": 1});
        panels
            .push(json!({"id": panels.len() + 1, "type": "row", "title": title, "gridPos": grid}));
        top += 1;
        let mut left = 0;
        for panel in *row {
            if left + panel.width > GRID_WIDTH {
                (left, top) = (0, top + PANEL_HEIGHT);
            }
            panels.push(time_series(panels.len() + 1, panel, (left, top)));
            left += panel.width;
        }
        top += PANEL_HEIGHT;
    }
    json!({
        "__inputs": [{
            "name": "DS_PROMETHEUS",
            "label": "Prometheus",
            "type": "datasource",
            "pluginId": "prometheus",
        }],
        "uid": "moim",
        "title": "moim",
        "tags": ["moim"],
        "schemaVersion": 39,
        "editable": true,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{
            "name": "instance",
            "type": "query",
            "datasource": datasource(),
            "query": "label_values(moim_build_info, instance)",
            "includeAll": true,
            "multi": true,
            "refresh": 2,
            "current": {"text": "All", "value": "$__all"},
        }]},
        "panels": panels,
    })
}

fn time_series(id: usize, panel: &Panel, (left, top): (usize, usize)) -> Value {
    let targets = panel.lines.iter().zip('A'..).map(|((legend, expr), id)| {
        json!({"refId": id.to_string(), "expr": expr, "legendFormat": legend, "datasource": datasource()})
    });
    json!({
        "id": id,
        "type": "timeseries",
        "title": panel.title,
        "datasource": datasource(),
        "gridPos": {"x": left, "y": top, "w": panel.width, "h": PANEL_HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": targets.collect::<Vec<_>>(),
    })
}

fn datasource() -> Value {
    json!({"type": "prometheus", "uid": "${DS_PROMETHEUS}"})
}
