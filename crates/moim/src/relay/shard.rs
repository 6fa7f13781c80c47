//! The thread that owns the server and its sockets. Everything on it takes turns, so it is shared
//! by `RefCell` and never locked.

use std::{
    cell::RefCell,
    io,
    net::UdpSocket as StdUdpSocket,
    rc::{Rc, Weak},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::{
    net::UdpSocket,
    runtime::Runtime,
    sync::mpsc,
    task::{LocalSet, spawn_local},
    time::{sleep, sleep_until},
};
use turn::{FiveTuple, RelayId, Server, Transport};

use super::{
    command::Command,
    post::Post,
    socket::{Inbox, PortSocket},
};
use crate::port::udp::{Datagram, classify};

/// Datagrams taken from one relayed socket before others have their turn.
const TURN: usize = 32;
/// The pause after a socket fails for no reason of its own.
const PAUSE: Duration = Duration::from_millis(10);

/// The server, what it receives into and what it sends by.
pub(super) struct Shard {
    server: Server,
    inbox: Inbox,
    post: Post,
}

/// Runs the shard on this thread until it is told to stop.
pub(super) fn run(
    runtime: &Runtime,
    sockets: Vec<StdUdpSocket>,
    config: turn::Config,
    mut commands: mpsc::Receiver<Command>,
) {
    let tasks = LocalSet::new();
    let served = tasks.block_on(runtime, serve(sockets, config, &mut commands));
    // With the tasks go the sockets, and only then hears of it who waits for the end.
    drop(tasks);
    drop(commands);
    if let Err(error) = served {
        tracing::error!(%error, "the relay can't run");
    }
}

async fn serve(
    sockets: Vec<StdUdpSocket>,
    config: turn::Config,
    commands: &mut mpsc::Receiver<Command>,
) -> io::Result<()> {
    let ports = sockets.into_iter().map(PortSocket::new).collect::<io::Result<Rc<[_]>>>()?;
    let shard = Rc::new_cyclic(|me: &Weak<RefCell<Shard>>| {
        RefCell::new(Shard {
            server: Server::new(config, Instant::now()),
            inbox: Inbox::new(),
            post: Post::new(Rc::clone(&ports), Weak::clone(me)),
        })
    });
    for index in 0..ports.len() {
        spawn_local(listen(Rc::clone(&shard), Rc::clone(&ports), index));
    }
    spawn_local(expire(Rc::clone(&shard)));
    while let Some(command) = commands.recv().await {
        if let Command::Stop = command {
            break;
        }
        shard.borrow_mut().obey(command);
    }
    let shard = shard.borrow();
    tracing::info!("relay stopped; {:?}; dropped: {}", shard.server.counters(), shard.post.tally);
    Ok(())
}

/// Serves one UDP socket of the port.
async fn listen(shard: Rc<RefCell<Shard>>, ports: Rc<[PortSocket]>, index: usize) {
    let Some(port) = ports.get(index) else { return };
    while port.readable().await.is_ok() {
        let received = shard.borrow_mut().receive(port);
        match received {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                tracing::debug!(%error, "can't receive");
                sleep(PAUSE).await;
            }
            _ => {}
        }
    }
}

/// Reads one relayed socket until its task is ended.
pub(super) async fn pump(shard: Weak<RefCell<Shard>>, relay: RelayId, socket: Rc<UdpSocket>) {
    while socket.readable().await.is_ok() {
        let Some(shard) = shard.upgrade() else { return };
        let received = shard.borrow_mut().receive_relayed(relay, &socket);
        match received {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                tracing::debug!(%error, ?relay, "can't receive");
                sleep(PAUSE).await;
            }
            _ => {}
        }
    }
}

/// Ends allocations in time.
async fn expire(shard: Rc<RefCell<Shard>>) {
    let sooner = Rc::clone(&shard.borrow().post.sooner);
    loop {
        let next = shard.borrow_mut().next_alarm();
        match next {
            Some(at) => tokio::select! {
                () = sleep_until(at.into()) => shard.borrow_mut().handle_timeout(),
                () = sooner.notified() => {}
            },
            None => sooner.notified().await,
        }
    }
}

impl Shard {
    fn receive(&mut self, port: &PortSocket) -> io::Result<()> {
        let count = port.receive(&mut self.inbox)?;
        let (now, unix_now) = (Instant::now(), unix_now());
        let Self { server, inbox, post } = self;
        for (meta, datagram) in inbox.datagrams(count) {
            match classify(datagram) {
                // Without a media server every Binding is for the STUN server.
                Datagram::Binding | Datagram::Turn | Datagram::ChannelData => {
                    let from = FiveTuple {
                        transport: Transport::Udp,
                        client: meta.addr,
                        server: port.reached(meta.dst_ip),
                    };
                    if let Some(forward) = server.handle_client(now, unix_now, &from, datagram) {
                        post.send(&forward);
                    }
                    post.settle(server, now);
                }
                Datagram::Dtls | Datagram::Media => post.tally.media += 1,
                Datagram::Garbage => post.tally.garbage += 1,
            }
        }
        Ok(())
    }

    fn receive_relayed(&mut self, relay: RelayId, socket: &UdpSocket) -> io::Result<()> {
        let now = Instant::now();
        let Self { server, inbox, post } = self;
        for _ in 0..TURN {
            let (len, peer) = socket.try_recv_from(inbox.one())?;
            let datagram = inbox.one().get(..len).unwrap_or_default();
            if let Some(forward) = server.handle_relay(now, relay, peer, datagram) {
                post.send(&forward);
            }
        }
        Ok(())
    }

    fn next_alarm(&mut self) -> Option<Instant> {
        self.post.alarm = self.server.poll_timeout();
        self.post.alarm
    }

    fn handle_timeout(&mut self) {
        let now = Instant::now();
        self.server.handle_timeout(now);
        self.post.settle(&mut self.server, now);
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        let Self { server, post, .. } = self;
        match command {
            Command::Opened(from, client) => {
                post.clients.insert(from, client);
            }
            Command::Message(from, message) => {
                if let Some(forward) = server.handle_client(now, unix_now(), &from, &message) {
                    post.send(&forward);
                }
            }
            // Without its queue the connection ends.
            Command::Silent(from) if !server.has_allocation(&from) => {
                post.clients.remove(&from);
            }
            Command::Silent(_) | Command::Stop => {}
            Command::Gone(from) => {
                post.clients.remove(&from);
                server.handle_client_gone(&from);
            }
        }
        post.settle(server, now);
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
