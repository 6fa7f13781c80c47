//! The configuration of the SFU service.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::SystemTime,
};

use sfu::Transport;

use crate::{config::Announce, net::addresses, shard::random::random_bytes};

/// The most candidate addresses in an SDP, each over UDP and TCP: a browser checks them all.
const MAX_CANDIDATES: usize = 8;

/// Creates the SFU configuration of each shard.
pub(crate) struct SfuConfigs {
    candidates: Vec<(Transport, SocketAddr)>,
}

impl SfuConfigs {
    pub(crate) fn new(listen: &[SocketAddr], announce: &[Announce]) -> Self {
        Self { candidates: candidates(listen, announce, &addresses::of_interfaces()) }
    }

    /// Creates the configuration of one shard.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn for_shard(&self, shard: u16) -> io::Result<sfu::Config> {
        Ok(sfu::Config {
            candidates: self.candidates.clone(),
            wall_clock: SystemTime::now(),
            #[cfg(debug_assertions)]
            panics_at: crate::faults::are_planted().then_some(crate::faults::LINK_PANIC),
            ..sfu::Config::new(shard, random_bytes()?)
        })
    }
}

/// The host candidates of the SFU: announced addresses if there are any of the family, otherwise
/// those listened on. A wildcard address stands for the addresses of this machine.
fn candidates(
    listen: &[SocketAddr],
    announce: &[Announce],
    interfaces: &[IpAddr],
) -> Vec<(Transport, SocketAddr)> {
    let mut seen = HashSet::new();
    let mut addresses = Vec::new();
    for address in listen {
        let same_family = |ip: &&IpAddr| ip.is_ipv4() == address.is_ipv4();
        let announced = announce.iter().filter(|announced| same_family(&&announced.ip));
        let announced: Vec<_> = announced.map(|at| at.at(address.port())).collect();
        if !announced.is_empty() {
            addresses.extend(announced);
            continue;
        }
        let ips = if address.ip().is_unspecified() {
            let ips: Vec<IpAddr> = interfaces.iter().filter(same_family).copied().collect();
            // Without a network, clients on this machine still reach it.
            if ips.is_empty() { vec![loopback(address)] } else { ips }
        } else {
            vec![address.ip()]
        };
        addresses.extend(ips.into_iter().map(|ip| SocketAddr::new(ip, address.port())));
    }
    addresses.retain(|address| seen.insert(*address));
    addresses.truncate(MAX_CANDIDATES);
    let both = |address| [(Transport::Udp, address), (Transport::Tcp, address)];
    addresses.into_iter().flat_map(both).collect()
}

fn loopback(address: &SocketAddr) -> IpAddr {
    if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(listen: &[&str], announce: &[&str], interfaces: &[&str]) -> Vec<String> {
        let ips = |texts: &[&str]| texts.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<_>>();
        let listen: Vec<_> = listen.iter().map(|address| address.parse().unwrap()).collect();
        let announce: Vec<_> = announce.iter().map(|at| at.parse().unwrap()).collect();
        let all = candidates(&listen, &announce, &ips(interfaces));
        let over = |wanted: Transport| {
            let over = all.iter().filter(move |(transport, _)| *transport == wanted);
            over.map(|(_, address)| address.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(over(Transport::Udp), over(Transport::Tcp), "each address over both");
        over(Transport::Udp)
    }

    #[test]
    fn candidates_are_the_announced_or_listening_addresses() {
        let lan = ["192.168.1.2", "2001:db8::2", "10.0.0.2"];
        assert_eq!(addresses(&["192.0.2.1:443"], &[], &lan), ["192.0.2.1:443"]);
        assert_eq!(addresses(&["0.0.0.0:4000"], &[], &lan), ["192.168.1.2:4000", "10.0.0.2:4000"]);
        assert_eq!(
            addresses(&["0.0.0.0:4000", "[::]:4000"], &["203.0.113.7"], &lan),
            ["203.0.113.7:4000", "[2001:db8::2]:4000"],
            "an announced address replaces those of its family"
        );
        assert_eq!(
            addresses(&["0.0.0.0:4000", "[::]:4000"], &[], &[]),
            ["127.0.0.1:4000", "[::1]:4000"]
        );
        assert_eq!(
            addresses(&["0.0.0.0:4000", "[::]:4000"], &["203.0.113.7:8443"], &lan),
            ["203.0.113.7:8443", "[2001:db8::2]:4000"],
            "a NAT maps another port to ours"
        );
        assert_eq!(addresses(&["10.0.0.2:1", "10.0.0.2:1"], &[], &lan), ["10.0.0.2:1"]);
    }

    #[test]
    fn candidates_of_many_interfaces_are_limited() {
        let many: Vec<String> = (1..=40).map(|n| format!("10.0.0.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(addresses(&["0.0.0.0:1"], &[], &many).len(), MAX_CANDIDATES);
    }
}
