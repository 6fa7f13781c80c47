//! S4: clients outside are given an address that they can reach.

use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use super::public_address::PublicAddress;
use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Addresses of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Addresses of interfaces that are listened on.
    pub interfaces: Vec<IpAddr>,
    /// Addresses of `--announce`.
    pub announced: Vec<IpAddr>,
    /// Public addresses of names that the server answers to.
    pub of_names: Vec<IpAddr>,
    /// True if a reverse proxy stands before the server.
    pub behind_proxy: bool,
}

impl Facts {
    pub(super) fn judge(&self, place: &PublicAddress) -> Vec<Finding> {
        let reachable = self.interfaces.iter().chain(&self.announced);
        let is_v4 = |ip: &&IpAddr| ip.is_ipv4();
        if reachable.clone().filter(is_v4).any(|ip| is_global(*ip)) {
            return Vec::new();
        }
        // An address of the operator's choice, such as that of a VPN.
        if self.announced.iter().any(IpAddr::is_ipv4) {
            return Vec::new();
        }
        let outer = self.of_names.iter().filter(is_v4).find(|ip| is_global(**ip));
        let inner = self.interfaces.iter().find(is_v4);
        let (Some(outer), Some(inner)) = (outer, inner) else { return Vec::new() };
        // The name may be that of the proxy, on another machine.
        let certainty = if self.behind_proxy { Certainty::Possible } else { Certainty::Likely };
        let finding = Finding::new(ServerCode::NatUnannounced, certainty)
            .with("inner", inner)
            .with("address", outer)
            .with("port", place.port);
        vec![finding]
    }

    pub(super) fn detail(&self) -> String {
        let all = self.announced.iter().chain(&self.interfaces);
        let all: Vec<_> = all.take(4).map(ToString::to_string).collect();
        all.join(", ")
    }
}

/// True for addresses that are routed on the internet.
#[must_use]
pub fn is_global(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            let is_protocol = (a, b, c) == (192, 0, 0);
            let is_benchmark = a == 198 && (18..20).contains(&b);
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_documentation()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || is_shared
                || is_protocol
                || is_benchmark)
        }
        IpAddr::V6(ip) => {
            let [first, second, ..] = ip.segments();
            let is_documentation = (first, second) == (0x2001, 0xdb8) || first == 0x3fff;
            first & 0xe000 == 0x2000 && !is_documentation
        }
    }
}

/// True for the networks that container engines give to bridges.
#[must_use]
pub fn is_container_bridge(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    (a == 172 && (16..32).contains(&b)) || (a == 10 && b == 88)
}
