//! S9: a container's network hides no addresses.

use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use super::{address::is_container_bridge, public_address::PublicAddress};
use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Clients of different HTTP addresses from which on a shared STUN address is a NAT before us.
pub const MIN_MASKED_CLIENTS: usize = 3;

/// What is known of a container and of NATs before the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The container engine, if moim runs in a container.
    pub engine: Option<String>,
    /// Addresses of interfaces.
    pub interfaces: Vec<IpAddr>,
    /// True if there is an `--announce`.
    pub announced: bool,
    /// A private STUN address that clients of several HTTP addresses share, and their number.
    pub shared_stun: Option<(IpAddr, usize)>,
}

impl Facts {
    pub(super) fn judge(&self, place: &PublicAddress) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some((shared, clients)) =
            self.shared_stun.filter(|(_, clients)| *clients >= MIN_MASKED_CLIENTS)
        {
            let finding = Finding::new(ServerCode::StunMasked, Certainty::Likely)
                .with("clients", clients)
                .with("shared", shared)
                .with("port", place.port);
            findings.push(finding);
        }
        if self.engine.is_some()
            && !self.announced
            && let Some(inner) = self.only_bridge()
        {
            let finding = Finding::new(ServerCode::ContainerNat, Certainty::Likely);
            findings.push(finding.with("inner", inner).with("port", place.port));
        }
        findings
    }

    /// The address of a bridge, if there is no other one.
    fn only_bridge(&self) -> Option<Ipv4Addr> {
        let v4 = self.interfaces.iter().filter_map(|ip| match ip {
            IpAddr::V4(ip) => Some(*ip),
            IpAddr::V6(_) => None,
        });
        let v4: Vec<_> = v4.collect();
        v4.first().copied().filter(|_| v4.iter().all(|ip| is_container_bridge(*ip)))
    }

    pub(super) fn detail(&self) -> String {
        self.engine.clone().unwrap_or_else(|| "–".to_owned())
    }
}
