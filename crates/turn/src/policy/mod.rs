//! The peers that clients may reach.
//!
//! A relay gives access to the network around it. By default clients reach public addresses only:
//! none on a link of this machine, whatever the address, and this machine itself only at our own
//! relayed addresses.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::Cidr;

/// The policy's decision on a peer address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Reached over the network.
    Open,
    /// An address of this machine: reached only where it names a live relayed address, without the
    /// network.
    OwnRelays,
    /// Rejected with 403 (Forbidden).
    Denied,
}

/// Ranges denied unless allowed: not public, or not unicast (RFC 6890 and its registries).
/// Documentation ranges lead nowhere and are not listed.
const DENIED_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10), // carrier-grade NAT, some clouds' metadata
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32), // a cloud's metadata, public by number only
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, most clouds' metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(224, 0, 0, 0), 4), // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4), // reserved, broadcast
];

const DENIED_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::UNSPECIFIED, 128),
    (Ipv6Addr::LOCALHOST, 128),
    (Ipv6Addr::new(0x64, 0xFF9B, 1, 0, 0, 0, 0, 0), 48), // local-use NAT64, leads inside
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),     // discard
    (Ipv6Addr::new(0xFC00, 0, 0, 0, 0, 0, 0, 0), 7),     // unique local
    (Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 0), 10),    // link-local
    (Ipv6Addr::new(0xFEC0, 0, 0, 0, 0, 0, 0, 0), 10),    // deprecated site-local
    (Ipv6Addr::new(0xFF00, 0, 0, 0, 0, 0, 0, 0), 8),     // multicast
];

/// Minimum prefix length of a link, for IPv4 and IPv6. A tunnel may claim the whole internet.
const MIN_LINK_PREFIX: (u32, u32) = (8, 32);

/// Ports below this are system ports (RFC 6335 §6).
const SYSTEM_PORTS: u16 = 1024;
/// The one system port that media servers use.
const HTTPS: u16 = 443;

/// Returns whether a port belongs to a service and not to media: NATs keep the source ports of
/// browsers out of this range (RFC 4787 REQ-3).
pub(crate) fn is_service(port: u16) -> bool {
    port < SYSTEM_PORTS && port != HTTPS
}

/// The denied ranges, the operator's exceptions, and the addresses of this machine and its links.
pub(crate) struct Policy {
    allow: Vec<Cidr>,
    announced: Vec<IpAddr>,
    interfaces: Vec<IpAddr>,
    /// The announced ones and those of interfaces.
    own: HashSet<IpAddr>,
    /// Prefixes of this machine's interfaces. Their hosts may be behind the same firewall as this
    /// one.
    links: Vec<Cidr>,
}

impl Policy {
    /// A policy for a machine that others know by the `announced` addresses.
    pub(crate) fn new(allow: Vec<Cidr>, announced: Vec<IpAddr>) -> Self {
        let (interfaces, links) = (Vec::new(), Vec::new());
        let mut policy = Self { allow, announced, interfaces, own: HashSet::new(), links };
        policy.collect_own();
        policy
    }

    /// Replaces the operator's exceptions.
    pub(crate) fn set_allowed(&mut self, allow: Vec<Cidr>) {
        self.allow = allow;
    }

    /// Replaces the addresses by which others know this machine.
    pub(crate) fn set_announced(&mut self, announced: Vec<IpAddr>) {
        self.announced = announced;
        self.collect_own();
    }

    /// Replaces the machine's own addresses and the prefixes of its links.
    pub(crate) fn set_interfaces(&mut self, interfaces: &[IpAddr], links: &[Cidr]) {
        let (v4, v6) = MIN_LINK_PREFIX;
        let is_link = |range: &&Cidr| range.bits() >= if range.is_ipv4() { v4 } else { v6 };
        self.links = links.iter().filter(is_link).copied().collect();
        self.interfaces = interfaces.to_vec();
        self.collect_own();
    }

    fn collect_own(&mut self) {
        let own = self.announced.iter().chain(&self.interfaces);
        self.own = own.map(IpAddr::to_canonical).collect();
    }

    /// Returns whether an address is this machine's own, loopback and unspecified addresses
    /// included.
    pub(crate) fn is_own(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.own.contains(&ip) || ip.is_loopback() || ip.is_unspecified()
    }

    /// Decides on a peer's address. `has_relays` states whether a relayed address of ours has this
    /// IP now.
    pub(crate) fn check(&self, peer: IpAddr, has_relays: bool) -> Verdict {
        let peer = peer.to_canonical();
        if self.allow.iter().any(|range| range.contains(peer)) {
            Verdict::Open
        } else if has_relays {
            Verdict::OwnRelays
        } else if self.denied(peer) {
            Verdict::Denied
        } else if self.own.contains(&peer) {
            Verdict::OwnRelays
        } else if self.is_on_link(peer) {
            Verdict::Denied
        } else {
            Verdict::Open
        }
    }

    /// Returns whether the address, or an IPv4 address embedded in it that the operator does not
    /// allow, is denied.
    fn denied(&self, peer: IpAddr) -> bool {
        let IpAddr::V6(v6) = peer else { return is_denied(peer) };
        is_denied(peer)
            || embedded_v4(v6).into_iter().flatten().map(IpAddr::V4).any(|inner| {
                let allowed = self.allow.iter().any(|range| range.contains(inner));
                !allowed
                    && (is_denied(inner) || self.own.contains(&inner) || self.is_on_link(inner))
            })
    }

    fn is_on_link(&self, ip: IpAddr) -> bool {
        self.links.iter().any(|range| range.contains(ip))
    }
}

/// Returns whether an address is public, and so is each IPv4 address embedded in it.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    !Policy::new(Vec::new(), Vec::new()).denied(ip.to_canonical())
}

fn is_denied(ip: IpAddr) -> bool {
    let in_range = |range: IpAddr, bits| Cidr::new(range, bits).is_ok_and(|r| r.contains(ip));
    match ip {
        IpAddr::V4(_) => DENIED_V4.iter().any(|(range, bits)| in_range((*range).into(), *bits)),
        IpAddr::V6(_) => DENIED_V6.iter().any(|(range, bits)| in_range((*range).into(), *bits)),
    }
}

/// The IPv4 addresses embedded in an IPv6 address, by all known formats.
fn embedded_v4(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let v4 =
        |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match [a, b, c, d, e, f] {
        // IPv4-compatible ::/96, IPv4-mapped ::ffff:0:0/96 (RFC 4291 §2.5.5)
        [0, 0, 0, 0, 0, 0 | 0xFFFF] => [v4(g, h), None],
        // IPv4-translated ::ffff:0:0:0/96 (RFC 2765)
        [0, 0, 0, 0, 0xFFFF, 0] => [v4(g, h), None],
        // NAT64 (RFC 6052)
        [0x64, 0xFF9B, 0, 0, 0, 0] => [v4(g, h), None],
        // 6to4 (RFC 3056); its interface id may embed a second one (ISATAP, RFC 5214)
        [0x2002, high, low, _, 0 | 0x200, 0x5EFE] => [v4(high, low), v4(g, h)],
        [0x2002, high, low, ..] => [v4(high, low), None],
        // Teredo: the server, and the client inverted (RFC 4380 §4)
        [0x2001, 0, high, low, ..] => [v4(high, low), v4(!g, !h)],
        [.., 0 | 0x200, 0x5EFE] => [v4(g, h), None],
        _ => [None; 2],
    }
}

#[cfg(test)]
mod tests;
