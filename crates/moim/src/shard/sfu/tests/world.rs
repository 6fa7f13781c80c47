//! Shards as they run, on real loopback sockets, and participants without a browser. Rooms are played by
//! the tests.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use headless::{Layer, Participant, Publish, Section};
use sfu::{PeerId, RoomId, Source, Subscription};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream, UdpSocket},
    time::{sleep, timeout},
};

use super::super::{Asked, Letter, News, Order, Orders, Reader, Request, letters};
use crate::{
    net::tcp::Connection,
    shard::{
        self, Handle, start,
        turn::{
            self,
            tests::{Client as TurnClient, Wire as TurnWire},
        },
    },
};

/// For what should come soon; long, since machines can be busy.
pub(super) const SOON: Duration = Duration::from_secs(30);
/// How often everybody looks for what has come.
pub(super) const PACE: Duration = Duration::from_millis(1);

/// A running server, on a loopback port of its own on UDP and TCP, and who is in it.
pub(super) struct World {
    pub(super) shards: Handle,
    pub(super) orders: Arc<[Orders]>,
    pub(super) address: SocketAddr,
    pub(super) epoch: Instant,
    pub(super) people: Vec<Person>,
}

/// How somebody reaches the server.
pub(super) enum Wire {
    Udp(UdpSocket),
    /// ICE-TCP, connected on first use.
    Tcp(TcpStream, Vec<u8>),
    /// By the server's own relay.
    Relayed(TurnClient),
}

pub(super) struct Person {
    pub(super) peer: PeerId,
    pub(super) room: RoomId,
    pub(super) orders: Orders,
    pub(super) participant: Participant,
    pub(super) wire: Wire,
    pub(super) news: News,
    pub(super) reader: Reader,
    pub(super) tracks: HashMap<String, (PeerId, Source)>,
    pub(super) answers: usize,
    pub(super) refused: Vec<(Asked, sfu::Rejection)>,
}

pub(super) const CHANNEL: u16 = 0x4000;

pub(super) fn everything() -> Publish {
    Publish { voice: true, camera: Layer::single(180, 150_000) }
}

impl World {
    pub(super) async fn new(shards: u8) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (listener, handle) = loop {
            let listener = TcpListener::bind(any).await.unwrap();
            let relay = turn::tests::config();
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

    pub(super) async fn udp(&self) -> Wire {
        Wire::Udp(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap())
    }

    pub(super) async fn tcp(&self) -> Wire {
        Wire::Tcp(TcpStream::connect(self.address).await.unwrap(), Vec::new())
    }

    pub(super) async fn relayed(&self) -> (Wire, SocketAddr) {
        let mut client = TurnClient::udp(self.address).await;
        let relayed = client.allocated().await;
        assert_eq!(client.bind(CHANNEL, self.address).await, None, "our own media server");
        (Wire::Relayed(client), relayed)
    }

    /// Somebody enters a room and offers what it sends.
    pub(super) fn enter(
        &mut self,
        room: u64,
        wire: Wire,
        local: SocketAddr,
        publish: Publish,
    ) -> PeerId {
        let shard = usize::try_from(room).unwrap() % self.orders.len();
        self.enter_on(shard, room, wire, local, publish)
    }

    pub(super) fn enter_on(
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
        let config = headless::Config {
            local,
            transport,
            publish,
            publisher: number,
            epoch: self.epoch,
            reports: true,
        };
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

    pub(super) async fn enter_by_udp(&mut self, room: u64, publish: Publish) -> PeerId {
        let wire = self.udp().await;
        let Wire::Udp(socket) = &wire else { unreachable!() };
        let local = socket.local_addr().unwrap();
        self.enter(room, wire, local, publish)
    }

    pub(super) async fn enter_by_tcp(&mut self, room: u64, publish: Publish) -> PeerId {
        let wire = self.tcp().await;
        let Wire::Tcp(stream, _) = &wire else { unreachable!() };
        let local = stream.local_addr().unwrap();
        self.enter(room, wire, local, publish)
    }

    pub(super) async fn enter_by_relay(&mut self, room: u64, publish: Publish) -> PeerId {
        let (wire, local) = self.relayed().await;
        self.enter(room, wire, local, publish)
    }

    /// Tells a room's shards, and those it was on, which they are now.
    pub(super) fn span(&self, room: u64, shards: &[u16], told: &[usize]) {
        for shard in told {
            let (room, shards, news) = (RoomId(room), shards.to_vec(), letters().0);
            self.orders[*shard].tell(Order::Span { room, shards, news });
        }
    }

    /// Everybody does what is to be done, until this holds.
    pub(super) async fn until(&mut self, what: &str, mut holds: impl FnMut(&[Person]) -> bool) {
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
    pub(super) async fn until_all_receive_all(&mut self, senders: &[PeerId]) {
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
    pub(super) fn tell(&self, request: Request) {
        assert!(self.orders.have_room());
        self.orders.tell(Order::Peer { room: self.room, peer: self.peer, request });
    }

    pub(super) fn offer(&mut self) {
        let Some(offer) = self.participant.offer(Instant::now()) else { return };
        let source = |section| match section {
            Section::Voice => Source::Microphone,
            Section::Camera => Source::Camera,
        };
        let sections = offer.sections.into_iter().map(|(mid, it)| (mid, source(it)));
        self.tell(Request::Publish(sections.collect(), self.news.clone()));
        self.tell(Request::Offer(offer.sdp, self.news.clone()));
    }

    pub(super) fn receives(&self, other: PeerId) -> bool {
        [Source::Microphone, Source::Camera].iter().all(|source| {
            let mid = self.tracks.iter().find(|(_, track)| **track == (other, *source));
            let reception = mid.and_then(|(mid, _)| self.participant.received().get(mid));
            reception.is_some_and(|it| {
                it.frames() >= 5 && it.publisher().map(u64::from) == Some(other.0)
            })
        })
    }

    pub(super) fn describe(&self) -> String {
        let received: Vec<_> = (self.participant.received().iter())
            .map(|(mid, it)| (mid, self.tracks.get(mid), it.packets(), it.frames()))
            .collect();
        let connected = self.participant.is_connected();
        format!("{:?}: connected {connected}, received {received:?}", self.peer)
    }

    pub(super) async fn go_on(&mut self) {
        let now = Instant::now();
        // The first poll of a future comes before its time is up.
        while let Ok(Some(letter)) = timeout(Duration::ZERO, self.reader.next()).await {
            self.read(now, letter);
        }
        while let Some((from, bytes)) = self.wire.try_receive() {
            self.participant.handle_datagram(now, now, from, &bytes);
        }
        if self.participant.poll_timeout() <= now {
            self.participant.handle_timeout(now);
        }
        while let Some(transmit) = self.participant.poll_transmit() {
            self.wire.send(transmit.to, &transmit.bytes).await;
        }
    }

    pub(super) fn read(&mut self, now: Instant, letter: Letter) {
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
                let track = |it: Subscription| (it.mid, (it.peer, it.source));
                self.tracks = tracks.into_iter().map(track).collect();
            }
            Letter::Refused(_, asked, refused) => self.refused.push((asked, refused)),
            Letter::Speakers(_) | Letter::Wanted(..) | Letter::Interrupted(..) => {}
        }
    }
}

impl Wire {
    pub(super) async fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
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

    pub(super) fn try_receive(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
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
                let (number, data) = ::turn::channel::read(&bytes[..len]).unwrap();
                assert_eq!(number.value(), CHANNEL);
                Some((socket.peer_addr().unwrap(), data.to_vec()))
            }
        }
    }
}
