//! The media server's driver.
//!
//! Each shard has a [`Media`] of its own with a [`sfu::Sfu`]; nothing on the packet path is shared.
//! A large room has peers on several shards, whose cores then exchange its tracks. Rooms tell their
//! shards by [`Orders`] and hear from them by [`News`]; neither ever waits for the other. Clients of
//! ICE-TCP live on the main runtime and exchange whole packets with a shard over bounded queues.

mod budget;
mod command;
mod events;
mod report;
mod room_commands;
mod service;
mod shard_hints;
mod stream;
#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests_over_sockets;

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, SocketAddr},
    time::SystemTime,
};

pub(crate) use command::Command;
pub(crate) use events::{Letter, News, Reader, letters};
pub(crate) use report::Report;
pub(crate) use room_commands::{Asked, Inbox, Order, Orders, Request, orders};
pub(crate) use service::{Media, Taken};
pub(crate) use stream::serve as serve_stream;

use crate::{config::Announce, net::addresses};

/// Candidates that an SDP tells of, each over UDP and over TCP: a browser tries them all.
const CANDIDATES: usize = 8;

/// The configuration of each shard's part.
///
/// # Errors
/// The system gives no randomness.
pub(crate) fn parts(
    shards: usize,
    listen: &[SocketAddr],
    announce: &[Announce],
) -> io::Result<Vec<sfu::Config>> {
    let candidates = candidates(listen, announce, &addresses::of_interfaces());
    let part = |shard: u16| {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let candidates = candidates.clone();
        let wall_clock = SystemTime::now();
        Ok(sfu::Config {
            candidates,
            wall_clock,
            #[cfg(debug_assertions)]
            panics_at: crate::faults::are_planted().then_some(crate::faults::LINK_PANIC),
            ..sfu::Config::new(shard, seed)
        })
    };
    (0..u16::try_from(shards).unwrap_or(u16::MAX)).map(part).collect()
}

/// Where clients reach the media server: at the addresses announced, else at those listened on, and
/// where that is any address, at those of the machine.
fn candidates(
    listen: &[SocketAddr],
    announce: &[Announce],
    interfaces: &[IpAddr],
) -> Vec<(sfu::Transport, SocketAddr)> {
    let mut seen = HashSet::new();
    let mut addresses = Vec::new();
    for address in listen {
        let alike = |ip: &&IpAddr| ip.is_ipv4() == address.is_ipv4();
        let announced = announce.iter().filter(|announced| alike(&&announced.ip));
        let announced: Vec<_> = announced.map(|at| at.at(address.port())).collect();
        if !announced.is_empty() {
            addresses.extend(announced);
            continue;
        }
        let ips = if address.ip().is_unspecified() {
            let there: Vec<IpAddr> = interfaces.iter().filter(alike).copied().collect();
            // A machine on no network calls itself.
            if there.is_empty() { vec![loopback(address)] } else { there }
        } else {
            vec![address.ip()]
        };
        addresses.extend(ips.into_iter().map(|ip| SocketAddr::new(ip, address.port())));
    }
    addresses.retain(|address| seen.insert(*address));
    addresses.truncate(CANDIDATES);
    let both = |address| [(sfu::Transport::Udp, address), (sfu::Transport::Tcp, address)];
    addresses.into_iter().flat_map(both).collect()
}

fn loopback(address: &SocketAddr) -> IpAddr {
    if address.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(listen: &[&str], announce: &[&str], interfaces: &[&str]) -> Vec<String> {
        let ips = |texts: &[&str]| texts.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<_>>();
        let listen: Vec<_> = listen.iter().map(|address| address.parse().unwrap()).collect();
        let announce: Vec<_> = announce.iter().map(|at| at.parse().unwrap()).collect();
        let all = candidates(&listen, &announce, &ips(interfaces));
        let udp = all.iter().filter(|(transport, _)| *transport == sfu::Transport::Udp);
        let tcp = all.iter().filter(|(transport, _)| *transport == sfu::Transport::Tcp);
        assert!(udp.clone().map(|it| it.1).eq(tcp.map(|it| it.1)), "each over both");
        udp.map(|(_, address)| address.to_string()).collect()
    }

    #[test]
    fn a_server_is_found_where_it_listens_or_is_announced() {
        let lan = ["192.168.1.2", "2001:db8::2", "10.0.0.2"];
        assert_eq!(told(&["192.0.2.1:443"], &[], &lan), ["192.0.2.1:443"]);
        assert_eq!(told(&["0.0.0.0:4000"], &[], &lan), ["192.168.1.2:4000", "10.0.0.2:4000"]);
        assert_eq!(
            told(&["0.0.0.0:4000", "[::]:4000"], &["203.0.113.7"], &lan),
            ["203.0.113.7:4000", "[2001:db8::2]:4000"],
            "what is announced stands for its own family"
        );
        assert_eq!(
            told(&["0.0.0.0:4000", "[::]:4000"], &[], &[]),
            ["127.0.0.1:4000", "[::1]:4000"]
        );
        assert_eq!(
            told(&["0.0.0.0:4000", "[::]:4000"], &["203.0.113.7:8443"], &lan),
            ["203.0.113.7:8443", "[2001:db8::2]:4000"],
            "a NAT maps another port to ours"
        );
        assert_eq!(told(&["10.0.0.2:1", "10.0.0.2:1"], &[], &lan), ["10.0.0.2:1"]);
    }

    #[test]
    fn a_machine_with_many_addresses_tells_of_some() {
        let many: Vec<String> = (1..=40).map(|n| format!("10.0.0.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(told(&["0.0.0.0:1"], &[], &many).len(), CANDIDATES);
    }
}
