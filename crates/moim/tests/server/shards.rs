//! A stuck or panicked shard.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
};

use crate::{
    manager::Manager,
    peer::get,
    support::{DEADLINE, Server, within},
};

/// Datagrams that inject faults (`faults.rs`).
const SHARD_PANIC: &[u8] = b"\xffmoim: a shard panics";
const SHARD_STUCK: &[u8] = b"\xffmoim: a shard is stuck";

fn plant(server: &Server, fault: &[u8]) {
    let socket = UdpSocket::bind((server.address().ip(), 0)).unwrap();
    socket.send_to(fault, server.address()).unwrap();
}

#[test]
fn shard_panic_ends_the_server_with_a_log_line() {
    let mut server = Server::start(&["--shards", "2"]);
    plant(&server, SHARD_PANIC);
    assert_eq!(server.ended().code(), Some(70), "{}", server.log());
    let log = within(DEADLINE, "the log reports it", || {
        let log = server.log();
        log.contains("the server exits and must be restarted").then_some(log)
    });
    assert_eq!(log.matches("panic; logged once per location").count(), 1, "{log}");
    assert!(log.contains("moim/src/faults.rs") && !log.contains("0x"), "{log}");
}

#[test]
fn stuck_shard_is_reported_until_it_recovers() {
    let (manager, data) = (Manager::start(), Arc::new(tempfile::tempdir().unwrap()));
    let watchdog = [("WATCHDOG_USEC", "600000")];
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = manager.serve(any, &data, &["--shards", "2"], Vec::new(), &watchdog);
    assert_eq!(get(&server, "/healthz").status, 200);
    manager.expect("WATCHDOG=1", 3);
    plant(&server, SHARD_STUCK);
    within(DEADLINE, "health reports it", || {
        (get(&server, "/healthz").status == 503).then_some(())
    });
    manager.expect("STATUS=A shard is stuck; rooms: 0, participants: 0", 1);
    let fed = manager.count("WATCHDOG=1");
    let metrics = get(&server, "/metrics");
    let metrics = metrics.text();
    assert!(metrics.contains("moim_shards_stuck 1"), "{metrics}");
    assert_eq!(get(&server, "/livez").status, 503);
    assert_eq!(get(&server, "/readyz").status, 503);
    assert_eq!(manager.count("WATCHDOG=1"), fed, "a stuck shard starves the watchdog");
    within(DEADLINE, "health recovers", || (get(&server, "/healthz").status == 200).then_some(()));
    // The line may follow the health by a moment.
    let log = within(DEADLINE, "the log reports the recovery", || {
        let log = server.log();
        log.contains("a shard recovered").then_some(log)
    });
    assert!(log.contains("a shard is stuck"), "{log}");
    manager.expect("WATCHDOG=1", fed + 2);
}

#[test]
fn granted_udp_buffers_are_metrics() {
    let server = Server::start(&[]);
    let metrics = get(&server, "/metrics").text().to_owned();
    for name in ["moim_udp_receive_buffer_bytes ", "moim_udp_send_buffer_bytes "] {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        assert!(line.unwrap().parse::<u64>().unwrap() > 0, "{name}: {metrics}");
    }
}
