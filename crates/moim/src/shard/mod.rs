//! Shards: threads that own the UDP side of the one port.
//!
//! Each has sockets of its own for every address (`SO_REUSEPORT`: the kernel spreads clients over
//! them by their address), its own relay with its own relayed sockets, and its own part of the media
//! server. Nothing on the packet path is shared or locked; what one shard has for another
//! goes in batches over bounded queues ([`link`]). What comes from the main runtime goes through a
//! [`Door`].

pub(crate) mod coalesce;
mod handle;
mod inter_shard;
mod pulse;
pub(crate) mod sfu;
mod thread;
pub(crate) mod turn;
mod waker;
mod wire;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ::turn::siblings::Sibling;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::net::{tcp::Connection, udp};
pub(crate) use handle::{Command, Door};
pub(crate) use pulse::{Health, Pulse};
pub(crate) use thread::{Clock, Tally};
pub(crate) use waker::Bell;
pub(crate) use wire::Wire;

/// What waits for a shard from the main runtime; then who sends waits, too.
const COMMANDS: usize = 1024;

/// How long a shard may take to say how it goes.
const ANSWER: Duration = Duration::from_secs(2);

/// What shards run by.
pub(crate) struct Config {
    /// Where to listen on UDP.
    pub(crate) listen: Vec<SocketAddr>,
    /// How many, from 1 to [`::turn::siblings::MAX_SIBLINGS`].
    pub(crate) shards: u8,
    /// The relay's part.
    pub(crate) relay: turn::Config,
}

/// The way to running shards. Clones lead to the same ones.
#[derive(Clone)]
pub(crate) struct Handle {
    doors: Arc<[Door]>,
    orders: Arc<[sfu::Orders]>,
    health: Health,
    /// Whose turn it is to take a client over TCP.
    turn: Arc<AtomicUsize>,
}

/// What a shard's tenants say of themselves, or the sum of all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    pub(crate) relay: turn::Report,
    pub(crate) media: sfu::Report,
}

/// An address that can't be listened on, and why.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {error}")]
pub(crate) struct NotBound {
    /// The first of those asked for that failed.
    pub(crate) address: SocketAddr,
    /// What the system said.
    #[source]
    pub(crate) error: io::Error,
}

/// How many shards suit this machine: one a core, where the kernel spreads datagrams over sockets.
pub(crate) fn fitting() -> u8 {
    if cfg!(target_os = "linux") {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        u8::try_from(cores).unwrap_or(u8::MAX).min(::turn::siblings::MAX_SIBLINGS)
    } else {
        1
    }
}

/// Takes the UDP sockets and starts the shards.
///
/// # Errors
/// [`NotBound`] names the address that can't be listened on; one with port 0 where it is not about
/// an address but the system gives no thread, events or randomness.
pub(crate) fn start(config: &Config) -> Result<Handle, NotBound> {
    let system = |error| NotBound { address: SocketAddr::from(([0, 0, 0, 0], 0)), error };
    let family = Sibling::family(&config.relay.ports, config.shards);
    // All of them before any is read: from the first datagram on, the kernel knows how many.
    let mut sockets: Vec<Vec<_>> = family.iter().map(|_| Vec::new()).collect();
    let discovery = config.relay.discovery.iter().flat_map(::turn::Discovery::addresses);
    let others = discovery.filter(|address| !config.listen.contains(address));
    for address in config.listen.iter().copied().chain(others) {
        let bound = udp::bind(address, family.len());
        let bound = bound.map_err(|error| NotBound { address, error })?;
        sockets.iter_mut().zip(bound).for_each(|(sockets, socket)| sockets.push(socket));
    }
    let polls = family.iter().map(|_| mio::Poll::new()).collect::<io::Result<Vec<_>>>();
    let polls = polls.map_err(system)?;
    let bells = polls.iter().map(waker::Bell::new).collect::<io::Result<Vec<_>>>();
    let bells: Vec<_> = bells.map_err(system)?.into_iter().map(Arc::new).collect();
    let boxes = inter_shard::boxes(&bells);
    let servers = turn::servers(&config.relay, &family, &config.listen).map_err(system)?;
    let announce = &config.relay.announce;
    let sfus = sfu::parts(family.len(), &config.listen, announce).map_err(system)?;
    let (mut doors, mut orders_to) = (Vec::new(), Vec::new());
    let pulses: Vec<Arc<Pulse>> = family.iter().map(|_| Arc::default()).collect();
    let parts =
        sockets.into_iter().zip(polls).zip(servers).zip(sfus).zip(bells).zip(family).zip(&pulses);
    for ((((((sockets, poll), server), sfu), bell), sibling), pulse) in parts {
        let (sender, commands) = mpsc::channel(COMMANDS);
        let (told, orders) = sfu::orders(Arc::clone(&bell), Arc::clone(pulse));
        orders_to.push(told);
        let links = inter_shard::Links::new(sibling.index(), Arc::clone(&boxes));
        let door = Door::new(sender, bell);
        // Whatever the system may refuse is asked for here, where the operator is told.
        let registry = poll.registry().try_clone();
        let outlets = registry.and_then(|registry| udp::Outlets::new(sockets, registry));
        let own = thread::Own {
            outlets: outlets.map_err(system)?,
            poll,
            server,
            sessions: turn::sessions(&config.relay).map_err(system)?,
            peers: turn::Peers::new(tokio::runtime::Handle::current(), door.clone()),
            sfu,
            orders,
            sibling,
            commands,
            links,
            pulse: Arc::clone(pulse),
        };
        doors.push(door);
        std::thread::Builder::new()
            .name(format!("shard {}", doors.len() - 1))
            .spawn(move || thread::run_or_give_up(own))
            .map_err(system)?;
    }
    pulse::watch(&pulses).map_err(system)?;
    let health = Health(pulses.into());
    Ok(Handle { doors: doors.into(), orders: orders_to.into(), health, turn: Arc::default() })
}

impl Handle {
    /// Serves a TURN client over TCP, or inside TLS, until it leaves or is of no more use.
    pub(crate) async fn serve_turn(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        connection: Connection,
    ) {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        turn::serve_stream(stream, connection, &self.doors, turn).await;
    }

    /// What all shards have done and have.
    pub(crate) async fn report(&self) -> Report {
        let mut sum = Report::default();
        for door in self.doors.iter() {
            let (asker, answer) = oneshot::channel();
            let ask = async {
                // Of a shard that has stopped there is nothing to say.
                let _ = door.send(Command::Report(asker)).await;
                answer.await.unwrap_or_default()
            };
            // Nor of one that does not come round.
            let report = timeout(ANSWER, ask).await.unwrap_or_default();
            sum.relay.add(&report.relay);
            sum.media.add(&report.media);
        }
        sum
    }

    /// Tells each shard's relay something. One that has stopped needs to know nothing.
    pub(crate) async fn tell_relays(&self, command: impl Fn() -> turn::Command) {
        for door in self.doors.iter() {
            let _ = door.send(Command::Relay(command())).await;
        }
    }

    /// Serves a client over ICE-TCP, or inside TLS, likewise.
    pub(crate) async fn serve_ice(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        connection: Connection,
    ) {
        sfu::serve_stream(stream, connection, &self.doors).await;
    }

    /// Whether all shards come round.
    pub(crate) fn health(&self) -> Health {
        self.health.clone()
    }

    /// The way for rooms to each shard's part of the media server.
    pub(crate) fn orders(&self) -> Arc<[sfu::Orders]> {
        Arc::clone(&self.orders)
    }

    /// Stops all shards and with them every client's; returns once their sockets are closed.
    pub(crate) async fn shutdown(&self) {
        for door in self.doors.iter() {
            // A shard that is gone already has stopped.
            let _ = door.send(Command::Stop).await;
        }
        for door in self.doors.iter() {
            door.closed().await;
        }
    }
}
