//! Sessions between an endpoint and clients in memory.

use std::net::SocketAddr;

use dimpl::{Config, Dtls, DtlsCertificate, Output, certificate::generate_self_signed_certificate};
use turn::Transport;

use super::*;

const UNIX: u64 = 1_800_000_000;

/// An endpoint on a virtual clock.
struct World {
    endpoint: DtlsEndpoint,
    now: Instant,
}

struct Client {
    dtls: Dtls,
    five_tuple: FiveTuple,
    connected: bool,
    received: Vec<Vec<u8>>,
}

fn certificate() -> DtlsCertificate {
    generate_self_signed_certificate().unwrap()
}

fn world() -> World {
    let now = Instant::now();
    let endpoint =
        DtlsEndpoint::new(CurrentCertificate::of_dtls(certificate()), [7; 32], now).unwrap();
    World { endpoint, now }
}

fn five_tuple(client: &str) -> FiveTuple {
    let at = |text: &str| text.parse::<SocketAddr>().unwrap();
    FiveTuple { transport: Transport::Dtls, client: at(client), server: at("203.0.113.1:3478") }
}

impl Client {
    fn new(world: &World, at: &str) -> Self {
        let settings = Arc::new(Config::builder().build().unwrap());
        let mut dtls = Dtls::new_12(settings, certificate(), world.now);
        dtls.set_active(true);
        dtls.handle_timeout(world.now).unwrap();
        Self { dtls, five_tuple: five_tuple(at), connected: false, received: Vec::new() }
    }

    /// Drains the client; returns its datagrams.
    fn packets(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut scratch = vec![0; 16 * 1024];
        loop {
            match self.dtls.poll_output(&mut scratch) {
                Output::Packet(packet) => packets.push(packet.to_vec()),
                Output::ApplicationData(message) => self.received.push(message.to_vec()),
                Output::Connected => self.connected = true,
                Output::Timeout(_) => return packets,
                _ => {}
            }
        }
    }
}

impl World {
    /// Hands a datagram to the endpoint; returns the result and the datagrams sent.
    fn handle(&mut self, from: &FiveTuple, datagram: &[u8]) -> (Decrypted, Vec<Vec<u8>>) {
        let mut decrypted = Decrypted::default();
        let mut sent = Vec::new();
        self.endpoint.handle_datagram(self.now, UNIX, from, datagram, &mut decrypted, |packet| {
            sent.push(packet.to_vec());
        });
        (decrypted, sent)
    }

    /// Exchanges packets until none are left; returns the messages that the endpoint received.
    fn exchange(&mut self, client: &mut Client) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        loop {
            let packets = client.packets();
            if packets.is_empty() {
                return messages;
            }
            for packet in packets {
                let (decrypted, sent) = self.handle(&client.five_tuple.clone(), &packet);
                messages.extend(decrypted.messages().map(<[u8]>::to_vec));
                for packet in sent {
                    client.dtls.handle_packet(&packet).unwrap();
                }
            }
        }
    }

    fn connected(&mut self, at: &str) -> Client {
        let mut client = Client::new(self, at);
        self.exchange(&mut client);
        assert!(client.connected);
        client
    }
}

#[test]
fn messages_arrive_whole_in_both_directions() {
    let mut world = world();
    let mut client = world.connected("192.0.2.10:5000");
    assert_eq!(world.endpoint.sessions(), 1);
    for len in [1, 100, 1172, 1500, 9000] {
        let message = vec![0xAB; len];
        client.dtls.send_application_data(&message).unwrap();
        assert_eq!(world.exchange(&mut client), std::slice::from_ref(&message), "{len}");
        let mut sent = Vec::new();
        assert!(
            world.endpoint.send(&client.five_tuple, &message, |packet| sent.push(packet.to_vec()))
        );
        assert_eq!(sent.len(), 1, "one datagram per message");
        client.dtls.handle_packet(&sent[0]).unwrap();
        client.packets();
        assert_eq!(client.received.pop(), Some(message));
    }
    assert!(!world.endpoint.send(&five_tuple("192.0.2.11:5000"), b"x", |_| panic!("no session")));
}

#[test]
fn no_state_is_kept_before_the_address_is_verified() {
    let mut world = world();
    let hello = Client::new(&world, "192.0.2.10:5000").packets().remove(0);
    for port in 1..2000 {
        for cut in [hello.len(), 35, 13] {
            let from = five_tuple(&format!("192.0.2.10:{port}"));
            let (decrypted, sent) = world.handle(&from, &hello[..cut]);
            assert!(decrypted.messages().next().is_none());
            assert!(sent.iter().all(|answer| answer.len() < hello.len()));
        }
    }
    assert_eq!(world.endpoint.sessions.capacity(), 0);
    assert_eq!(world.endpoint.poll_timeout(), None);
    assert_eq!(world.endpoint.counters.challenged, 1000, "rate-limited per network");
}

#[test]
fn records_of_no_session_and_replays_are_dropped() {
    let mut world = world();
    let mut client = world.connected("192.0.2.10:5000");
    client.dtls.send_application_data(b"hello").unwrap();
    let record = client.packets().remove(0);
    let (decrypted, sent) = world.handle(&five_tuple("192.0.2.66:5000"), &record);
    assert!(decrypted.messages().next().is_none() && sent.is_empty());
    let (decrypted, _) = world.handle(&client.five_tuple, &record);
    assert_eq!(decrypted.messages().count(), 1);
    let (decrypted, _) = world.handle(&client.five_tuple, &record);
    assert_eq!(decrypted.messages().count(), 0, "replayed");
}

#[test]
fn session_survives_damaged_and_replayed_packets() {
    let mut world = world();
    let mut client = Client::new(&world, "192.0.2.10:5000");
    let mut recorded = Vec::new();
    while !client.connected {
        for packet in client.packets() {
            recorded.push(packet.clone());
            for answer in world.handle(&client.five_tuple.clone(), &packet).1 {
                client.dtls.handle_packet(&answer).unwrap();
            }
        }
    }
    for packet in &recorded {
        let (decrypted, _) = world.handle(&client.five_tuple, packet);
        assert!(!decrypted.session_ended);
        for bit in 0..packet.len() * 8 {
            let mut damaged = packet.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!world.handle(&client.five_tuple, &damaged).0.session_ended);
        }
    }
    client.dtls.send_application_data(b"still here").unwrap();
    assert_eq!(world.exchange(&mut client), [b"still here"]);
}

#[test]
fn client_that_lost_its_session_begins_another() {
    let mut world = world();
    world.connected("192.0.2.10:5000");
    let mut client = Client::new(&world, "192.0.2.10:5000");
    let first = client.packets().remove(0);
    let (decrypted, challenge) = world.handle(&client.five_tuple, &first);
    assert!(!decrypted.session_ended, "its address is not verified");
    client.dtls.handle_packet(&challenge[0]).unwrap();
    let second = client.packets().remove(0);
    let (decrypted, flight) = world.handle(&client.five_tuple, &second);
    assert!(decrypted.session_ended);
    for packet in flight {
        client.dtls.handle_packet(&packet).unwrap();
    }
    world.exchange(&mut client);
    assert!(client.connected);
    assert_eq!(world.endpoint.sessions(), 1);
}

#[test]
fn panic_of_dimpl_ends_only_its_session() {
    let mut world = world();
    let victim = world.connected("192.0.2.10:5000");
    let mut bystander = world.connected("192.0.2.11:5000");
    let (decrypted, _) = world.handle(&victim.five_tuple.clone(), crate::faults::DTLS_PANIC);
    assert!(decrypted.session_ended && decrypted.messages().next().is_none());
    assert_eq!((world.endpoint.counters.panicked, world.endpoint.sessions()), (1, 1));
    assert!(!world.endpoint.send(&victim.five_tuple, b"x", |_| panic!("no session")));

    bystander.dtls.send_application_data(b"still here").unwrap();
    assert_eq!(world.exchange(&mut bystander), [b"still here".to_vec()]);
    world.connected("192.0.2.10:5000");
    assert_eq!(world.endpoint.counters.panicked, 1);
}

#[test]
fn closed_sessions_and_those_without_allocation_end() {
    let mut world = world();
    let mut leaving = world.connected("192.0.2.10:5000");
    let silent = world.connected("192.0.2.11:5000");
    let in_use = world.connected("192.0.2.12:5000");
    leaving.dtls.close().unwrap();
    let goodbye = leaving.packets().remove(0);
    assert!(world.handle(&leaving.five_tuple, &goodbye).0.session_ended);
    assert_eq!(world.endpoint.sessions(), 2);
    world.now += REVIEW_INTERVAL;
    let mut notified = Vec::new();
    let ended = world.endpoint.handle_timeout(
        world.now,
        |client| *client == in_use.five_tuple,
        |client, _| notified.push(*client),
    );
    assert_eq!((ended, notified), (vec![silent.five_tuple], vec![silent.five_tuple]));
    assert_eq!(world.endpoint.sessions(), 1);
    assert_eq!(world.endpoint.handshakes, 0);
}

/// Unauthenticated requests don't keep a session.
#[test]
fn unauthenticated_messages_do_not_keep_a_session() {
    let mut world = world();
    let mut client = world.connected("192.0.2.10:5000");
    for _ in 0..6 {
        world.now += REVIEW_INTERVAL / 5;
        client.dtls.send_application_data(b"a request").unwrap();
        world.exchange(&mut client);
        world.endpoint.handle_timeout(world.now, |_| false, |_, _| {});
    }
    assert_eq!(world.endpoint.sessions(), 0);
}

#[test]
fn unfinished_handshake_times_out() {
    let mut world = world();
    let mut client = Client::new(&world, "192.0.2.10:5000");
    let first = client.packets().remove(0);
    let challenge = world.handle(&client.five_tuple, &first).1.remove(0);
    client.dtls.handle_packet(&challenge).unwrap();
    let second = client.packets().remove(0);
    let flight = world.handle(&client.five_tuple, &second).1.len();
    assert_eq!((world.endpoint.sessions(), world.endpoint.handshakes), (1, 1));
    let mut retransmitted = 0;
    while let Some(at) = world.endpoint.poll_timeout() {
        world.now = at;
        world.endpoint.handle_timeout(at, |_| true, |_, _| retransmitted += 1);
    }
    assert!((1..=4 * flight).contains(&retransmitted), "{retransmitted} of {flight}");
    assert_eq!((world.endpoint.sessions(), world.endpoint.handshakes), (0, 0));
}

#[test]
fn hello_without_a_common_cipher_suite_gets_an_alert() {
    let mut world = world();
    let mut client = Client::new(&world, "192.0.2.10:5000");
    let mut first = client.packets().remove(0);
    let challenge = world.handle(&client.five_tuple, &first).1.remove(0);
    client.dtls.handle_packet(&challenge).unwrap();
    first = client.packets().remove(0);
    // The cipher suites follow header, version, random, session id and cookie.
    let suites = 13 + 12 + 2 + 32 + 1 + 33;
    let len = usize::from(u16::from_be_bytes([first[suites], first[suites + 1]]));
    first[suites + 2..suites + 2 + len].fill(0);
    let (_, sent) = world.handle(&client.five_tuple, &first);
    assert_eq!((sent[0][0], sent[0][13..].to_vec()), (21, vec![2, 40]));
    assert_eq!((world.endpoint.sessions(), world.endpoint.handshakes), (0, 0));
}

#[test]
fn handshakes_are_limited() {
    let mut world = world();
    for n in 0..MAX_HANDSHAKES + 10 {
        let mut client = Client::new(&world, &format!("10.{}.{}.1:5000", n / 256, n % 256));
        let first = client.packets().remove(0);
        let challenge = world.handle(&client.five_tuple, &first).1.remove(0);
        client.dtls.handle_packet(&challenge).unwrap();
        let second = client.packets().remove(0);
        world.handle(&client.five_tuple, &second);
    }
    assert_eq!(world.endpoint.sessions(), MAX_HANDSHAKES);
    assert_eq!(world.endpoint.counters.refused, 10);
}
