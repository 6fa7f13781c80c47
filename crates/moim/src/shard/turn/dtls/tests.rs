use std::net::SocketAddr;

use dimpl::{Config, Dtls, DtlsCertificate, Output, certificate::generate_self_signed_certificate};
use turn::Transport;

use super::*;

const UNIX: u64 = 1_800_000_000;

/// An endpoint and clients, on a clock of their own.
struct World {
    endpoint: Endpoint,
    now: Instant,
}

struct Client {
    dtls: Dtls,
    path: FiveTuple,
    connected: bool,
    said: Vec<Vec<u8>>,
}

fn certificate() -> DtlsCertificate {
    generate_self_signed_certificate().unwrap()
}

fn world() -> World {
    let now = Instant::now();
    let endpoint = Endpoint::new(CurrentCertificate::of_dtls(certificate()), [7; 32], now).unwrap();
    World { endpoint, now }
}

fn path(client: &str) -> FiveTuple {
    let at = |text: &str| text.parse::<SocketAddr>().unwrap();
    FiveTuple { transport: Transport::Dtls, client: at(client), server: at("203.0.113.1:3478") }
}

impl Client {
    fn new(world: &World, at: &str) -> Self {
        let settings = Arc::new(Config::builder().build().unwrap());
        let mut dtls = Dtls::new_12(settings, certificate(), world.now);
        dtls.set_active(true);
        dtls.handle_timeout(world.now).unwrap();
        Self { dtls, path: path(at), connected: false, said: Vec::new() }
    }

    /// What it has to send.
    fn packets(&mut self) -> Vec<Vec<u8>> {
        let (mut packets, mut scratch) = (Vec::new(), vec![0; 16 * 1024]);
        loop {
            match self.dtls.poll_output(&mut scratch) {
                Output::Packet(packet) => packets.push(packet.to_vec()),
                Output::ApplicationData(message) => self.said.push(message.to_vec()),
                Output::Connected => self.connected = true,
                Output::Timeout(_) => return packets,
                _ => {}
            }
        }
    }
}

impl World {
    /// What a datagram makes the endpoint hear and send.
    fn hand(&mut self, from: &FiveTuple, datagram: &[u8]) -> (Heard, Vec<Vec<u8>>) {
        let (mut heard, mut sent) = (Heard::default(), Vec::new());
        self.endpoint.handle_datagram(self.now, UNIX, from, datagram, &mut heard, |packet| {
            sent.push(packet.to_vec());
        });
        (heard, sent)
    }

    /// Lets packets go to and fro until nobody has any; what the endpoint heard.
    fn settle(&mut self, client: &mut Client) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        loop {
            let packets = client.packets();
            if packets.is_empty() {
                return messages;
            }
            for packet in packets {
                let (heard, sent) = self.hand(&client.path.clone(), &packet);
                messages.extend(heard.messages().map(<[u8]>::to_vec));
                for packet in sent {
                    client.dtls.handle_packet(&packet).unwrap();
                }
            }
        }
    }

    fn connected(&mut self, at: &str) -> Client {
        let mut client = Client::new(self, at);
        self.settle(&mut client);
        assert!(client.connected);
        client
    }
}

#[test]
fn a_client_connects_and_messages_go_both_ways_whole() {
    let mut world = world();
    let mut client = world.connected("192.0.2.10:5000");
    assert_eq!(world.endpoint.sessions(), 1);
    for len in [1, 100, 1172, 1500, 9000] {
        let message = vec![0xAB; len];
        client.dtls.send_application_data(&message).unwrap();
        assert_eq!(world.settle(&mut client), std::slice::from_ref(&message), "{len}");
        let mut sent = Vec::new();
        assert!(world.endpoint.seal(&client.path, &message, |packet| sent.push(packet.to_vec())));
        assert_eq!(sent.len(), 1, "a message is a datagram");
        client.dtls.handle_packet(&sent[0]).unwrap();
        client.packets();
        assert_eq!(client.said.pop(), Some(message));
    }
    assert!(!world.endpoint.seal(&path("192.0.2.11:5000"), b"x", |_| panic!("to whom?")));
}

#[test]
fn nothing_is_kept_before_an_address_is_proven() {
    let mut world = world();
    let hello = Client::new(&world, "192.0.2.10:5000").packets().remove(0);
    for port in 1..2000 {
        for cut in [hello.len(), 35, 13] {
            let from = path(&format!("192.0.2.10:{port}"));
            let (heard, sent) = world.hand(&from, &hello[..cut]);
            assert!(heard.messages().next().is_none());
            assert!(sent.iter().all(|answer| answer.len() < hello.len()));
        }
    }
    assert_eq!(world.endpoint.sessions.capacity(), 0);
    assert_eq!(world.endpoint.poll_timeout(), None);
    assert_eq!(world.endpoint.tally.challenged, 1000, "of one network");
}

#[test]
fn a_panic_of_the_library_ends_one_session_and_is_counted() {
    let mut world = world();
    let victim = world.connected("192.0.2.10:5000");
    let mut bystander = world.connected("192.0.2.11:5000");
    let (heard, _) = world.hand(&victim.path.clone(), crate::faults::DTLS_PANIC);
    assert!(heard.ended && heard.messages().next().is_none());
    assert_eq!((world.endpoint.tally.panicked, world.endpoint.sessions()), (1, 1));
    assert!(!world.endpoint.seal(&victim.path, b"x", |_| panic!("to whom?")));

    bystander.dtls.send_application_data(b"still here").unwrap();
    assert_eq!(world.settle(&mut bystander), [b"still here".to_vec()]);
    world.connected("192.0.2.10:5000");
    assert_eq!(world.endpoint.tally.panicked, 1);
}

#[test]
fn records_of_nobody_known_are_dropped() {
    let mut world = world();
    let mut client = world.connected("192.0.2.10:5000");
    client.dtls.send_application_data(b"hello").unwrap();
    let record = client.packets().remove(0);
    let (heard, sent) = world.hand(&path("192.0.2.66:5000"), &record);
    assert!(heard.messages().next().is_none() && sent.is_empty());
    let (heard, _) = world.hand(&client.path, &record);
    assert_eq!(heard.messages().count(), 1);
    let (heard, _) = world.hand(&client.path, &record);
    assert_eq!(heard.messages().count(), 0, "a record replayed is one too many");
}

#[test]
fn a_session_survives_garbage_and_a_hello_replayed() {
    let mut world = world();
    let mut client = Client::new(&world, "192.0.2.10:5000");
    let mut recorded = Vec::new();
    while !client.connected {
        for packet in client.packets() {
            recorded.push(packet.clone());
            for answer in world.hand(&client.path.clone(), &packet).1 {
                client.dtls.handle_packet(&answer).unwrap();
            }
        }
    }
    for packet in &recorded {
        let (heard, _) = world.hand(&client.path, packet);
        assert!(!heard.ended);
        for bit in 0..packet.len() * 8 {
            let mut damaged = packet.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!world.hand(&client.path, &damaged).0.ended);
        }
    }
    client.dtls.send_application_data(b"still here").unwrap();
    assert_eq!(world.settle(&mut client), [b"still here"]);
}

#[test]
fn a_client_that_has_forgotten_its_session_begins_another() {
    let mut world = world();
    world.connected("192.0.2.10:5000");
    let mut again = Client::new(&world, "192.0.2.10:5000");
    let first = again.packets().remove(0);
    let (heard, challenge) = world.hand(&again.path, &first);
    assert!(!heard.ended, "anybody could have sent that");
    again.dtls.handle_packet(&challenge[0]).unwrap();
    let second = again.packets().remove(0);
    let (heard, flight) = world.hand(&again.path, &second);
    assert!(heard.ended);
    for packet in flight {
        again.dtls.handle_packet(&packet).unwrap();
    }
    world.settle(&mut again);
    assert!(again.connected);
    assert_eq!(world.endpoint.sessions(), 1);
}

#[test]
fn sessions_that_leave_or_have_no_allocation_are_forgotten() {
    let mut world = world();
    let mut leaving = world.connected("192.0.2.10:5000");
    let silent = world.connected("192.0.2.11:5000");
    let stays = world.connected("192.0.2.12:5000");
    leaving.dtls.close().unwrap();
    let goodbye = leaving.packets().remove(0);
    assert!(world.hand(&leaving.path, &goodbye).0.ended);
    assert_eq!(world.endpoint.sessions(), 2);
    world.now += REVIEW;
    let mut told = Vec::new();
    let ended = world.endpoint.handle_timeout(
        world.now,
        |client| *client == stays.path,
        |client, _| told.push(*client),
    );
    assert_eq!((ended, told), (vec![silent.path], vec![silent.path]));
    assert_eq!(world.endpoint.sessions(), 1);
    assert_eq!(world.endpoint.handshakes, 0);
}

/// Requests that prove nothing are no reason to stay.
#[test]
fn a_session_that_drips_messages_without_an_allocation_ends() {
    let mut world = world();
    let mut dripping = world.connected("192.0.2.10:5000");
    for _ in 0..6 {
        world.now += REVIEW / 5;
        dripping.dtls.send_application_data(b"a request").unwrap();
        world.settle(&mut dripping);
        world.endpoint.handle_timeout(world.now, |_| false, |_, _| {});
    }
    assert_eq!(world.endpoint.sessions(), 0);
}

#[test]
fn a_handshake_that_is_not_finished_is_given_up() {
    let mut world = world();
    let mut client = Client::new(&world, "192.0.2.10:5000");
    let first = client.packets().remove(0);
    let challenge = world.hand(&client.path, &first).1.remove(0);
    client.dtls.handle_packet(&challenge).unwrap();
    let second = client.packets().remove(0);
    let flight = world.hand(&client.path, &second).1.len();
    assert_eq!((world.endpoint.sessions(), world.endpoint.handshakes), (1, 1));
    let mut sent_again = 0;
    while let Some(at) = world.endpoint.poll_timeout() {
        world.now = at;
        world.endpoint.handle_timeout(at, |_| true, |_, _| sent_again += 1);
    }
    assert!((1..=4 * flight).contains(&sent_again), "{sent_again} of {flight}");
    assert_eq!((world.endpoint.sessions(), world.endpoint.handshakes), (0, 0));
}

#[test]
fn who_offers_nothing_we_know_is_told_so_and_forgotten() {
    let mut world = world();
    let mut client = Client::new(&world, "192.0.2.10:5000");
    let mut first = client.packets().remove(0);
    let challenge = world.hand(&client.path, &first).1.remove(0);
    client.dtls.handle_packet(&challenge).unwrap();
    first = client.packets().remove(0);
    // Behind header, version, random, session and cookie: the suites.
    let suites = 13 + 12 + 2 + 32 + 1 + 33;
    let len = usize::from(u16::from_be_bytes([first[suites], first[suites + 1]]));
    first[suites + 2..suites + 2 + len].fill(0);
    let (_, sent) = world.hand(&client.path, &first);
    assert_eq!((sent[0][0], sent[0][13..].to_vec()), (21, vec![2, 40]));
    assert_eq!((world.endpoint.sessions(), world.endpoint.handshakes), (0, 0));
}

#[test]
fn handshakes_are_bounded() {
    let mut world = world();
    for n in 0..HANDSHAKES + 10 {
        let mut client = Client::new(&world, &format!("10.{}.{}.1:5000", n / 256, n % 256));
        let first = client.packets().remove(0);
        let challenge = world.hand(&client.path, &first).1.remove(0);
        client.dtls.handle_packet(&challenge).unwrap();
        let second = client.packets().remove(0);
        world.hand(&client.path, &second);
    }
    assert_eq!(world.endpoint.sessions(), HANDSHAKES);
    assert_eq!(world.endpoint.tally.refused, 10);
}
