//! Real shards on loopback sockets, and headless participants. The tests play the rooms.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use headless::{Layer, Participant, Publish, Section};
use sfu::{PeerId, Permissions, RoomId, Source, Subscription};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream, UdpSocket},
    time::{sleep, timeout},
};

use super::super::{
    EventReceiver, EventSender, PeerSetup, Request, RequestKind, RoomCommand, RoomCommandSender,
    SfuEvent, Span, event_channel,
};
use crate::{
    net::{
        inherited::InheritedSockets, interfaces::Interfaces, reach::ReachLog,
        reachable::ReachableAddresses, tcp::Connection,
    },
    shard::{
        Config, Handle, start,
        turn::tests::{Client as TurnClient, Wire as TurnWire, config as turn_config},
    },
};

/// Timeout of every expectation; long, since machines can be busy.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
/// Interval at which participants poll their sockets.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// A running server on a loopback port, and its participants.
pub(super) struct World {
    pub(super) shards: Handle,
    pub(super) room_commands: Arc<[RoomCommandSender]>,
    pub(super) address: SocketAddr,
    pub(super) epoch: Instant,
    pub(super) people: Vec<Person>,
}

/// The transport of a participant.
pub(super) enum Wire {
    Udp(UdpSocket),
    /// ICE-TCP, connected on first use.
    Tcp(TcpStream, Vec<u8>),
    /// Through the TURN service of the same server.
    Relayed(TurnClient),
}

pub(super) struct Person {
    pub(super) peer: PeerId,
    pub(super) room: RoomId,
    pub(super) room_commands: RoomCommandSender,
    pub(super) participant: Participant,
    pub(super) wire: Wire,
    pub(super) events: EventSender,
    pub(super) receiver: EventReceiver,
    pub(super) tracks: HashMap<String, (PeerId, Source)>,
    pub(super) answers: usize,
    pub(super) refused: Vec<(RequestKind, sfu::Rejection)>,
}

pub(super) const CHANNEL: u16 = 0x4000;

pub(super) fn everything() -> Publish {
    Publish { audio: true, video: Layer::single(180, 150_000) }
}

impl World {
    pub(super) async fn new(shards: u8) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (listener, handle) = loop {
            let listener = TcpListener::bind(any).await.unwrap();
            let turn = turn_config();
            let listen = vec![listener.local_addr().unwrap()];
            let reachable = ReachableAddresses::new(&listen, &[], false, Interfaces::read());
            let reach = ReachLog::default();
            let config = Config { listen, shards, turn, reachable, reach, nodes: None };
            if let Ok(started) = start(&config, &mut InheritedSockets::default()) {
                break (listener, started.handle);
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
        let room_commands = handle.room_commands();
        let epoch = Instant::now();
        Self { shards: handle, room_commands, address, epoch, people: Vec::new() }
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
        assert_eq!(client.bind(CHANNEL, self.address).await, None, "the SFU of the same server");
        (Wire::Relayed(client), relayed)
    }

    /// Adds a participant to a room, which sends its first offer.
    pub(super) fn enter(
        &mut self,
        room: u64,
        wire: Wire,
        local: SocketAddr,
        publish: Publish,
    ) -> PeerId {
        let shard = usize::try_from(room).unwrap() % self.room_commands.len();
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
            twcc: true,
        };
        let (events, receiver) = event_channel();
        let mut person = Person {
            peer,
            room: RoomId(room),
            room_commands: self.room_commands[shard].clone(),
            participant: Participant::new(Instant::now(), config),
            wire,
            events,
            receiver,
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

    /// Sends the shards of a room to each shard of `receivers`.
    pub(super) fn set_shards(&self, room: u64, shards: &[u16], receivers: &[usize]) {
        for receiver in receivers {
            let room = RoomId(room);
            let span = Span { shards: shards.to_vec(), remotes: Vec::new(), tells_speakers: true };
            let (events, _) = event_channel();
            self.room_commands[*receiver].send(RoomCommand::SetShards { room, span, events });
        }
    }

    /// Polls all participants until the condition holds.
    pub(super) async fn until(&mut self, what: &str, mut holds: impl FnMut(&[Person]) -> bool) {
        let started = Instant::now();
        while !holds(&self.people) {
            let people: Vec<_> = self.people.iter().map(Person::describe).collect();
            assert!(started.elapsed() < TIMEOUT, "{what}: not within {TIMEOUT:?}; {people:#?}");
            for person in &mut self.people {
                person.poll().await;
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until every participant receives audio and video of all others among `senders`.
    pub(super) async fn until_all_receive_all(&mut self, senders: &[PeerId]) {
        self.until("everyone receives everyone", |people| {
            people.iter().all(|person| {
                let others = senders.iter().filter(|sender| **sender != person.peer);
                others.clone().all(|other| person.receives(*other))
            })
        })
        .await;
    }
}

impl Person {
    pub(super) fn send(&self, request: Request) {
        assert!(self.room_commands.has_room());
        let room = self.room;
        let peer = self.peer;
        self.room_commands.send(RoomCommand::Peer { room, peer, request });
    }

    /// With all permissions.
    pub(super) fn setup(&self) -> PeerSetup {
        PeerSetup { permissions: Permissions::all(), events: self.events.clone() }
    }

    pub(super) fn offer(&mut self) {
        let Some(offer) = self.participant.offer(Instant::now()) else { return };
        let source = |section| match section {
            Section::Audio => Source::Microphone,
            Section::Video => Source::Camera,
        };
        let sections = offer.sections.into_iter().map(|(mid, section)| (mid, source(section)));
        self.send(Request::Publish(sections.collect(), self.setup()));
        self.send(Request::Offer(offer.sdp, self.setup()));
    }

    pub(super) fn receives(&self, other: PeerId) -> bool {
        [Source::Microphone, Source::Camera].iter().all(|source| {
            let mid = self.tracks.iter().find(|(_, track)| **track == (other, *source));
            let reception = mid.and_then(|(mid, _)| self.participant.received().get(mid));
            reception.is_some_and(|reception| {
                reception.frames() >= 5 && reception.publisher().map(u64::from) == Some(other.0)
            })
        })
    }

    pub(super) fn describe(&self) -> String {
        let received: Vec<_> = (self.participant.received().iter())
            .map(|(mid, track)| (mid, self.tracks.get(mid), track.packets(), track.frames()))
            .collect();
        let connected = self.participant.is_connected();
        format!("{:?}: connected {connected}, received {received:?}", self.peer)
    }

    pub(super) async fn poll(&mut self) {
        let now = Instant::now();
        // `timeout` polls the future once even with a zero timeout.
        while let Ok(Some(event)) = timeout(Duration::ZERO, self.receiver.next()).await {
            self.handle_event(now, event);
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

    fn handle_event(&mut self, now: Instant, event: SfuEvent) {
        match event {
            SfuEvent::Answer(peer, sdp) => {
                assert_eq!(peer, self.peer);
                self.answers += 1;
                self.participant.handle_answer(now, &sdp).unwrap();
            }
            SfuEvent::Offer(_, sdp) => {
                let answer = self.participant.handle_offer(now, &sdp).unwrap();
                self.send(Request::Answer(answer));
                // The offers may have crossed: repeats one that was rolled back.
                self.offer();
            }
            SfuEvent::Subscribed(_, tracks) => {
                let track = |track: Subscription| (track.mid, (track.peer, track.source));
                self.tracks = tracks.into_iter().map(track).collect();
            }
            SfuEvent::RequestRefused(_, kind, refused) => self.refused.push((kind, refused)),
            SfuEvent::Speakers(_)
            | SfuEvent::Quality(_)
            | SfuEvent::SubscribedEncodings(..)
            | SfuEvent::Interrupted(..) => {}
        }
    }
}

impl Wire {
    pub(super) async fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        match self {
            Self::Udp(socket) => drop(socket.send_to(bytes, to).await),
            Self::Tcp(stream, _) => {
                let head = u16::try_from(bytes.len()).unwrap().to_be_bytes();
                // Fails once the server has closed the connection.
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
                let (number, data) = turn::channel::read(&bytes[..len]).unwrap();
                assert_eq!(number.value(), CHANNEL);
                Some((socket.peer_addr().unwrap(), data.to_vec()))
            }
        }
    }
}
