//! Links on this node of participants whose rooms run on others.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use hyper::body::Incoming;
use parking_lot::Mutex;
use sfu::{PeerId, Rejection, RoomId};
use tokio::{sync::oneshot, time::timeout};

use super::wire::{Command, Hello, Order, RemoteSfuEvent};
use crate::{
    cluster::{Frame, Frames},
    shard::sfu::{EventReceiver, EventSender, RoomCommand, RoomCommandSender, Span, event_channel},
};

/// Rooms of other nodes.
const MAX_ROOMS: usize = 65_536;
/// Time for the first message of a stream.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for another owner to adopt the links of a room whose stream has broken: as long as its
/// participants may resume.
const GRACE: Duration = Duration::from_secs(30);
/// Time for shards to learn where events of a room go from now on: until then they are dropped, since
/// a shard ends a link whose events can't be sent.
const DRAIN: Duration = Duration::from_secs(1);
/// Frames that wait for the stream.
const QUEUE: usize = 16;

/// Rooms of other nodes with links here.
#[derive(Debug)]
pub(in crate::signaling) struct MediaHost {
    shards: Arc<[RoomCommandSender]>,
    /// Locked while shards are sent what follows from a change, so that they learn of changes in their
    /// order.
    rooms: Mutex<Rooms>,
}

#[derive(Debug, Default)]
struct Rooms {
    hosted: HashMap<RoomId, Hosted>,
    /// Rooms that this node took from others, and from which order on: a former owner may wake.
    own: HashMap<RoomId, Order>,
}

#[derive(Debug)]
struct Hosted {
    order: Order,
    /// Ends what an earlier stream left.
    _replace: oneshot::Sender<()>,
}

/// The end of a stream.
enum End {
    /// The room has ended, or has no links here any more.
    Closed,
    /// The connection or the room's node is gone.
    Lost,
    /// There is a newer stream.
    Replaced,
}

impl MediaHost {
    pub(in crate::signaling) fn new(shards: Arc<[RoomCommandSender]>) -> Self {
        Self { shards, rooms: Mutex::default() }
    }

    /// Number of rooms of other nodes.
    pub(in crate::signaling) fn rooms(&self) -> usize {
        self.rooms.lock().hosted.len()
    }

    /// Accepts a stream of a room's node.
    pub(in crate::signaling) fn accept(self: &Arc<Self>, body: Incoming) -> Response<Body> {
        if self.rooms.lock().hosted.len() >= MAX_ROOMS {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return response;
        }
        let (sender, answer) = Channel::new(QUEUE);
        let host = Arc::clone(self);
        // The other node sends only after the answer.
        tokio::spawn(async move { host.serve(Frames::new(body), sender).await });
        Response::new(Body::new(answer))
    }

    async fn serve(&self, mut frames: Frames, sender: Sender<Bytes>) {
        let hello = timeout(HELLO_TIMEOUT, frames.next()).await;
        let Some(hello) = hello.ok().flatten().as_ref().and_then(Hello::parse) else { return };
        let (room, order) = (hello.room(), hello.order);
        for shard in self.shards.iter() {
            shard.until_room().await;
        }
        let (events, receiver) = event_channel();
        let Some(replaced) = self.begin(room, order, &hello.peers, &events) else { return };
        let mut stream = Hosting { room, events, receiver, replaced };
        match stream.run(&self.shards, frames, sender).await {
            End::Closed => self.end(&stream, order),
            End::Replaced => drain(stream.receiver).await,
            End::Lost => self.hold(stream, order).await,
        }
    }

    /// Keeps links of a room for a while, which this node owned until now, for its next owner.
    pub(in crate::signaling) fn keep(
        self: &Arc<Self>,
        room: RoomId,
        order: Order,
        channel: (EventSender, EventReceiver),
    ) {
        let (events, receiver) = channel;
        let replaced = {
            let mut rooms = self.rooms.lock();
            rooms.forget(room, order);
            rooms.begin(room, order)
        };
        let host = Arc::clone(self);
        tokio::spawn(async move {
            match replaced {
                Some(replaced) => {
                    host.hold(Hosting { room, events, receiver, replaced }, order).await;
                }
                // The next owner was faster.
                None => drain(receiver).await,
            }
        });
    }

    /// Gives links of a room to this node, which owns it from this order on.
    pub(in crate::signaling) fn take_back(
        &self,
        room: RoomId,
        order: Order,
        peers: &[(u8, PeerId)],
        events: &EventSender,
    ) {
        let mut rooms = self.rooms.lock();
        rooms.hosted.remove(&room);
        rooms.own.insert(room, order);
        self.adopt(room, peers, events);
    }

    /// This node has a room no longer.
    pub(in crate::signaling) fn forget(&self, room: RoomId, order: Order) {
        self.rooms.lock().forget(room, order);
    }

    /// Registers a stream and has the shards follow it, unless there is a newer one, or too many. The
    /// receiver fails when it is replaced.
    fn begin(
        &self,
        room: RoomId,
        order: Order,
        peers: &[(u8, PeerId)],
        events: &EventSender,
    ) -> Option<oneshot::Receiver<()>> {
        let mut rooms = self.rooms.lock();
        let replaced = rooms.begin(room, order)?;
        self.adopt(room, peers, events);
        Some(replaced)
    }

    /// Has all shards send events of a room elsewhere, and remove peers that it does not know.
    fn adopt(&self, room: RoomId, peers: &[(u8, PeerId)], events: &EventSender) {
        let mut of_shards = BTreeMap::<usize, Vec<PeerId>>::new();
        for (shard, peer) in peers {
            of_shards.entry(usize::from(*shard)).or_default().push(*peer);
        }
        for (index, shard) in self.shards.iter().enumerate() {
            let peers = of_shards.remove(&index).unwrap_or_default();
            shard.send(RoomCommand::Adopt { room, peers, events: events.clone() });
        }
    }

    /// Waits for another stream to adopt the links; else removes them.
    async fn hold(&self, mut stream: Hosting, order: Order) {
        let (receiver, replaced) = (&mut stream.receiver, &mut stream.replaced);
        // Nobody needs these events: participants get new ones when they resume.
        let discard = async { while receiver.next().await.is_some() {} };
        let is_replaced = tokio::select! {
            _ = replaced => true,
            _ = timeout(GRACE, discard) => false,
        };
        if is_replaced {
            drain(stream.receiver).await;
        } else {
            self.end(&stream, order);
        }
    }

    /// Removes the links of a room.
    fn end(&self, stream: &Hosting, order: Order) {
        let Hosting { room, events, .. } = stream;
        let mut rooms = self.rooms.lock();
        if rooms.hosted.get(room).is_none_or(|hosted| hosted.order != order) {
            return;
        }
        rooms.hosted.remove(room);
        self.adopt(*room, &[], events);
        for shard in self.shards.iter() {
            let (room, span) = (*room, Span::default());
            shard.send(RoomCommand::SetShards { room, span, events: events.clone() });
        }
    }
}

impl Rooms {
    /// Registers a stream, unless there is a newer one, or too many.
    fn begin(&mut self, room: RoomId, order: Order) -> Option<oneshot::Receiver<()>> {
        let is_old = |known: &Order| *known >= order;
        if self.own.get(&room).is_some_and(is_old) {
            return None;
        }
        let (replace, replaced) = oneshot::channel();
        let hosted = Hosted { order, _replace: replace };
        let is_full = self.hosted.len() >= MAX_ROOMS;
        match self.hosted.entry(room) {
            Entry::Occupied(entry) if is_old(&entry.get().order) => return None,
            Entry::Occupied(mut entry) => drop(entry.insert(hosted)),
            Entry::Vacant(_) if is_full => return None,
            Entry::Vacant(entry) => drop(entry.insert(hosted)),
        }
        self.own.remove(&room);
        Some(replaced)
    }

    /// Forgets an own room, unless it was taken back in between.
    fn forget(&mut self, room: RoomId, order: Order) {
        if self.own.get(&room).is_some_and(|own| *own <= order) {
            self.own.remove(&room);
        }
    }
}

/// Drops events for a while.
async fn drain(mut receiver: EventReceiver) {
    let _ = timeout(DRAIN, async { while receiver.next().await.is_some() {} }).await;
}

/// A room of another node.
struct Hosting {
    room: RoomId,
    events: EventSender,
    receiver: EventReceiver,
    replaced: oneshot::Receiver<()>,
}

impl Hosting {
    /// Passes commands to the shards, and events to the room.
    async fn run(
        &mut self,
        shards: &[RoomCommandSender],
        mut frames: Frames,
        mut sender: Sender<Bytes>,
    ) -> End {
        let Self { room, events, receiver, replaced } = self;
        let read = async {
            loop {
                match frames.next().await {
                    Some(Frame::Event(bytes)) => {
                        // From a later version, or broken.
                        let Some(command) = Command::parse(&bytes) else { continue };
                        let Some(shard) = shards.get(usize::from(command.shard)) else { continue };
                        handle(shard, command.into_command(*room, events), events).await;
                    }
                    Some(Frame::Gone(_)) => return End::Closed,
                    Some(_) => {}
                    None => return End::Lost,
                }
            }
        };
        let write = async {
            while let Some(event) = receiver.next().await {
                if sender.send_data(RemoteSfuEvent::from(event).frame()).await.is_err() {
                    break;
                }
            }
            End::Lost
        };
        tokio::select! {
            _ = replaced => End::Replaced,
            end = read => end,
            end = write => end,
        }
    }
}

/// Passes a command to its shard. A request that finds no room is refused; what can't be refused
/// waits, and the rest of the stream behind it.
async fn handle(shard: &RoomCommandSender, command: RoomCommand, events: &EventSender) {
    match command.refusal(Rejection::Full).filter(|_| !shard.has_room()) {
        Some(refusal) => events.deliver(refusal).await,
        None => {
            shard.until_room().await;
            shard.send(command);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::{
        Waker,
        sfu::{Request, RoomCommandReceiver, SfuEvent, room_commands},
    };

    /// A host of one shard, with its commands.
    fn host() -> (Arc<MediaHost>, RoomCommandReceiver) {
        let poll = mio::Poll::new().unwrap();
        let waker = Arc::new(Waker::new(&poll).unwrap());
        let (shard, commands) = room_commands(waker, Arc::default());
        (Arc::new(MediaHost::new([shard].into())), commands)
    }

    fn count(commands: &mut RoomCommandReceiver) -> usize {
        std::iter::from_fn(|| commands.try_next()).count()
    }

    #[test]
    fn node_that_took_a_room_takes_no_orders_from_a_former_owner() {
        let (host, mut commands) = host();
        let (events, _receiver) = event_channel();
        let (room, own) = (RoomId(1), Order(20, 0));
        let begin = |order| host.begin(room, order, &[], &events);
        let former = begin(Order(10, 3)).unwrap();
        host.take_back(room, own, &[], &events);
        drop(former);
        assert_eq!((host.rooms(), count(&mut commands)), (0, 2));
        assert!(begin(Order(10, 4)).is_none());
        assert_eq!(count(&mut commands), 0);
        // The room's former port ends late.
        host.forget(room, Order(10, 7));
        assert!(begin(Order(10, 5)).is_none());
        let _next = begin(Order(30, 0)).unwrap();
        assert!(begin(Order(20, 1)).is_none());
        host.take_back(room, Order(40, 0), &[], &events);
        host.forget(room, Order(40, 7));
        assert!(begin(Order(10, 6)).is_some(), "the room has ended");
    }

    #[tokio::test]
    async fn stream_that_was_replaced_ends_nothing() {
        let (host, mut commands) = host();
        let (events, receiver) = event_channel();
        let room = RoomId(1);
        let replaced = host.begin(room, Order(1, 1), &[], &events).unwrap();
        let _next = host.begin(room, Order(1, 2), &[], &events).unwrap();
        assert_eq!(count(&mut commands), 2);
        host.end(&Hosting { room, events, receiver, replaced }, Order(1, 1));
        assert_eq!((host.rooms(), count(&mut commands)), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn shards_may_send_events_of_a_replaced_stream_for_a_moment() {
        let (host, _commands) = host();
        let (events, receiver) = event_channel();
        let room = RoomId(1);
        host.keep(room, Order(1, 1), (events.clone(), receiver));
        let (next, _receiver) = event_channel();
        let _next = host.begin(room, Order(2, 1), &[], &next).unwrap();
        tokio::time::sleep(DRAIN / 2).await;
        assert!(!events.is_closed());
        tokio::time::sleep(DRAIN).await;
        assert!(events.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn flood_of_commands_waits_for_a_stuck_shard() {
        let poll = mio::Poll::new().unwrap();
        let waker = Arc::new(Waker::new(&poll).unwrap());
        let (shard, mut commands) = room_commands(waker, Arc::default());
        let (events, mut receiver) = event_channel();
        let command = |request| RoomCommand::Peer { room: RoomId(1), peer: PeerId(2), request };
        let flood = async {
            for _ in 0..100_000 {
                handle(&shard, command(Request::Leave), &events).await;
            }
        };
        assert!(timeout(GRACE, flood).await.is_err(), "it waits");
        // A request is refused at once.
        handle(&shard, command(Request::Answer("v=0".into())), &events).await;
        let refusal = receiver.next().await;
        assert!(matches!(refusal, Some(SfuEvent::RequestRefused(PeerId(2), ..))), "{refusal:?}");
        assert!(commands.try_next().is_some());
        handle(&shard, command(Request::Leave), &events).await;
        let waiting = std::iter::from_fn(|| commands.try_next()).count();
        assert!(waiting <= 4096, "{waiting} commands wait");
    }
}
