//! The relay: STUN and TURN on the one port, driven on a thread of its own.
//!
//! The thread (a shard) owns the UDP sockets of the port, all relayed sockets and the one
//! [`turn::Server`]; nothing on the packet path is locked. TURN clients over TCP and TLS live on the
//! main runtime and exchange whole messages with the shard over bounded queues.

mod client;
mod command;
mod post;
mod shard;
mod socket;
mod stream;
mod tally;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    thread,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
};

use crate::port::Connection;
use command::Command;

/// Messages of all TCP clients that may wait for the shard; then their connections wait.
const COMMANDS: usize = 1024;

/// What a relay runs by.
pub(crate) struct Config {
    /// Where to listen on UDP.
    pub(crate) listen: Vec<SocketAddr>,
    /// The HMAC secret of REST credentials.
    pub(crate) secret: Vec<u8>,
    /// Ranges that may be relayed to although the default list denies them.
    pub(crate) allow: Vec<turn::Cidr>,
    /// Addresses told to clients in place of this machine's own, at most one of each family.
    pub(crate) announce: Vec<IpAddr>,
}

/// The way to a running relay. Clones lead to the same one.
#[derive(Clone)]
pub(crate) struct Handle {
    commands: mpsc::Sender<Command>,
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

/// Takes the UDP sockets and starts the shard.
///
/// # Errors
/// [`NotBound`] names the address that can't be listened on; one with port 0 where it is not about
/// an address but the system gives no thread, timers or randomness.
pub(crate) fn start(config: Config) -> Result<Handle, NotBound> {
    let mut sockets = Vec::new();
    for &address in &config.listen {
        sockets.push(socket::bind(address).map_err(|error| NotBound { address, error })?);
    }
    let system = |error| NotBound { address: SocketAddr::from(([0, 0, 0, 0], 0)), error };
    let server = server_config(config).map_err(system)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(system)?;
    let (commands, inbox) = mpsc::channel(COMMANDS);
    thread::Builder::new()
        .name("relay".into())
        .spawn(move || shard::run(&runtime, sockets, server, inbox))
        .map_err(system)?;
    Ok(Handle { commands })
}

fn server_config(config: Config) -> io::Result<turn::Config> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    Ok(turn::Config {
        announce: config.announce,
        interfaces: interfaces.iter().map(if_addrs::Interface::ip).collect(),
        allow: config.allow,
        ..turn::Config::new(config.secret, seed)
    })
}

impl Handle {
    /// Serves a TURN client over TCP, or inside TLS, until it leaves or is of no more use.
    pub(crate) async fn serve_stream(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        connection: Connection,
    ) {
        stream::serve(stream, connection, &self.commands).await;
    }

    /// Stops the relay and with it every client's; returns once its sockets are closed.
    pub(crate) async fn shutdown(&self) {
        // A shard that is gone already has stopped.
        let _ = self.commands.send(Command::Stop).await;
        self.commands.closed().await;
    }
}

#[cfg(test)]
mod tests;
