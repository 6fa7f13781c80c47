//! Acceptance check W6: reads of a full server's metrics are quick and delay no packets.
//!
//! Times depend on the machine and its other work, so each is compared with one of the same server
//! on the same machine: a read of the full server with one of the empty server, in CPU time; and
//! round trips of packets during reads with those without.

use std::{
    env,
    net::{SocketAddr, TcpStream, UdpSocket},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    memory,
    peer::{ask, socket, tcp},
    relaying::{ALLOWED, Client, Transport},
    support::{DEADLINE, Server},
};

const SHARDS: u32 = 2;
/// Rooms of the full server, each of two participants, unless `MOIM_TEST_SCRAPED_ROOMS` says
/// otherwise. There are as many allocations, up to the limit of one user.
const ROOMS: usize = 400;
const MAX_ALLOCATIONS: usize = 200;
/// Reads of which the cost is measured, and how often: other work of the server counts, too, so the
/// cheapest tells.
const READS: u32 = 10;
const MEASUREMENTS: usize = 6;
/// This many rooms may add to a read as much as all of a read of the empty server: a read adds up one
/// number of each room, socket and log. That takes 40 ns a room in the release profile, where a read
/// of 1,500 rooms took 0.43 ms of CPU time after 0.29 ms of the empty server, and a microsecond
/// without optimization.
const ROOMS_AS_A_READ: u32 = 400;
/// A read may keep a shard from packets for as long as this many of them.
const MAX_PACKETS: u32 = 20;
/// Blocks of packets with and without reads, in turn, each of this time.
const BLOCKS: usize = 9;
const BLOCK: Duration = Duration::from_millis(120);
/// Interval of reads, of which Prometheus makes one in 15 seconds.
const READ_INTERVAL: Duration = Duration::from_millis(20);
/// The slowest hundredth of packets may take this many times as long during reads.
const MAX_DELAY: u32 = 3;

/// CPU time of one read: of one shard, and of the whole server.
#[derive(Debug, Clone, Copy)]
struct Cost {
    shard: Duration,
    server: Duration,
}

/// A connection that reads metrics.
struct Reader(TcpStream);

impl Reader {
    fn connect(server: &Server) -> Self {
        Self(tcp(server.address()))
    }

    fn read(&mut self) -> usize {
        let answer = ask(&mut self.0, "GET /metrics", &[], b"").unwrap();
        assert_eq!(answer.status, 200);
        answer.body.len()
    }
}

/// CPU time so far: of all shards, and of the whole server.
fn cpu(server: &Server) -> (Duration, Duration) {
    let threads = server.threads();
    let shards = threads.iter().filter(|(name, _)| name.starts_with("shard "));
    (shards.map(|(_, time)| *time).sum(), threads.iter().map(|(_, time)| *time).sum())
}

fn cost_of_a_read(server: &Server) -> Cost {
    let mut reader = Reader::connect(server);
    reader.read();
    let costs = (0..MEASUREMENTS).map(|_| {
        let (before, start) = (cpu(server), Instant::now());
        for _ in 0..READS {
            reader.read();
        }
        eprintln!("a read takes {:?}", start.elapsed() / READS);
        let after = cpu(server);
        Cost { shard: (after.0 - before.0) / READS / SHARDS, server: (after.1 - before.1) / READS }
    });
    costs.min_by_key(|cost| cost.server).unwrap()
}

/// A relayed path: from a client to its peer and back.
struct Path {
    client: Client,
    peer: UdpSocket,
    relayed: SocketAddr,
}

impl Path {
    const CHANNEL: u16 = 0x4000;

    fn open(server: &Server) -> Self {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut client = Client::connect(server, Transport::Udp);
        let relayed = client.allocate();
        client.bind(Self::CHANNEL, peer.local_addr().unwrap());
        Self { client, peer, relayed }
    }

    /// Time of a packet through the server to the peer, and of one back.
    fn round_trip(&mut self) -> Duration {
        let start = Instant::now();
        self.client.send_channel(Self::CHANNEL, b"there");
        self.peer.recv(&mut [0; 16]).unwrap();
        self.peer.send_to(b"back", self.relayed).unwrap();
        self.client.channel_data();
        start.elapsed()
    }
}

/// What makes the server full.
struct Crowd {
    _participants: Vec<TcpStream>,
    paths: Vec<Path>,
}

impl Crowd {
    fn gather(server: &Server, rooms: usize) -> Self {
        let mut participants = Vec::new();
        for room in 0..rooms {
            for name in ["Ann", "Ben"] {
                let mut stream = socket(tcp(server.address()));
                let join = json!({"room": format!("room {room}"), "name": name});
                let joined = memory::ask(&mut stream, "room:join", &join);
                assert!(joined["ok"].is_object(), "{joined}");
                participants.push(stream);
            }
        }
        let paths = (0..rooms.min(MAX_ALLOCATIONS)).map(|_| Path::open(server)).collect();
        Self { _participants: participants, paths }
    }

    /// The round-trip time that only a hundredth of packets exceeds, over all paths in turn.
    fn slow_round_trip(&mut self) -> Duration {
        let end = Instant::now() + BLOCK;
        let mut times = Vec::new();
        for path in (0..self.paths.len()).cycle() {
            if Instant::now() >= end {
                break;
            }
            times.push(self.paths[path].round_trip());
        }
        times.sort_unstable();
        times[times.len() * 99 / 100]
    }
}

#[test]
fn w6_reads_of_a_full_server_are_quick_and_delay_no_packets() {
    let rooms = env::var("MOIM_TEST_SCRAPED_ROOMS").ok().and_then(|number| number.parse().ok());
    let rooms = rooms.unwrap_or(ROOMS);
    let many = rooms.to_string();
    let shards = SHARDS.to_string();
    let flags = ["--shards", &shards, "--max-rooms", &many, "--max-rooms-per-address", &many];
    // Nobody answers pings.
    let server = Server::start(&[ALLOWED, &flags[..], &["--ping-interval", "60"]].concat());
    let empty = cost_of_a_read(&server);
    let mut crowd = Crowd::gather(&server, rooms);
    let full = cost_of_a_read(&server);
    eprintln!("CPU time of a read: empty {empty:?}, full {full:?}");
    let limit = empty.server + empty.server * u32::try_from(rooms).unwrap() / ROOMS_AS_A_READ;
    assert!(full.server <= limit, "{full:?} after {empty:?}");

    // Both shards have paths. Each round trip is two packets.
    let before = cpu(&server).0;
    let round_trips = crowd.paths.len() * 4;
    let paths = crowd.paths.len();
    for number in 0..round_trips {
        crowd.paths[number % paths].round_trip();
    }
    let packet = (cpu(&server).0 - before) / u32::try_from(round_trips * 2).unwrap();
    eprintln!("CPU time of a packet: {packet:?}");
    assert!(full.shard <= packet * MAX_PACKETS, "{full:?}; a packet takes {packet:?}");

    let (mut quiet, mut during) = (Vec::new(), Vec::new());
    for _ in 0..BLOCKS {
        quiet.push(crowd.slow_round_trip());
        let is_over = AtomicBool::new(false);
        let slow = thread::scope(|scope| {
            scope.spawn(|| {
                let mut reader = Reader::connect(&server);
                while !is_over.load(Ordering::Relaxed) {
                    reader.read();
                    thread::sleep(READ_INTERVAL);
                }
            });
            let slow = crowd.slow_round_trip();
            is_over.store(true, Ordering::Relaxed);
            slow
        });
        during.push(slow);
    }
    let [quiet, during] = [quiet, during].map(|mut slow| {
        slow.sort_unstable();
        slow[BLOCKS / 2]
    });
    eprintln!("slowest hundredth of round trips: {quiet:?}, during reads {during:?}");
    assert!(during <= quiet * MAX_DELAY, "{during:?} during reads, {quiet:?} without");
}
