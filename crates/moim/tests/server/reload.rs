//! SIGHUP.

use std::fs;

use rustix::process::Signal;

use crate::{
    peer::{get, get_with},
    support::{DEADLINE, Server, within},
};

/// Writes the configuration file and reloads; returns the log once it has `line`.
fn reload(server: &Server, text: &str, line: &str) -> String {
    fs::write(server.data().join("moim.toml"), text).unwrap();
    server.signal(Signal::HUP);
    within(DEADLINE, line, || Some(server.log()).filter(|log| log.contains(line)))
}

#[test]
fn reload_applies_the_log_filter_and_names_what_needs_a_restart() {
    let server = Server::start(&[]);
    let text = "log = 'moim=debug'\nturn-realm = 'other'\n[limits]\nmax-rooms = 5\n";
    let log = reload(&server, text, "reloaded; applied: log");
    assert!(log.contains("needs a restart: turn-realm, max-rooms"), "{log}");
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn broken_file_changes_nothing_and_is_reported_with_its_line() {
    let server = Server::start(&[]);
    let log = reload(&server, "log = 'off'\n\nlisen = 'x'\n", "did you mean listen?");
    assert!(log.contains("nothing is reloaded: Correct line 3 of"), "{log}");
    reload(&server, "log = 'moim=loud'\n", "nothing is reloaded: Correct line 1 of");
    reload(&server, "log = 'info'\n", "reloaded; applied: log");
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn reload_applies_trusted_proxies() {
    let server = Server::start(&[]);
    // A trusted proxy's malformed header is rejected, another client's is ignored.
    let status = || get_with(&server, "/healthz", &[("X-Forwarded-For", "nonsense")]).status;
    assert_eq!(status(), 200);
    reload(&server, "trusted-proxy = ['127.0.0.0/8']\n", "reloaded; applied: trusted-proxy");
    assert_eq!(status(), 400);
    fs::write(server.data().join("moim.toml"), "").unwrap();
    server.signal(Signal::HUP);
    within(DEADLINE, "the proxy is not trusted", || (status() == 200).then_some(()));
}
