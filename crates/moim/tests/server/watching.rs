//! Metrics as Prometheus reads them, and the dashboard and alerts that name them.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    also::reflected,
    cluster::key,
    peer::{ask, tcp},
    support::{Server, within},
};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The metrics in a format.
fn scrape(server: &Server, accept: &str) -> String {
    let mut stream = tcp(server.address());
    let answer = ask(&mut stream, "GET /metrics", &[("Accept", accept)], b"").unwrap();
    assert_eq!(answer.status, 200);
    let content_type = answer.header("content-type").unwrap();
    assert!(content_type.starts_with(accept), "{content_type}");
    answer.text().to_owned()
}

/// Runs a tool, or says that it is missing. In CI it may not be missing.
fn run(program: &str, args: &[&str], input: &str) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(args).current_dir(repository());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        assert!(std::env::var_os("CI").is_none(), "needs {program}");
        eprintln!("skipped: needs {program}");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

/// Fails unless the tool succeeds without a word of complaint.
fn assert_silent(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// The names that queries may use: those of samples.
fn exported(server: &Server) -> BTreeSet<String> {
    let text = scrape(server, "text/plain");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
}

/// The names in a query or a text that may be metrics of ours.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let is_ours = |word: &&str| word.starts_with("moim_") || word.starts_with("process_");
    words.filter(is_ours).map(str::to_owned).collect()
}

/// The kernel tells when packets came, in the first quarter of a second of every five.
#[test]
fn delay_of_packets_is_measured() {
    let server = Server::start(&[]);
    let measured = || {
        reflected(server.address());
        let text = scrape(&server, "text/plain");
        let counts = text.lines().filter_map(|line| {
            line.strip_prefix("moim_packet_delay_seconds_count ")?.parse::<u64>().ok()
        });
        (counts.sum::<u64>() > 0).then_some(())
    };
    within(Duration::from_secs(20), "packets' delay is measured", measured);
}

/// Acceptance check W1.
#[test]
fn promtool_and_the_openmetrics_parser_accept_the_metrics() {
    let server = Server::start(&[]);
    let plain = scrape(&server, "text/plain");
    if let Some(output) = run("promtool", &["check", "metrics"], &plain) {
        assert_silent(&output);
    }
    let parser = "import sys\n\
                  from prometheus_client.openmetrics.parser import text_string_to_metric_families\n\
                  print(len(list(text_string_to_metric_families(sys.stdin.read()))))";
    let text = scrape(&server, "application/openmetrics-text");
    // Debian's Python has the Debian package, whatever Python comes first in the path.
    if let Some(output) = run("/usr/bin/python3", &["-c", parser], &text) {
        if String::from_utf8_lossy(&output.stderr).contains("ModuleNotFoundError") {
            assert!(std::env::var_os("CI").is_none(), "needs python3-prometheus-client");
            return eprintln!("skipped: needs python3-prometheus-client");
        }
        assert_silent(&output);
        let families: usize = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        assert!(families > 60, "{families}");
    }
}

/// Acceptance check W2.
#[test]
fn dashboard_and_alerts_name_only_what_is_exported() {
    let (_folder, key) = key("k");
    // A node of a cluster has its metrics though it can't reach Redis.
    let server = Server::start(&["--cluster", "redis://127.0.0.1:1", "--cluster-key", &key]);
    let exported = exported(&server);
    let read = |name| fs::read_to_string(repository().join(name)).unwrap();
    let dashboard: Value = serde_json::from_str(&read("grafana/moim.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<_> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 20);
    let used = named(&(queries.join("\n") + &read("prometheus/alerts.yml")));
    let unknown: Vec<_> = used.difference(&exported).collect();
    assert!(unknown.is_empty(), "not exported: {unknown:?}");
    for args in [
        ["check", "rules", "prometheus/alerts.yml"],
        ["test", "rules", "prometheus/alerts_test.yml"],
    ] {
        if let Some(output) = run("promtool", &args, "") {
            assert!(output.status.success(), "{output:?}");
        }
    }
    // Each alert has a test.
    let rules = read("prometheus/alerts.yml");
    let tests = read("prometheus/alerts_test.yml");
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname: {alert}")), "{alert} has no test");
    }
}

#[test]
fn metrics_tell_what_runs_and_what_it_uses() {
    let server = Server::start(&["--shards", "2"]);
    let text = scrape(&server, "text/plain");
    let value = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(text.contains(concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"")), "{text}");
    assert!(value("process_open_fds") > 5.0 && value("process_cpu_seconds_total") > 0.0);
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_start_time_seconds") > 1.7e9);
    assert!(value("moim_shard_busy_ratio{shard=\"1\"}") < 0.5);
    for series in [
        "moim_links_total{transport=\"none\",family=\"unknown\"} 0",
        "moim_links_total{transport=\"relay_tls\",family=\"ipv6\"} 0",
        "moim_join_seconds_count{step=\"first_frame\"} 0",
        "moim_rooms_by_size{size=\"3-4\"} 0",
        "moim_refusals_total{code=\"wrong_password\"} 0",
    ] {
        assert!(text.contains(series), "{series} in {text}");
    }
}
