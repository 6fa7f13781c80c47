//! Accepting connections.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::net::{TcpListener, TcpStream};

use super::Connection;
use crate::{
    dispatch::{Services, serve},
    net::drain::Drain,
};

/// The first pause after accepting failed, which is doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections until the server drains.
pub(crate) async fn accept(listener: TcpListener, services: Arc<Services>, mut drain: Drain) {
    let mut pause = FIRST_PAUSE;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = drain.begun() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                pause = FIRST_PAUSE;
                welcome(stream, peer, &services, &drain);
            }
            Err(error) if concerns_one_connection(&error) => {}
            // Out of file descriptors or memory: the connection stays in the backlog, and asking
            // again at once would only spin.
            Err(error) => {
                tracing::warn!(%error, "can't accept connections");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn welcome(stream: TcpStream, peer: SocketAddr, services: &Arc<Services>, drain: &Drain) {
    let Ok(local) = stream.local_addr() else { return };
    let connection = Connection::new(peer, local, false);
    let peer = connection.peer.ip();
    let admission = &services.admission;
    let admitted = match services.proxies.contain(peer) {
        true => admission.admit_proxy(),
        false => admission.admit(peer),
    };
    match admitted {
        Ok(place) => {
            services.tally.accepted.add();
            // Signaling is small messages, each of which matters now.
            let _ = stream.set_nodelay(true);
            tokio::spawn(serve(stream, place, connection, Arc::clone(services), drain.clone()));
        }
        Err(refused) => {
            services.tally.refused.add();
            tracing::debug!(peer = %connection.peer, ?refused, "connection refused");
        }
    }
}

/// Linux passes on errors of the connection that was about to be accepted.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::TimedOut
    )
}
