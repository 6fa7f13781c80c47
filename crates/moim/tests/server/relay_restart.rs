//! The relay over a warm restart: allocations of clients over UDP go on.

use std::{
    io::{ErrorKind, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    manager::Manager,
    peer::{frame, socket, tcp, text_frame},
    relaying::{ALLOWED, Client, Transport},
    support::{DEADLINE, Server, within},
    upgrade::{MAX_GAP, upgrade},
};

const CHANNEL: u16 = 0x4000;
/// Clients of a test: enough to meet each of two shards, nearly always.
const CLIENTS: usize = 6;
/// Interval of packets in each direction.
const INTERVAL: Duration = Duration::from_millis(10);

fn peer(ip: [u8; 4]) -> UdpSocket {
    let peer = UdpSocket::bind((Ipv4Addr::from(ip), 0)).unwrap();
    peer.set_read_timeout(Some(DEADLINE)).unwrap();
    peer
}

/// A client and its peer, which exchange packets over a channel.
struct Pair {
    client: Client,
    relayed: SocketAddr,
    peer: UdpSocket,
}

impl Pair {
    fn new(server: &Server) -> Self {
        let peer = peer([127, 0, 0, 1]);
        let mut client = Client::connect(server, Transport::Udp);
        let relayed = client.allocate();
        client.bind(CHANNEL, peer.local_addr().unwrap());
        Self { client, relayed, peer }
    }

    /// Sends in both directions until told to stop. Returns the longest time for which nothing
    /// arrived, in any of them.
    fn talk(&self, is_over: &AtomicBool) -> Duration {
        let client = self.client.socket();
        for socket in [&client, &self.peer] {
            socket.set_nonblocking(true).unwrap();
        }
        let mut longest = Duration::ZERO;
        let mut last = [Instant::now(); 2];
        while !is_over.load(Ordering::Relaxed) {
            // While nobody listens, loopback returns ICMP errors.
            let _ = client.send(&[0x40, 0, 0, 4, 1, 2, 3, 4]);
            let _ = self.peer.send_to(b"back", self.relayed);
            thread::sleep(INTERVAL);
            for (socket, last) in [&client, &self.peer].into_iter().zip(&mut last) {
                let mut buffer = [0; 64];
                loop {
                    match socket.recv(&mut buffer) {
                        Ok(length) if buffer.starts_with(&[0x40, 0, 0, 4]) || length == 4 => {
                            *last = Instant::now();
                        }
                        Ok(length) => panic!("{:?}", &buffer[..length]),
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(_) => {}
                    }
                }
                longest = longest.max(last.elapsed());
            }
        }
        for socket in [&client, &self.peer] {
            socket.set_nonblocking(false).unwrap();
        }
        longest
    }

    /// Takes what is left of a talk.
    fn drain(&self) {
        for socket in [&self.client.socket(), &self.peer] {
            socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            while socket.recv(&mut [0; 64]).is_ok() {}
            socket.set_read_timeout(Some(DEADLINE)).unwrap();
        }
    }

    fn assert_relays(&mut self) {
        self.client.send_channel(CHANNEL, b"out");
        let mut buffer = [0; 64];
        let (length, from) = self.peer.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..length], from), (&b"out"[..], self.relayed));
        self.peer.send_to(b"back", self.relayed).unwrap();
        assert_eq!(self.client.channel_data(), (CHANNEL, b"back".to_vec()));
    }
}

#[test]
fn p4_relayed_packets_flow_over_an_upgrade() {
    let server = Server::start(&[ALLOWED, &["--shards", "2"]].concat());
    let mut pairs: Vec<_> = (0..CLIENTS).map(|_| Pair::new(&server)).collect();
    let is_over = AtomicBool::new(false);
    let longest = thread::scope(|scope| {
        let talks: Vec<_> = pairs.iter().map(|pair| scope.spawn(|| pair.talk(&is_over))).collect();
        thread::sleep(10 * INTERVAL);
        upgrade(server.data());
        thread::sleep(10 * INTERVAL);
        is_over.store(true, Ordering::Relaxed);
        talks.into_iter().map(|talk| talk.join().unwrap()).max().unwrap()
    });
    println!("longest gap of the relay: {longest:?}");
    assert!(longest < MAX_GAP, "{longest:?}");
    let stranger = peer([127, 0, 0, 2]);
    for pair in &mut pairs {
        pair.drain();
        // The same nonce, key and allocation.
        assert_eq!(pair.client.refresh(600), None);
        pair.assert_relays();
        // Permissions are those of before, and new ones can be had.
        stranger.send_to(b"early", pair.relayed).unwrap();
        pair.assert_relays();
        assert_eq!(pair.client.permit(stranger.local_addr().unwrap()), None);
        stranger.send_to(b"late", pair.relayed).unwrap();
        assert_eq!(pair.client.data(), (stranger.local_addr().unwrap(), b"late".to_vec()));
        assert_eq!(pair.client.refresh(0), None);
        assert_eq!(pair.client.refresh(600), Some(437));
    }
}

/// Participants' requests are not refused while rooms open again.
#[test]
fn allocation_of_a_participant_goes_on() {
    let flags = ["--turn-allow", "127.0.0.0/8"];
    let server = Server::start(&flags);
    let mut stream = socket(tcp(server.address()));
    let joined = join(&mut stream);
    let turn = joined["iceServers"].as_array().unwrap().iter();
    let turn = turn.clone().find(|server| server["credential"].is_string()).unwrap();
    let [username, password] = ["username", "credential"].map(|key| turn[key].as_str().unwrap());
    let peer = peer([127, 0, 0, 1]);
    let mut client = Client::connect(&server, Transport::Udp).named(username, password);
    let relayed = client.allocate();
    client.bind(CHANNEL, peer.local_addr().unwrap());
    upgrade(server.data());
    let mut pair = Pair { client, relayed, peer };
    assert_eq!(pair.client.refresh(600), None, "a participant who may still resume");
    pair.assert_relays();
}

fn join(stream: &mut TcpStream) -> Value {
    let packet = format!("421{}", json!(["room:join", {"room": "tea", "name": "Ann"}]));
    stream.write_all(&text_frame(&packet)).unwrap();
    loop {
        let (_, data) = frame(stream).unwrap();
        if let Some(answer) = data.strip_prefix(b"431") {
            return serde_json::from_slice::<Value>(answer).unwrap()[0]["ok"].clone();
        }
    }
}

/// Clients over TCP lose their connection. They are told at once to allocate again.
#[test]
fn clients_over_tcp_allocate_again() {
    let server = Server::start(ALLOWED);
    let mut client = Client::connect(&server, Transport::Tcp);
    client.allocate();
    upgrade(server.data());
    let mut client = Client::connect(&server, Transport::Tcp);
    assert_eq!(client.refresh(600), Some(437));
    client.allocate();
    assert_eq!(client.refresh(600), None);
}

/// A restart of the unit. Where the manager keeps the relayed sockets, nothing is lost even while no
/// process runs; else the next process binds them anew.
#[test]
fn p3_allocations_go_on_over_a_restart_by_the_manager() {
    for (store, is_kept) in [("64", true), ("3", false)] {
        let (manager, data) = (Manager::start(), Arc::new(tempfile::tempdir().unwrap()));
        let flags = [ALLOWED, &["--shards", "2"]].concat();
        let environment = [("FDSTORE", store)];
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = manager.serve(any, &data, &flags, Vec::new(), &environment);
        let address = server.address();
        let mut pairs: Vec<_> = (0..CLIENTS).map(|_| Pair::new(&server)).collect();
        server.terminate();
        assert!(server.ended().success());
        let port = ["moim-tcp-0000", "moim-udp-0000", "moim-udp-0001"];
        let relayed = vec!["moim-turn"; if is_kept { CLIENTS } else { 0 }];
        let mut expected = [port.to_vec(), relayed].concat();
        expected.sort_unstable();
        within(DEADLINE, "the sockets are kept", || (manager.stored() == expected).then_some(()));
        for pair in &pairs {
            let _ = pair.peer.send_to(b"gap", pair.relayed);
        }
        let server = manager.serve(address, &data, &flags, Vec::new(), &environment);
        for pair in &mut pairs {
            if is_kept {
                assert_eq!(pair.client.channel_data(), (CHANNEL, b"gap".to_vec()));
            } else {
                // The answer to the packet of the gap.
                let _ = pair.peer.take_error();
            }
            pair.assert_relays();
            assert_eq!(pair.client.refresh(600), None);
        }
        let kept = || (manager.stored() == port).then_some(());
        within(DEADLINE, "the manager forgets the relayed sockets", kept);
        server.until_logged("allocations of the relay go on");
    }
}

#[test]
fn allocations_of_other_ports_end() {
    let (manager, data) = (Manager::start(), Arc::new(tempfile::tempdir().unwrap()));
    let flags = |shards| [ALLOWED, &["--shards", shards]].concat();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut server = manager.serve(any, &data, &flags("2"), Vec::new(), &[]);
    let address = server.address();
    let mut pair = Pair::new(&server);
    server.terminate();
    assert!(server.ended().success());
    let server = manager.serve(address, &data, &flags("1"), Vec::new(), &[]);
    assert_eq!(pair.client.refresh(600), Some(437));
    within(DEADLINE, "the log says so", || {
        server.log().contains("--turn-ports or --shards have changed").then_some(())
    });
    pair.client.allocate();
}
