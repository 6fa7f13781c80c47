//! Addresses by which clients reach this server: announced ones first, then those of its network
//! interfaces.
//!
//! Neither kind is enough. From the internet only the announced address of a server behind a NAT
//! works; on the server's own network, behind a router without hairpin NAT, only the inner one.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use super::interfaces::Interfaces;
use crate::config::Announce;

/// The most candidate addresses in an SDP, each over UDP and TCP: a browser checks them all.
const MAX_CANDIDATES: usize = 8;
/// The most of them that are announced, so that some are left for interfaces.
const MAX_ANNOUNCED_CANDIDATES: usize = MAX_CANDIDATES / 2;

/// Addresses of this server, as its clients name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReachableAddresses {
    listen: Vec<SocketAddr>,
    announced: Vec<Announce>,
    announce_only: bool,
    interfaces: Interfaces,
    /// Addresses of interfaces that are listened on, the likeliest first.
    own: Vec<SocketAddr>,
}

impl ReachableAddresses {
    /// Addresses of a server that listens on `listen`, on a machine with these interfaces.
    /// `announce_only` leaves out all that are not announced.
    pub(crate) fn new(
        listen: &[SocketAddr],
        announced: &[Announce],
        announce_only: bool,
        interfaces: Interfaces,
    ) -> Self {
        let own = if announce_only { Vec::new() } else { own(listen, &interfaces.reachable) };
        Self {
            listen: listen.to_vec(),
            announced: announced.to_vec(),
            announce_only,
            interfaces,
            own,
        }
    }

    /// The same server with other listening addresses.
    pub(super) fn with_listen(&self, listen: &[SocketAddr]) -> Self {
        Self::new(listen, &self.announced, self.announce_only, self.interfaces.clone())
    }

    /// The same server on other interfaces.
    pub(super) fn with_interfaces(&self, interfaces: Interfaces) -> Self {
        Self::new(&self.listen, &self.announced, self.announce_only, interfaces)
    }

    /// The same server with other announced addresses.
    pub(super) fn with_announced(&self, announced: &[Announce], announce_only: bool) -> Self {
        Self::new(&self.listen, announced, announce_only, self.interfaces.clone())
    }

    /// The addresses listened on.
    pub(crate) fn listen(&self) -> &[SocketAddr] {
        &self.listen
    }

    /// Addresses of interfaces that are listened on, also those that clients don't learn.
    pub(crate) fn at_interfaces(&self) -> Vec<SocketAddr> {
        own(&self.listen, &self.interfaces.reachable)
    }

    /// Public addresses of a server behind a NAT.
    pub(crate) fn announced(&self) -> &[Announce] {
        &self.announced
    }

    /// The interfaces of this machine, also those that clients don't learn.
    pub(crate) fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// Addresses of interfaces that clients may learn, the likeliest first.
    pub(crate) fn told_interfaces(&self) -> &[IpAddr] {
        if self.announce_only { &[] } else { &self.interfaces.reachable }
    }

    /// Addresses that a certificate names, besides loopback.
    pub(crate) fn of_certificate(&self) -> impl Iterator<Item = IpAddr> {
        let announced = self.announced.iter().map(|announced| announced.ip);
        announced.chain(self.told_interfaces().iter().copied())
    }

    /// The address for a client that sent no host.
    pub(crate) fn fallback(&self) -> IpAddr {
        let first = self.told_interfaces().first().copied();
        first.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// Addresses for the SFU's candidates, by descending priority.
    pub(crate) fn candidates(&self) -> Vec<SocketAddr> {
        let announced = self.listen.iter().flat_map(|address| {
            let same_family = |at: &&Announce| at.ip.is_ipv4() == address.is_ipv4();
            self.announced.iter().filter(same_family).map(|at| at.at(address.port()))
        });
        let mut seen = HashSet::new();
        let announced = announced.filter(|address| seen.insert(*address));
        let mut candidates: Vec<_> = announced.take(MAX_ANNOUNCED_CANDIDATES).collect();
        let has_announced = |own: &&SocketAddr| {
            let same_family = |other: &SocketAddr| other.is_ipv4() == own.is_ipv4();
            candidates.iter().any(same_family)
        };
        // A loopback address is for a machine without a network (RFC 8445 §5.1.1.1).
        let own = self.own.iter().filter(|own| !own.ip().is_loopback() || !has_announced(own));
        let own: Vec<_> = own.copied().collect();
        candidates.extend(own.into_iter().filter(|address| seen.insert(*address)));
        candidates.truncate(MAX_CANDIDATES);
        candidates
    }

    /// The first candidate of IPv6 that is to be reached from everywhere: a global unicast address
    /// (RFC 4291 §2.4), which unique local addresses (RFC 4193) are not.
    pub(crate) fn global_ipv6(&self) -> Option<Ipv6Addr> {
        self.candidates().into_iter().find_map(|address| match address.ip() {
            IpAddr::V6(ip) if ip.to_bits() >> 125 == 0b001 => Some(ip),
            _ => None,
        })
    }

    /// Addresses for STUN and TURN URLs of a client that is connected to `local`, of which there
    /// are none without announced ones: then the host that the client used is better. Browsers
    /// allocate at each of them, so only one of each family is of an interface, by preference the
    /// one that the client reached.
    pub(crate) fn for_client_of(&self, local: SocketAddr) -> Vec<SocketAddr> {
        let mut addresses: Vec<_> = self.announced.iter().map(|at| at.at(local.port())).collect();
        if addresses.is_empty() {
            return addresses;
        }
        let of_port = self.own.iter().filter(|own| own.port() == local.port());
        let mut own: Vec<_> = of_port.filter(|own| !own.ip().is_loopback()).copied().collect();
        own.sort_by_key(|own| own.ip() != local.ip());
        let of_family = |family: fn(&SocketAddr) -> bool| own.iter().copied().find(family);
        let own = [of_family(SocketAddr::is_ipv4), of_family(SocketAddr::is_ipv6)];
        let own: Vec<_> =
            own.into_iter().flatten().filter(|own| !addresses.contains(own)).collect();
        addresses.extend(own);
        addresses
    }

    /// The port by which clients reach our port `local` at `host`, an address or a name. A NAT's
    /// port mapping applies to every host but our own addresses.
    pub(crate) fn port_at(&self, host: &str, local: u16) -> u16 {
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let is_own =
            ip.is_some_and(|ip| ip.is_loopback() || self.own.iter().any(|own| own.ip() == ip));
        let announced = self.announced.first().filter(|_| !is_own);
        announced.map_or(local, |announced| announced.port(local))
    }
}

/// Addresses listened on. A wildcard address stands for the addresses of this machine.
fn own(listen: &[SocketAddr], interfaces: &[IpAddr]) -> Vec<SocketAddr> {
    let of = |address: &SocketAddr| {
        let ips = if address.ip().is_unspecified() {
            let same_family = |ip: &&IpAddr| ip.is_ipv4() == address.is_ipv4();
            let ips: Vec<IpAddr> = interfaces.iter().filter(same_family).copied().collect();
            // Without a network, clients on this machine still reach it.
            if ips.is_empty() { vec![loopback(address)] } else { ips }
        } else {
            vec![address.ip()]
        };
        let port = address.port();
        ips.into_iter().map(move |ip| SocketAddr::new(ip, port))
    };
    listen.iter().flat_map(of).collect()
}

fn loopback(address: &SocketAddr) -> IpAddr {
    if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAN: [&str; 3] = ["192.168.1.2", "2001:db8::2", "10.0.0.2"];
    const ANY: [&str; 2] = ["0.0.0.0:4000", "[::]:4000"];

    fn reachable(listen: &[&str], announce: &[&str], interfaces: &[&str]) -> ReachableAddresses {
        with_flag(listen, announce, interfaces, false)
    }

    fn announced_only(listen: &[&str], announce: &[&str]) -> ReachableAddresses {
        with_flag(listen, announce, &LAN, true)
    }

    fn with_flag(
        listen: &[&str],
        announce: &[&str],
        interfaces: &[&str],
        announce_only: bool,
    ) -> ReachableAddresses {
        let listen: Vec<_> = listen.iter().map(|address| address.parse().unwrap()).collect();
        let announce: Vec<_> = announce.iter().map(|at| at.parse().unwrap()).collect();
        let reachable = interfaces.iter().map(|ip| ip.parse().unwrap()).collect();
        let interfaces = Interfaces { reachable, ..Interfaces::default() };
        ReachableAddresses::new(&listen, &announce, announce_only, interfaces)
    }

    fn texts(addresses: &[SocketAddr]) -> Vec<String> {
        addresses.iter().map(SocketAddr::to_string).collect()
    }

    fn candidates(listen: &[&str], announce: &[&str], interfaces: &[&str]) -> Vec<String> {
        texts(&reachable(listen, announce, interfaces).candidates())
    }

    fn for_client_of(reachable: &ReachableAddresses, local: &str) -> Vec<String> {
        texts(&reachable.for_client_of(local.parse().unwrap()))
    }

    #[test]
    fn candidates_are_addresses_listened_on() {
        assert_eq!(candidates(&["192.0.2.1:443"], &[], &LAN), ["192.0.2.1:443"]);
        assert_eq!(candidates(&["0.0.0.0:4000"], &[], &LAN), ["192.168.1.2:4000", "10.0.0.2:4000"]);
        assert_eq!(candidates(&ANY, &[], &[]), ["127.0.0.1:4000", "[::1]:4000"]);
        assert_eq!(candidates(&["10.0.0.2:1", "10.0.0.2:1"], &[], &LAN), ["10.0.0.2:1"]);
    }

    #[test]
    fn global_ipv6_is_no_local_address() {
        let of = |interfaces: &[&str]| reachable(&ANY, &[], interfaces).global_ipv6();
        assert_eq!(of(&["10.0.0.2", "fd00::2", "2001:db8::2"]), "2001:db8::2".parse().ok());
        assert_eq!(of(&["10.0.0.2", "fd00::2"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn announced_candidates_precede_those_of_interfaces() {
        assert_eq!(
            candidates(&ANY, &["203.0.113.7", "2001:db8:1::7"], &LAN),
            [
                "203.0.113.7:4000",
                "[2001:db8:1::7]:4000",
                "192.168.1.2:4000",
                "10.0.0.2:4000",
                "[2001:db8::2]:4000",
            ]
        );
    }

    #[test]
    fn announced_port_applies_to_announced_candidates_alone() {
        assert_eq!(
            candidates(&["0.0.0.0:4000"], &["203.0.113.7:443", "198.51.100.7"], &LAN),
            ["203.0.113.7:443", "198.51.100.7:4000", "192.168.1.2:4000", "10.0.0.2:4000"]
        );
        assert_eq!(
            candidates(&["10.0.0.2:1", "10.0.0.2:2"], &["203.0.113.7:443"], &LAN),
            ["203.0.113.7:443", "10.0.0.2:1", "10.0.0.2:2"],
            "two ports of ours behind one outside"
        );
    }

    #[test]
    fn announced_interface_address_is_one_candidate() {
        assert_eq!(
            candidates(&["0.0.0.0:4000"], &["10.0.0.2"], &LAN),
            ["10.0.0.2:4000", "192.168.1.2:4000"]
        );
    }

    #[test]
    fn announced_address_of_a_family_without_sockets_is_no_candidate() {
        assert_eq!(
            candidates(&["0.0.0.0:4000"], &["2001:db8:1::7"], &LAN),
            ["192.168.1.2:4000", "10.0.0.2:4000"]
        );
    }

    #[test]
    fn loopback_is_no_candidate_beside_an_announced_address() {
        assert_eq!(candidates(&["127.0.0.1:4000"], &["203.0.113.7"], &LAN), ["203.0.113.7:4000"]);
        assert_eq!(
            candidates(&ANY, &["203.0.113.7"], &[]),
            ["203.0.113.7:4000", "[::1]:4000"],
            "of the same family"
        );
    }

    #[test]
    fn announce_only_hides_interfaces() {
        let hidden = announced_only(&ANY, &["203.0.113.7:443"]);
        assert_eq!(texts(&hidden.candidates()), ["203.0.113.7:443"]);
        assert_eq!(for_client_of(&hidden, "192.168.1.2:4000"), ["203.0.113.7:443"]);
        let named: Vec<_> = hidden.of_certificate().collect();
        assert_eq!(named, ["203.0.113.7".parse::<IpAddr>().unwrap()]);
        assert!(hidden.fallback().is_loopback());
    }

    #[test]
    fn candidates_of_many_addresses_are_limited() {
        let many: Vec<String> = (1..=40).map(|n| format!("10.0.0.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(candidates(&["0.0.0.0:1"], &[], &many).len(), MAX_CANDIDATES);
        let ports = ["0.0.0.0:1", "0.0.0.0:2", "0.0.0.0:3"];
        let both = candidates(&ports, &["203.0.113.7", "198.51.100.7"], &LAN);
        assert_eq!(both.len(), MAX_CANDIDATES);
        assert_eq!(
            both[..4].join(" "),
            "203.0.113.7:1 198.51.100.7:1 203.0.113.7:2 198.51.100.7:2"
        );
        assert_eq!(both[4], "192.168.1.2:1");
    }

    #[test]
    fn urls_name_announced_addresses_then_one_interface_of_each_family() {
        let both = reachable(&ANY, &["203.0.113.7:443", "198.51.100.7"], &LAN);
        assert_eq!(
            for_client_of(&both, "10.0.0.9:4000"),
            ["203.0.113.7:443", "198.51.100.7:4000", "192.168.1.2:4000", "[2001:db8::2]:4000"]
        );
    }

    #[test]
    fn urls_prefer_the_interface_that_the_client_reached() {
        let both = reachable(&ANY, &["203.0.113.7"], &LAN);
        assert_eq!(
            for_client_of(&both, "10.0.0.2:4000"),
            ["203.0.113.7:4000", "10.0.0.2:4000", "[2001:db8::2]:4000"]
        );
    }

    #[test]
    fn urls_use_the_port_that_the_client_reached() {
        let both = reachable(&["0.0.0.0:4000", "10.0.0.2:8000"], &["203.0.113.7"], &LAN);
        assert_eq!(for_client_of(&both, "10.0.0.2:8000"), ["203.0.113.7:8000", "10.0.0.2:8000"]);
    }

    #[test]
    fn urls_without_announced_addresses_are_left_to_the_host_of_the_page() {
        assert!(for_client_of(&reachable(&ANY, &[], &LAN), "10.0.0.2:4000").is_empty());
    }

    #[test]
    fn interface_address_in_a_url_has_our_own_port() {
        let mapped = reachable(&ANY, &["203.0.113.7:443"], &LAN);
        assert_eq!(mapped.port_at("moim.example", 4000), 443);
        assert_eq!(mapped.port_at("203.0.113.7", 4000), 443);
        assert_eq!(mapped.port_at("192.168.1.2", 4000), 4000);
        assert_eq!(mapped.port_at("[2001:db8::2]", 4000), 4000);
        assert_eq!(reachable(&ANY, &[], &LAN).port_at("moim.example", 4000), 4000);
    }
}
