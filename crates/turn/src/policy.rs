//! Which peers a client may reach through us.
//!
//! A relay is a way into the network it stands in. By default it leads to public addresses only, to
//! none on a link of this machine, whatever its number, and to this machine only where a peer's
//! address is one of our own relayed addresses.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::Cidr;

/// What may be done with a peer's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Reached over the network.
    Open,
    /// Ours: reached only where it names a live relayed address, and then without the network.
    OwnRelays,
    /// Refused: 403.
    Denied,
}

/// Denied unless allowed: not public, or not one host (RFC 6890 and its registries).
/// Documentation ranges lead nowhere and are left alone.
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
    (Ipv6Addr::new(0x64, 0xFF9B, 1, 0, 0, 0, 0, 0), 48), // local NAT64: leads inside
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),     // discard
    (Ipv6Addr::new(0xFC00, 0, 0, 0, 0, 0, 0, 0), 7),     // unique local
    (Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 0), 10),    // link-local
    (Ipv6Addr::new(0xFEC0, 0, 0, 0, 0, 0, 0, 0), 10),    // site-local of old
    (Ipv6Addr::new(0xFF00, 0, 0, 0, 0, 0, 0, 0), 8),     // multicast
];

/// Ranges wider than these are no link's: a tunnel may say that everybody is on it.
const WIDEST_LINK: (u32, u32) = (8, 32);

/// Ports below this are for services of a computer's administrator (RFC 6335 §6).
const SYSTEM_PORTS: u16 = 1024;
/// The one of them where media servers are found.
const HTTPS: u16 = 443;

/// Whether a port is one of a service, where no browser takes media: NATs keep source ports out of
/// this range (RFC 4787 REQ-3).
pub(crate) fn is_service(port: u16) -> bool {
    port < SYSTEM_PORTS && port != HTTPS
}

/// The default list, an operator's exceptions, what is ours and what stands beside us.
pub(crate) struct Policy {
    allow: Vec<Cidr>,
    announced: Vec<IpAddr>,
    own: HashSet<IpAddr>,
    /// Prefixes of this machine's interfaces: a firewall between us and others is behind us there.
    links: Vec<Cidr>,
}

impl Policy {
    /// `announced` are addresses by which others know this machine.
    pub(crate) fn new(allow: Vec<Cidr>, announced: Vec<IpAddr>) -> Self {
        let mut policy = Self { allow, announced, own: HashSet::new(), links: Vec::new() };
        policy.set_interfaces(&[], &[]);
        policy
    }

    /// The machine's own addresses and the prefixes of its links are these from now on.
    pub(crate) fn set_interfaces(&mut self, own: &[IpAddr], links: &[Cidr]) {
        let (v4, v6) = WIDEST_LINK;
        let is_link = |range: &&Cidr| range.bits() >= if range.is_ipv4() { v4 } else { v6 };
        self.own = self.announced.iter().chain(own).map(IpAddr::to_canonical).collect();
        self.links = links.iter().filter(is_link).copied().collect();
    }

    /// Whether an address is this machine's: named so, or one by which no other is reached.
    pub(crate) fn is_own(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.own.contains(&ip) || ip.is_loopback() || ip.is_unspecified()
    }

    /// Judges a peer's address. `relays_live_there` says whether one of our own relayed addresses
    /// has this IP now.
    pub(crate) fn check(&self, peer: IpAddr, relays_live_there: bool) -> Verdict {
        let peer = peer.to_canonical();
        if self.allow.iter().any(|range| range.contains(peer)) {
            Verdict::Open
        } else if relays_live_there {
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

    /// Denied as it stands, or as what it wraps (unless the operator allows what it wraps).
    fn denied(&self, peer: IpAddr) -> bool {
        let IpAddr::V6(v6) = peer else { return is_denied(peer) };
        is_denied(peer)
            || wrapped(v6).into_iter().flatten().map(IpAddr::V4).any(|inner| {
                let allowed = self.allow.iter().any(|range| range.contains(inner));
                !allowed
                    && (is_denied(inner) || self.own.contains(&inner) || self.is_on_link(inner))
            })
    }

    fn is_on_link(&self, ip: IpAddr) -> bool {
        self.links.iter().any(|range| range.contains(ip))
    }
}

fn is_denied(ip: IpAddr) -> bool {
    let in_range = |range: IpAddr, bits| Cidr::new(range, bits).is_ok_and(|r| r.contains(ip));
    match ip {
        IpAddr::V4(_) => DENIED_V4.iter().any(|(range, bits)| in_range((*range).into(), *bits)),
        IpAddr::V6(_) => DENIED_V6.iter().any(|(range, bits)| in_range((*range).into(), *bits)),
    }
}

/// The IPv4 addresses an IPv6 address may lead to, by the ways there are to wrap one.
fn wrapped(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
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
        // 6to4 (RFC 3056); such an interface id may wrap a second one (ISATAP, RFC 5214)
        [0x2002, high, low, _, 0 | 0x200, 0x5EFE] => [v4(high, low), v4(g, h)],
        [0x2002, high, low, ..] => [v4(high, low), None],
        // Teredo: server, and client inverted (RFC 4380 §4)
        [0x2001, 0, high, low, ..] => [v4(high, low), v4(!g, !h)],
        [.., 0 | 0x200, 0x5EFE] => [v4(g, h), None],
        _ => [None; 2],
    }
}

#[cfg(test)]
mod tests;
