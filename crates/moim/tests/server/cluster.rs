//! Servers that know of each other by Redis.

#[path = "../../../cluster-redis/tests/server/mod.rs"]
#[allow(dead_code, reason = "the driver's tests use the rest")]
mod redis;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

use redis::RedisProcess;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    ctl::answer,
    peer::get,
    support::{DEADLINE, Server, within},
};

/// A folder with a cluster's key.
fn key(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cluster.key");
    fs::write(&path, format!("{}\n", text.repeat(40))).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn status(server: &Server, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    command.args(["cluster", "status", "--data"]).arg(server.data()).args(args).output().unwrap()
}

fn nodes(server: &Server) -> usize {
    answer(&status(server, &["--json"]))["nodes"].as_array().unwrap().len()
}

fn readiness(server: &Server) -> (u16, String) {
    let answer = get(server, "/readyz");
    (answer.status, answer.text().to_owned())
}

fn metric(server: &Server, name: &str) -> Option<String> {
    let answer = get(server, "/metrics");
    let line = answer.text().lines().find(|line| line.starts_with(&format!("{name} ")))?;
    line.split(' ').nth(1).map(str::to_owned)
}

#[test]
fn servers_of_a_cluster_know_of_each_other_until_one_dies() {
    let Some(mut redis) = RedisProcess::start(&["--requirepass", "hunter2"]) else { return };
    let (folder, key) = key("k");
    let password = folder.path().join("password");
    fs::write(&password, "hunter2\n").unwrap();
    let url = redis.url();
    let flags = ["--cluster", &url, "--cluster-key", &key, "--cluster-password-file"];
    let flags = [&flags[..], &[password.to_str().unwrap()]].concat();
    let first = Server::start(&flags);
    let mut second = Server::start(&flags);
    for server in [&first, &second] {
        within(DEADLINE, "both are there", || (nodes(server) == 2).then_some(()));
        assert_eq!(readiness(server), (200, "ok\n".to_owned()));
        assert_eq!(metric(server, "moim_cluster_nodes").as_deref(), Some("2"));
        assert_eq!(metric(server, "moim_cluster_leased").as_deref(), Some("1"));
        assert_eq!(metric(server, "moim_cluster_engine_up").as_deref(), Some("1"));
    }
    let printed = String::from_utf8(status(&first, &[]).stdout).unwrap();
    assert!(printed.starts_with(&format!("{url} connected\n")), "{printed}");
    assert_eq!(printed.matches("serving").count(), 2, "{printed}");
    assert_eq!(printed.matches("this node").count(), 1, "{printed}");
    assert!(!first.log().contains("hunter2"));

    second.signal(rustix::process::Signal::KILL);
    second.ended();
    within(DEADLINE, "the lease of the second ends", || (nodes(&first) == 1).then_some(()));

    // Without Redis calls go on, so this server is as good as others.
    redis.kill();
    within(DEADLINE, "Redis is missed", || {
        (metric(&first, "moim_cluster_engine_up").as_deref() == Some("0")).then_some(())
    });
    assert_eq!(readiness(&first).0, 200);
    redis.start_again();
    within(DEADLINE, "Redis is there again", || {
        let json = answer(&status(&first, &["--json"]));
        (json["leased"] == true && json["engine"]["memory_losses"] == 1).then_some(())
    });
}

#[test]
fn server_with_another_key_is_not_ready_and_says_why() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_one, key_of_one) = key("k");
    let (_two, key_of_two) = key("l");
    let url = redis.url();
    let start = |key: &str| Server::start(&["--cluster", &url, "--cluster-key", key]);
    let first = start(&key_of_one);
    within(DEADLINE, "it is in its cluster", || (readiness(&first).0 == 200).then_some(()));
    let second = start(&key_of_two);
    let (status, why) = within(DEADLINE, "it finds the other cluster", || {
        Some(readiness(&second)).filter(|(_, why)| why.contains("another cluster"))
    });
    assert_eq!(status, 503);
    assert!(why.contains("the same key") && why.contains(&url), "{why}");
    within(DEADLINE, "the log says so, too", || {
        second.log().contains("another cluster").then_some(())
    });
    assert_eq!(nodes(&first), 1);
}

#[test]
fn server_alone_contacts_nothing_and_has_no_metrics_of_a_cluster() {
    let server = Server::start(&[]);
    assert_eq!(readiness(&server).0, 200);
    assert_eq!(metric(&server, "moim_cluster_nodes"), None);
    let refused = status(&server, &[]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("without --cluster"), "{told}");
    let status: Value = answer(&crate::ctl::ctl(server.data(), &["status"]));
    assert_eq!(status["ready"], true);
}
