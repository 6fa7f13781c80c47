#![allow(
    clippy::disallowed_methods,
    reason = "asks the real loopback, for tests of real processes"
)]

use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Below the ports that Linux gives to sockets that name none (`net.ipv4.ip_local_port_range`).
const FIRST: u16 = 10_240;
const COUNT: u16 = 21_504;

/// A port of loopback where nobody listens, over UDP or TCP, and that nobody else gets as long as
/// this process lives: neither a socket that asks for any port nor another test that claims one.
///
/// A port that was found by binding to port 0 and letting go is given to somebody else soon when
/// many tests run side by side.
///
/// # Panics
///
/// If all ports are taken.
#[must_use]
pub fn claim_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes that start together look in different places.
    let start = process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let turn = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + u16::try_from(turn % u32::from(COUNT)).unwrap_or_default();
        if claim(port) {
            return port;
        }
    }
    panic!("all {COUNT} ports from {FIRST} are taken")
}

fn claim(port: u16) -> bool {
    let Some(held) = hold(port) else { return false };
    let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        && UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    if is_free {
        // The kernel lets go of the name when the process ends, however it ends.
        std::mem::forget(held);
    }
    is_free
}

/// An abstract name that says that the port is claimed, among all processes of this network
/// namespace.
#[cfg(target_os = "linux")]
fn hold(port: u16) -> Option<impl Sized> {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    };
    let name = SocketAddr::from_abstract_name(format!("moim-test-port-{port}"));
    name.and_then(|name| UnixListener::bind_addr(&name)).ok()
}

/// Elsewhere a port is claimed within this process alone.
#[cfg(not(target_os = "linux"))]
fn hold(port: u16) -> Option<impl Sized> {
    use std::{collections::HashSet, sync::Mutex};
    static CLAIMED: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    CLAIMED.lock().unwrap().get_or_insert_default().insert(port).then_some(())
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use super::*;

    #[test]
    fn ports_are_claimed_once_and_never_given_to_sockets_that_ask_for_any() {
        let claimed: Vec<_> = (0..8)
            .map(|_| thread::spawn(|| (0..50).map(|_| claim_port()).collect::<Vec<_>>()))
            .collect();
        let claimed: Vec<_> = claimed.into_iter().flat_map(|one| one.join().unwrap()).collect();
        assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 400);
        assert!(!claim(claimed[0]));
        let any = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        assert!(any >= FIRST + COUNT, "{any}: ports of this system begin lower");
    }

    #[test]
    fn port_where_somebody_listens_is_not_claimed() {
        let port = claim_port() + 7;
        let Ok(_socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)) else { return };
        assert!(!claim(port));
    }
}
