//! Measures what a hop between two servers costs: media from one endpoint to another over real
//! sockets on the loopback interface, one system call a datagram.
//!
//! `cargo run --release -p moim-cascade --example hop [PACKETS PER SECOND] [SECONDS]`

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::{
    io::ErrorKind,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use cascade::{Endpoint, Event, Media};

use common::Authority;

/// Payload of a packet of video, with the SFU's head.
const PAYLOAD: usize = 1120;
/// Packets of a frame, sent at once.
const BURST: u32 = 5;

struct Side {
    endpoint: Endpoint,
    socket: UdpSocket,
    buffer: Vec<u8>,
}

impl Side {
    fn new(endpoint: Endpoint) -> Self {
        let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        Self { endpoint, socket, buffer: Vec::new() }
    }

    fn transmit(&mut self) {
        while let Some(run) = self.endpoint.poll_transmit(Instant::now(), &mut self.buffer) {
            for datagram in self.buffer.chunks(run.segment) {
                self.socket.send_to(datagram, run.to).unwrap();
            }
        }
    }

    /// Handles what arrives until `end`, or until an event.
    fn run_until(&mut self, end: Instant, mut handle: impl FnMut(Event)) {
        let mut datagram = [0; 2048];
        loop {
            self.transmit();
            let mut has_event = false;
            while let Some(event) = self.endpoint.poll_event() {
                handle(event);
                has_event = true;
            }
            let now = Instant::now();
            if has_event || now >= end {
                return;
            }
            let due = self.endpoint.poll_timeout().map_or(end, |due| due.min(end));
            let pause = due.saturating_duration_since(now).max(Duration::from_micros(50));
            self.socket.set_read_timeout(Some(pause)).unwrap();
            match self.socket.recv_from(&mut datagram) {
                Ok((len, from)) => {
                    let now = Instant::now();
                    self.endpoint.handle_datagram(now, from, None, &datagram[..len]);
                }
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
                }
            }
            let now = Instant::now();
            if self.endpoint.poll_timeout().is_some_and(|due| due <= now) {
                self.endpoint.handle_timeout(now);
            }
        }
    }
}

/// CPU time of this process: user and system, in clock ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn main() {
    let argument = |at: usize, default| {
        std::env::args().nth(at).map_or(default, |text| text.parse::<u32>().unwrap())
    };
    let (rate, seconds) = (argument(1, 5000), argument(2, 10));
    let authority = Authority::new();
    let [first, second] = [0, 1].map(|shard| authority.endpoint(shard));
    let (mut sender, mut receiver) = (Side::new(first), Side::new(second));
    let to = receiver.socket.local_addr().unwrap();
    let begin = Instant::now();
    let count = rate * seconds;
    let receiving = std::thread::spawn(move || {
        let mut delays = Vec::new();
        let mut last = Instant::now();
        while last.elapsed() < Duration::from_secs(2) {
            receiver.run_until(Instant::now() + Duration::from_millis(100), |event| {
                if let Event::Media { bytes, .. } = event {
                    let sent = u64::from_be_bytes(bytes[..8].try_into().unwrap());
                    let now = u64::try_from(begin.elapsed().as_nanos()).unwrap();
                    delays.push(now - sent);
                    last = Instant::now();
                }
            });
        }
        (delays, receiver.endpoint.stats())
    });
    sender.endpoint.want(Instant::now(), 1, to);
    while !sender.endpoint.is_connected(1) {
        sender.run_until(Instant::now() + Duration::from_millis(10), |_| {});
    }
    let before = cpu();
    let start = Instant::now();
    let mut payload = vec![7; PAYLOAD];
    for burst in 0..count / BURST {
        for _ in 0..BURST {
            let now = u64::try_from(begin.elapsed().as_nanos()).unwrap();
            payload[..8].copy_from_slice(&now.to_be_bytes());
            let media = Media { is_audio: false, age: Duration::ZERO, bytes: &payload };
            sender.endpoint.send_media(Instant::now(), 1, media);
        }
        let next = start + Duration::from_secs(1) * (burst + 1) * BURST / rate;
        while Instant::now() < next {
            sender.run_until(next, |_| {});
        }
    }
    let spent = cpu() - before;
    let (mut delays, stats) = receiving.join().unwrap();
    delays.sort_unstable();
    let micros = |permille: usize| delays[(delays.len() - 1) * permille / 1000] as f64 / 1000.0;
    println!("{} of {count} packets of {PAYLOAD} bytes at {rate} a second", delays.len());
    println!("delay: p50 {:.0} µs, p99 {:.0} µs", micros(500), micros(990));
    let per_packet = spent.as_secs_f64() * 1e6 / f64::from(count);
    println!("CPU of both ends: {per_packet:.1} µs a packet");
    println!("{stats:?}");
}
