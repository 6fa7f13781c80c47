//! The server under a service manager: notifications, socket activation, kept sockets.

use std::{
    env, fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    sync::Arc,
};

use rustix::process::Signal;

use crate::{
    caller::{Caller, url},
    ctl::{answer, ctl},
    manager::Manager,
    peer::get,
    support::{DEADLINE, within},
    upgrade::{MAX_GAP, until},
};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const CALLERS: u32 = 3;

fn data() -> Arc<tempfile::TempDir> {
    Arc::new(tempfile::tempdir().unwrap())
}

#[test]
fn p3_manager_is_told_of_readiness_reloads_status_and_the_end() {
    let (manager, data) = (Manager::start(), data());
    let mut server = manager.serve(ANY, &data, &["--shards", "2"], Vec::new(), &[]);
    manager.expect("READY=1", 1);
    assert_eq!(get(&server, "/readyz").status, 200, "it serves when it says so");
    let ready = |told: &Vec<String>| told.contains(&"READY=1".to_owned());
    let before = manager.told().iter().position(ready).unwrap();
    assert!(before >= 3, "a listener and two UDP sockets are kept first: {:?}", manager.told());
    assert_eq!(manager.stored(), ["moim-tcp-0000", "moim-udp-0000", "moim-udp-0001"]);
    manager.expect("STATUS=Serving; rooms: 0, participants: 0", 1);

    server.signal(Signal::HUP);
    manager.expect("READY=1", 2);
    let told = manager.told();
    let reload = told.iter().find(|told| told.contains(&"RELOADING=1".to_owned())).unwrap();
    assert!(reload.iter().any(|line| line.starts_with("MONOTONIC_USEC=")), "{reload:?}");
    answer(&ctl(server.data(), &["reload"]));
    manager.expect("READY=1", 3);
    assert_eq!((manager.count("RELOADING=1"), manager.count("WATCHDOG=1")), (2, 0));

    server.signal(Signal::INT);
    assert_eq!(server.ended().code(), Some(0));
    manager.expect("STOPPING=1", 1);
    let kept = || manager.stored().is_empty().then_some(());
    within(DEADLINE, "a server that stops has its sockets closed", kept);
}

#[test]
fn p3_sockets_of_a_unit_are_used() {
    let (manager, data) = (Manager::start(), data());
    let listener = TcpListener::bind(ANY).unwrap();
    let address = listener.local_addr().unwrap();
    // Waits in the backlog until the server is there.
    let mut early = TcpStream::connect(address).unwrap();
    early.write_all(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let stray = TcpListener::bind(ANY).unwrap();
    let elsewhere = stray.local_addr().unwrap();
    let sockets = vec![listener.into(), stray.into()];
    let server = manager.serve(address, &data, &[], sockets, &[]);
    let mut reply = String::new();
    early.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.0 200"), "{reply}");
    let remedy = format!("add --also {elsewhere}");
    within(DEADLINE, "the stray socket is named", || server.log().contains(&remedy).then_some(()));
}

/// A restart of the unit: SIGTERM, then a new process with the kept sockets.
/// `MOIM_TEST_RESTARTS=20` restarts more often.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p3_restart_by_the_manager_keeps_calls_and_sockets() {
    let restarts = env::var("MOIM_TEST_RESTARTS").ok().and_then(|number| number.parse().ok());
    let restarts: usize = restarts.unwrap_or(2);
    let (manager, data) = (Manager::start(), data());
    let flags = ["--shards", "2"];
    // Deleted by systemd when the service stops.
    let runtime = tempfile::tempdir().unwrap();
    let left = [runtime.path(), data.path()].map(|folder| folder.join("handover"));
    let environment = [("RUNTIME_DIRECTORY", runtime.path().to_str().unwrap())];
    let mut server = manager.serve(ANY, &data, &flags, Vec::new(), &environment);
    let address = server.address();
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| Caller::join(&url(address), "tea", number, number == 0))
        .collect();
    let others = usize::try_from(CALLERS).unwrap() - 1;
    until(&callers, "everybody hears everybody", |seen| seen.heard == others).await;
    for restart in 1..=restarts {
        server.terminate();
        let status = tokio::task::spawn_blocking(move || server.ended()).await.unwrap();
        assert_eq!(status.code(), Some(0));
        let mode = fs::metadata(&left[0]).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode, left[1].exists()), (0o600, false));
        // Nobody is refused between the processes.
        let waits = TcpStream::connect(address).unwrap();
        assert_eq!(manager.stored(), ["moim-tcp-0000", "moim-udp-0000", "moim-udp-0001"]);
        server = manager.serve(address, &data, &flags, Vec::new(), &environment);
        until(&callers, "everybody hears everybody again", |seen| {
            seen.sessions == restart + 1 && seen.heard == others
        })
        .await;
        assert!(answers(waits), "the connection of the gap");
    }
    for seen in callers.iter().map(Caller::seen) {
        assert_eq!((seen.left, seen.told), (0, restarts), "nobody is seen to leave");
        assert!(seen.longest_gap <= MAX_GAP, "audio was gone for {:?}", seen.longest_gap);
    }
    assert!(left.iter().all(|file| !file.exists()));
}

fn answers(mut stream: TcpStream) -> bool {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply.starts_with("HTTP/1.0 200")
}

#[test]
fn sockets_of_another_configuration_are_not_kept() {
    let (manager, data) = (Manager::start(), data());
    let mut server = manager.serve(ANY, &data, &["--shards", "2"], Vec::new(), &[]);
    let before = server.address();
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
    let server = manager.serve(ANY, &data, &["--shards", "1"], Vec::new(), &[]);
    manager.expect("READY=1", 2);
    // The system may choose any port: the listener is taken over, one UDP socket of two is not.
    assert_eq!(server.address(), before);
    let kept = || (manager.stored() == ["moim-tcp-0000", "moim-udp-0000"]).then_some(());
    within(DEADLINE, "the sockets of this process are kept", kept);
}

/// A socket of all addresses has the port of each.
#[test]
fn socket_of_all_addresses_makes_way_for_one_of_them() {
    let (manager, data) = (Manager::start(), data());
    let one = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), testnet::claim_port());
    let mut server = manager.serve(one, &data, &[], Vec::new(), &[]);
    let all = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), one.port());
    for (ready, listen) in [(2, all), (3, one)] {
        server.terminate();
        assert_eq!(server.ended().code(), Some(0));
        server = manager.serve(listen, &data, &[], Vec::new(), &[]);
        manager.expect("READY=1", ready);
    }
    assert_eq!(get(&server, "/livez").status, 200);
}
