//! Accept loop of a TCP listener.

use std::{io, net::SocketAddr, time::Duration};

use tokio::net::{TcpListener, TcpStream};

use crate::net::drain::Drain;

/// The first pause after a failed accept; it doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections until the server drains.
pub(crate) async fn accept(
    listener: TcpListener,
    mut drain: Drain,
    on_connection: impl Fn(TcpStream, SocketAddr),
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = drain.closing() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                pause = FIRST_PAUSE;
                on_connection(stream, peer);
            }
            Err(error) if concerns_one_connection(&error) => {}
            // Out of file descriptors or memory: the connection stays in the backlog, and an
            // immediate retry would spin.
            Err(error) => {
                tracing::warn!(%error, "can't accept connections");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }
}

/// Recognises errors of the connection that was about to be accepted, which Linux reports here.
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
