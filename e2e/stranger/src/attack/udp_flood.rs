//! Datagrams of every protocol on the port, from an unauthenticated source.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::UdpSocket,
    time::{MissedTickBehavior, interval},
};
use turn::stun::{
    Class, Method, TransactionId, Writer,
    attribute::{REQUESTED_TRANSPORT, USERNAME},
};

use super::Counts;
use crate::target::Target;

/// Number of datagrams per millisecond.
const BURST: usize = 20;

/// One datagram of each kind: STUN, TURN, ICE, ChannelData, DTLS, RTP, RTCP and unknown.
fn datagrams() -> Vec<Vec<u8>> {
    let stun = |method, kind: u16, value: &[u8]| {
        let mut bytes = Vec::new();
        let mut request = Writer::new(&mut bytes, Class::Request, method, TransactionId([7; 12]));
        request.attribute(kind, value);
        bytes
    };
    let mut client_hello =
        vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 1, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 28];
    client_hello.resize(60, 0);
    vec![
        stun(Method::BINDING, 0x8022, b"stranger"),
        stun(Method::ALLOCATE, REQUESTED_TRANSPORT, &[17, 0, 0, 0]),
        stun(Method::BINDING, USERNAME, b"0000abcd:efgh"),
        [&[0x40, 0, 0, 160][..], &[1; 160]].concat(),
        client_hello,
        [&[0x80, 111, 0, 1][..], &[2; 160]].concat(),
        [&[0x80, 200, 0, 6][..], &[3; 24]].concat(),
        vec![0xff; 100],
    ]
}

pub(super) async fn run(target: Target, counts: Counts) {
    let any: SocketAddr =
        if target.address().is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let Ok(socket) = UdpSocket::bind(any).await else { return };
    let datagrams = datagrams();
    let mut next = datagrams.iter().cycle();
    let mut ticks = interval(Duration::from_millis(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = [0; 2048];
    loop {
        ticks.tick().await;
        for datagram in next.by_ref().take(BURST) {
            if socket.send_to(datagram, target.address()).await.is_ok() {
                counts.add("sent", 1);
            }
        }
        while socket.try_recv_from(&mut buffer).is_ok() {
            counts.add("answered", 1);
        }
    }
}
