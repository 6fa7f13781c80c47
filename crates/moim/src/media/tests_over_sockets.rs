//! The media server over real loopback sockets: shards as they run, and participants without a
//! browser. Rooms are played by the tests.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use headless::{Layer, Participant, Publish, Section};
use sfu::{PeerId, RoomId, Source, Subscribed};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream, UdpSocket},
    time::{sleep, timeout},
};

use super::{Asked, Letter, News, Order, Orders, Reader, Request, letters};
use crate::{
    port::Connection,
    relay::{
        self,
        tests::{Client as TurnClient, Wire as TurnWire},
    },
    shard::{self, Handle, start},
};

/// For what should come soon; long, since machines can be busy.
const SOON: Duration = Duration::from_secs(30);
/// How often everybody looks for what has come.
const PACE: Duration = Duration::from_millis(1);

/// A running server, on a loopback port of its own on UDP and TCP, and who is in it.
struct World {
    shards: Handle,
    orders: Arc<[Orders]>,
    address: SocketAddr,
    epoch: Instant,
    people: Vec<Person>,
}

/// How somebody reaches the server.
enum Wire {
    Udp(UdpSocket),
    /// ICE-TCP, connected on first use.
    Tcp(TcpStream, Vec<u8>),
    /// By the server's own relay.
    Relayed(TurnClient),
}

struct Person {
    peer: PeerId,
    room: RoomId,
    orders: Orders,
    participant: Participant,
    wire: Wire,
    news: News,
    reader: Reader,
    tracks: HashMap<String, (PeerId, Source)>,
    answers: usize,
    refused: Vec<(Asked, sfu::Refused)>,
}

const CHANNEL: u16 = 0x4000;

fn everything() -> Publish {
    Publish { voice: true, camera: Layer::single(180, 150_000) }
}

impl World {
    async fn new(shards: u8) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (listener, handle) = loop {
            let listener = TcpListener::bind(any).await.unwrap();
            let relay = relay::tests::config();
            let listen = vec![listener.local_addr().unwrap()];
            if let Ok(started) = start(&shard::Config { listen, shards, relay }) {
                break (listener, started);
            }
        };
        let address = listener.local_addr().unwrap();
        let serving = handle.clone();
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let connection = Connection::new(peer, address, false);
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve_ice(stream, connection).await });
            }
        });
        let orders = handle.orders();
        Self { shards: handle, orders, address, epoch: Instant::now(), people: Vec::new() }
    }

    async fn udp(&self) -> Wire {
        Wire::Udp(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap())
    }

    async fn tcp(&self) -> Wire {
        Wire::Tcp(TcpStream::connect(self.address).await.unwrap(), Vec::new())
    }

    async fn relayed(&self) -> (Wire, SocketAddr) {
        let mut client = TurnClient::udp(self.address).await;
        let relayed = client.allocated().await;
        assert_eq!(client.bind(CHANNEL, self.address).await, None, "our own media server");
        (Wire::Relayed(client), relayed)
    }

    /// Somebody enters a room and offers what it sends.
    fn enter(&mut self, room: u64, wire: Wire, local: SocketAddr, publish: Publish) -> PeerId {
        let shard = usize::try_from(room).unwrap() % self.orders.len();
        self.enter_on(shard, room, wire, local, publish)
    }

    fn enter_on(
        &mut self,
        shard: usize,
        room: u64,
        wire: Wire,
        local: SocketAddr,
        publish: Publish,
    ) -> PeerId {
        let number = u32::try_from(self.people.len()).unwrap();
        let peer = PeerId(u64::from(number));
        let transport = match &wire {
            Wire::Tcp(..) => headless::Transport::Tcp,
            Wire::Udp(_) | Wire::Relayed(_) => headless::Transport::Udp,
        };
        let config =
            headless::Config { local, transport, publish, publisher: number, epoch: self.epoch };
        let (news, reader) = letters();
        let mut person = Person {
            peer,
            room: RoomId(room),
            orders: self.orders[shard].clone(),
            participant: Participant::new(Instant::now(), config),
            wire,
            news,
            reader,
            tracks: HashMap::new(),
            answers: 0,
            refused: Vec::new(),
        };
        person.offer();
        self.people.push(person);
        peer
    }

    async fn enter_by_udp(&mut self, room: u64, publish: Publish) -> PeerId {
        let wire = self.udp().await;
        let Wire::Udp(socket) = &wire else { unreachable!() };
        let local = socket.local_addr().unwrap();
        self.enter(room, wire, local, publish)
    }

    async fn enter_by_tcp(&mut self, room: u64, publish: Publish) -> PeerId {
        let wire = self.tcp().await;
        let Wire::Tcp(stream, _) = &wire else { unreachable!() };
        let local = stream.local_addr().unwrap();
        self.enter(room, wire, local, publish)
    }

    async fn enter_by_relay(&mut self, room: u64, publish: Publish) -> PeerId {
        let (wire, local) = self.relayed().await;
        self.enter(room, wire, local, publish)
    }

    /// Tells a room's shards, and those it was on, which they are now.
    fn span(&self, room: u64, shards: &[u16], told: &[usize]) {
        for shard in told {
            let (room, shards, news) = (RoomId(room), shards.to_vec(), letters().0);
            self.orders[*shard].tell(Order::Span { room, shards, news });
        }
    }

    /// Everybody does what is to be done, until this holds.
    async fn until(&mut self, what: &str, mut holds: impl FnMut(&[Person]) -> bool) {
        let started = Instant::now();
        while !holds(&self.people) {
            let told: Vec<_> = self.people.iter().map(Person::describe).collect();
            assert!(started.elapsed() < SOON, "{what}: not within {SOON:?}; {told:#?}");
            for person in &mut self.people {
                person.go_on().await;
            }
            sleep(PACE).await;
        }
    }

    /// Everybody in a room gets the picture and the sound of each who sends.
    async fn until_all_receive_all(&mut self, senders: &[PeerId]) {
        self.until("everybody receives everybody", |people| {
            people.iter().all(|person| {
                let others = senders.iter().filter(|sender| **sender != person.peer);
                others.clone().all(|other| person.receives(*other))
            })
        })
        .await;
    }
}

impl Person {
    fn tell(&self, request: Request) {
        assert!(self.orders.have_room());
        self.orders.tell(Order::Peer { room: self.room, peer: self.peer, request });
    }

    fn offer(&mut self) {
        let Some(offer) = self.participant.offer(Instant::now()) else { return };
        let source = |section| match section {
            Section::Voice => Source::Microphone,
            Section::Camera => Source::Camera,
        };
        let sections = offer.sections.into_iter().map(|(mid, it)| (mid, source(it)));
        self.tell(Request::Publish(sections.collect(), self.news.clone()));
        self.tell(Request::Offer(offer.sdp, self.news.clone()));
    }

    fn receives(&self, other: PeerId) -> bool {
        [Source::Microphone, Source::Camera].iter().all(|source| {
            let mid = self.tracks.iter().find(|(_, track)| **track == (other, *source));
            let reception = mid.and_then(|(mid, _)| self.participant.received().get(mid));
            reception.is_some_and(|it| {
                it.frames() >= 5 && it.publisher().map(u64::from) == Some(other.0)
            })
        })
    }

    fn describe(&self) -> String {
        let received: Vec<_> = (self.participant.received().iter())
            .map(|(mid, it)| (mid, self.tracks.get(mid), it.packets(), it.frames()))
            .collect();
        let connected = self.participant.is_connected();
        format!("{:?}: connected {connected}, received {received:?}", self.peer)
    }

    async fn go_on(&mut self) {
        let now = Instant::now();
        // The first poll of a future comes before its time is up.
        while let Ok(Some(letter)) = timeout(Duration::ZERO, self.reader.next()).await {
            self.read(now, letter);
        }
        while let Some((from, bytes)) = self.wire.try_receive() {
            self.participant.handle_datagram(now, from, &bytes);
        }
        if self.participant.poll_timeout() <= now {
            self.participant.handle_timeout(now);
        }
        while let Some(transmit) = self.participant.poll_transmit() {
            self.wire.send(transmit.to, &transmit.bytes).await;
        }
    }

    fn read(&mut self, now: Instant, letter: Letter) {
        match letter {
            Letter::Answer(peer, sdp) => {
                assert_eq!(peer, self.peer);
                self.answers += 1;
                self.participant.handle_answer(now, &sdp).unwrap();
            }
            Letter::Offer(_, sdp) => {
                let answer = self.participant.handle_offer(now, &sdp).unwrap();
                self.tell(Request::Answer(answer));
                // What was taken back, as the two crossed.
                self.offer();
            }
            Letter::Subscribed(_, tracks) => {
                let track = |it: Subscribed| (it.mid, (it.peer, it.source));
                self.tracks = tracks.into_iter().map(track).collect();
            }
            Letter::Refused(_, asked, refused) => self.refused.push((asked, refused)),
            Letter::Speakers(_) | Letter::Wanted(..) => {}
        }
    }
}

impl Wire {
    async fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        match self {
            Self::Udp(socket) => drop(socket.send_to(bytes, to).await),
            Self::Tcp(stream, _) => {
                let head = u16::try_from(bytes.len()).unwrap().to_be_bytes();
                // One that the server has closed is of no use, as any socket.
                let _ = stream.write_all(&[&head[..], bytes].concat()).await;
            }
            Self::Relayed(client) => client.channel(CHANNEL, bytes).await,
        }
    }

    fn try_receive(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        let mut bytes = vec![0; 65_536];
        match self {
            Self::Udp(socket) => {
                let (len, from) = socket.try_recv_from(&mut bytes).ok()?;
                bytes.truncate(len);
                Some((from, bytes))
            }
            Self::Tcp(stream, buffer) => {
                if let Ok(len) = stream.try_read(&mut bytes) {
                    buffer.extend_from_slice(&bytes[..len]);
                }
                let head: [u8; 2] = buffer.get(..2)?.try_into().unwrap();
                let length = usize::from(u16::from_be_bytes(head));
                (buffer.len() >= 2 + length).then(|| {
                    let packet = buffer.drain(..2 + length).skip(2).collect();
                    (stream.peer_addr().unwrap(), packet)
                })
            }
            Self::Relayed(client) => {
                let TurnWire::Udp(socket) = &client.wire else { unreachable!() };
                let len = socket.try_recv(&mut bytes).ok()?;
                let (number, data) = turn::channel::read(&bytes[..len]).unwrap();
                assert_eq!(number.value(), CHANNEL);
                Some((socket.peer_addr().unwrap(), data.to_vec()))
            }
        }
    }
}

#[tokio::test]
async fn three_people_see_and_hear_each_other_by_udp() {
    let mut world = World::new(1).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
}

#[tokio::test]
async fn udp_ice_tcp_and_our_own_relay_meet_in_one_room() {
    let mut world = World::new(1).await;
    let all = vec![
        world.enter_by_udp(0, everything()).await,
        world.enter_by_tcp(0, everything()).await,
        world.enter_by_relay(0, everything()).await,
    ];
    world.until_all_receive_all(&all).await;
}

/// The kernel chooses a socket by the client's address, so that of several some reach a shard on
/// which they don't live.
#[tokio::test]
async fn a_peer_lives_on_its_rooms_shard_wherever_its_packets_arrive() {
    let mut world = World::new(3).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(world.enter_by_udp(1, everything()).await);
    }
    all.push(world.enter_by_relay(1, everything()).await);
    world.until_all_receive_all(&all).await;
}

#[tokio::test]
async fn a_room_may_span_shards_and_leave_them() {
    let mut world = World::new(3).await;
    let mut all = Vec::new();
    for shard in [0, 1, 2, 0, 1] {
        let wire = world.udp().await;
        let Wire::Udp(socket) = &wire else { unreachable!() };
        let local = socket.local_addr().unwrap();
        all.push(world.enter_on(shard, 0, wire, local, everything()));
        let shards: &[u16] = &[0, 1, 2][..all.len().min(3)];
        world.span(0, shards, &[0, 1, 2][..shards.len()]);
    }
    world.until_all_receive_all(&all).await;
    let relayed = world.shards.report().await.media.tally.relayed;
    assert!(relayed > 0, "{relayed}");
    let gone = world.people.remove(2);
    gone.tell(Request::Leave);
    world.span(0, &[0, 1], &[0, 1, 2]);
    world
        .until("nobody is shown who left", |people| {
            people.iter().all(|it| it.tracks.values().all(|(peer, _)| *peer != gone.peer))
        })
        .await;
    for person in world.people.drain(..) {
        person.tell(Request::Leave);
    }
    world.span(0, &[], &[0, 1]);
    let media = timeout(SOON, async {
        loop {
            let media = world.shards.report().await.media;
            if media.kept == 0 {
                break media;
            }
            sleep(PACE).await;
        }
    });
    assert_eq!(media.await.expect("nothing is kept").rooms, 0);
}

#[tokio::test]
async fn rooms_do_not_hear_each_other() {
    let mut world = World::new(2).await;
    let mut rooms: Vec<Vec<PeerId>> = Vec::new();
    for room in 0..3 {
        let ann = world.enter_by_udp(room, everything()).await;
        let ben = world.enter_by_udp(room, everything()).await;
        rooms.push(vec![ann, ben]);
    }
    world
        .until("both of each room receive each other", |people| {
            rooms.iter().all(|room| {
                let find = |peer: PeerId| people.iter().find(|it| it.peer == peer).unwrap();
                find(room[0]).receives(room[1]) && find(room[1]).receives(room[0])
            })
        })
        .await;
    for person in &world.people {
        let room = &rooms[usize::try_from(person.room.0).unwrap()];
        assert!(person.tracks.values().all(|(peer, _)| room.contains(peer)));
        assert_eq!(person.tracks.len(), 2);
    }
}

#[tokio::test]
async fn who_leaves_is_gone_from_all_sections() {
    let mut world = World::new(1).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
    let gone = world.people.remove(0);
    gone.tell(Request::Leave);
    world
        .until("nobody is shown who left", |people| {
            people.iter().all(|it| it.tracks.values().all(|(peer, _)| *peer != gone.peer))
        })
        .await;
}

#[tokio::test]
async fn who_comes_anew_replaces_the_link_that_it_had() {
    let mut world = World::new(1).await;
    let ann = world.enter_by_udp(0, everything()).await;
    let ben = world.enter_by_udp(0, everything()).await;
    world.until_all_receive_all(&[ann, ben]).await;
    // The page was loaded again: another connection, another address, the same participant.
    let wire = world.udp().await;
    let Wire::Udp(socket) = &wire else { unreachable!() };
    let local = socket.local_addr().unwrap();
    let (transport, epoch) = (headless::Transport::Udp, world.epoch);
    let config = headless::Config { local, transport, publish: everything(), publisher: 7, epoch };
    let old = world.people.remove(0);
    let mut fresh = Person { participant: Participant::new(Instant::now(), config), wire, ..old };
    fresh.tracks.clear();
    fresh.offer();
    world.people.insert(0, fresh);
    world
        .until("each receives the other, and Ben the newer Ann", |people| {
            let newer = |it: &headless::Reception| it.publisher() == Some(7);
            let seen = people[1].participant.received().values().filter(|it| newer(it)).count();
            people[0].receives(ben) && seen == 2
        })
        .await;
}

#[tokio::test]
async fn who_offers_what_cannot_be_taken_is_told_and_loses_nothing() {
    let mut world = World::new(1).await;
    let ann = world.enter_by_udp(0, everything()).await;
    let ben = world.enter_by_udp(0, everything()).await;
    world.until_all_receive_all(&[ann, ben]).await;
    let person = &world.people[0];
    let twice = vec![("0".to_owned(), Source::Camera), ("1".to_owned(), Source::Camera)];
    // One that comes late is nothing to be told of.
    person.tell(Request::Answer("v=0".into()));
    person.tell(Request::Publish(twice, person.news.clone()));
    person.tell(Request::Offer("v=0\r\nrubbish".into(), person.news.clone()));
    world.until("Ann is told of both", |people| people[0].refused.len() >= 2).await;
    assert!(
        matches!(
            &*world.people[0].refused,
            [
                (Asked::Publish, sfu::Refused::DuplicateSource(Source::Camera)),
                (Asked::Offer, sfu::Refused::BadSdp(_)),
            ]
        ),
        "{:?}",
        world.people[0].refused
    );
    let frames = |person: &Person| -> u64 {
        person.participant.received().values().map(headless::Reception::frames).sum()
    };
    let before: Vec<u64> = world.people.iter().map(frames).collect();
    world
        .until("both still receive", |people| {
            people.iter().zip(&before).all(|(person, before)| frames(person) > before + 10)
        })
        .await;
    assert!(world.people[1].refused.is_empty());
}

#[tokio::test]
async fn media_and_dtls_from_an_address_no_check_has_proven_come_to_nothing() {
    let mut world = World::new(2).await;
    let ann = world.enter_by_udp(0, everything()).await;
    let ben = world.enter_by_udp(0, everything()).await;
    world.until_all_receive_all(&[ann, ben]).await;
    // What Ann sends now, somebody else repeats from an address of their own; and says hello.
    let eve = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    for round in 0..200u32 {
        let person = &mut world.people[0];
        let now = Instant::now();
        person.participant.handle_timeout(now);
        while let Some(transmit) = person.participant.poll_transmit() {
            // A check could be repeated by whoever hears it, and prove nothing but its way.
            if transmit.bytes[0] >= 20 {
                eve.send_to(&transmit.bytes, world.address).await.unwrap();
            }
            // As she would who can say that it comes from Ann.
            person.wire.send(transmit.to, &transmit.bytes).await;
            person.wire.send(transmit.to, &transmit.bytes).await;
        }
        let mut hello = vec![22, 254, 253, 0, 0];
        hello.resize(200, u8::try_from(round % 256).unwrap());
        eve.send_to(&hello, world.address).await.unwrap();
        world.people[1].go_on().await;
        sleep(PACE).await;
    }
    let reception = |world: &World| -> u64 {
        world.people[1].participant.received().values().map(headless::Reception::frames).sum()
    };
    let before = reception(&world);
    world
        .until("the call goes on", |people| {
            let now: u64 =
                people[1].participant.received().values().map(headless::Reception::frames).sum();
            now > before + 10
        })
        .await;
    let mut answer = [0; 2048];
    assert!(eve.try_recv(&mut answer).is_err(), "no DTLS, no RTCP, nothing");
    let media = world.shards.report().await.media;
    assert!(media.tally.unproven > 0 && media.dropped.replayed > 0, "{media:?}");
}

#[tokio::test]
async fn a_check_for_nobody_is_answered_as_by_any_stun_server() {
    let world = World::new(2).await;
    let mut client = TurnClient::udp(world.address).await;
    let response = client.request(turn::stun::Method::BINDING, |request| {
        request.attribute(turn::stun::attribute::USERNAME, b"m0000abcdefghijkm:theirs");
    });
    let response = response.await;
    assert_eq!(
        response.address(turn::stun::attribute::XOR_MAPPED_ADDRESS),
        client.local(),
        "a fragment of our form that names nobody here"
    );
}

#[tokio::test]
async fn what_is_no_check_over_tcp_is_closed() {
    let world = World::new(1).await;
    for first in [&b"\0\x04rubb"[..], &[0, 0, 0, 0, 0, 1, 9]] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(first).await.unwrap();
        let mut rest = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
        // A reset is an end, too.
        let _ = timeout(SOON, read).await.expect("closed");
        assert!(rest.is_empty());
    }
}

#[tokio::test]
async fn when_the_server_stops_links_end_at_once() {
    let mut world = World::new(2).await;
    let mut all = Vec::new();
    for _ in 0..2 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
    world.shards.shutdown().await;
    world.until("all know", |people| people.iter().all(|it| !it.participant.is_connected())).await;
}
