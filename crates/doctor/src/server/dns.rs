//! S5: the names lead to this server.

use std::net::IpAddr;

use serde::Serialize;

use super::address::is_global;
use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// The system's answer for one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Its addresses.
    Addresses(Vec<IpAddr>),
    /// The name does not exist, or has no address.
    None,
    /// The resolver did not answer.
    Unknown,
}

/// Records that say who may issue certificates for a name (RFC 8659).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caa {
    /// The name.
    pub name: String,
    /// The domain that has the records: the name, or one above it.
    pub found: String,
    /// Domains of the CAs that may issue; empty if none may.
    pub allowed: Vec<String>,
    /// Domains by which the CA that the server asks is known.
    pub cas: Vec<String>,
}

/// Names and addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Configured names with the system's answers.
    pub names: Vec<(String, Answer)>,
    /// Addresses of interfaces and of `--announce`.
    pub own: Vec<IpAddr>,
    /// True if a reverse proxy stands before the server: names may point to it.
    pub behind_proxy: bool,
    /// Restrictions of the names for which the server asks a CA.
    pub caa: Vec<Caa>,
}

impl Facts {
    pub(super) fn judge(&self) -> Vec<Finding> {
        let mut findings: Vec<_> = self.caa.iter().filter_map(Caa::judge).collect();
        let own_global =
            |v4: bool| self.own.iter().copied().find(|ip| is_global(*ip) && ip.is_ipv4() == v4);
        for (name, answer) in &self.names {
            let addresses = match answer {
                Answer::Unknown => continue,
                Answer::None => {
                    // A name inside the network can be known to clients alone.
                    let Some(address) = own_global(true).filter(|_| is_public_name(name)) else {
                        continue;
                    };
                    let finding = Finding::new(ServerCode::DnsNone, Certainty::Certain);
                    findings.push(finding.with("name", name).with("address", address));
                    continue;
                }
                Answer::Addresses(addresses) => addresses,
            };
            if self.behind_proxy || addresses.iter().any(|ip| !is_global(*ip)) {
                continue;
            }
            let foreign = |v4: bool| {
                let of_family: Vec<_> = addresses.iter().filter(|ip| ip.is_ipv4() == v4).collect();
                let is_ours = of_family.iter().any(|ip| self.own.contains(ip));
                of_family.first().filter(|_| !is_ours).map(|ip| **ip)
            };
            let v4_is_ours = addresses.iter().any(|ip| ip.is_ipv4() && self.own.contains(ip));
            if let (Some(found), Some(address)) = (foreign(true), own_global(true)) {
                let finding = Finding::new(ServerCode::DnsElsewhere, Certainty::Likely)
                    .with("name", name)
                    .with("found", found)
                    .with("address", address);
                findings.push(finding);
            }
            // Without a name that leads here over IPv4, the machine may be another one altogether.
            if let Some(found) = foreign(false).filter(|_| v4_is_ours) {
                let finding = Finding::new(ServerCode::DnsAaaa, Certainty::Likely);
                findings.push(finding.with("name", name).with("found", found));
            }
        }
        findings
    }

    pub(super) fn detail(&self) -> String {
        let names: Vec<_> = self.names.iter().take(3).map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    }
}

impl Caa {
    fn judge(&self) -> Option<Finding> {
        if self.cas.iter().any(|ca| self.allowed.contains(ca)) {
            return None;
        }
        let allowed =
            if self.allowed.is_empty() { "-".to_owned() } else { self.allowed.join(", ") };
        let finding = Finding::new(ServerCode::DnsCaa, Certainty::Certain)
            .with("name", &self.name)
            .with("found", &self.found)
            .with("allowed", allowed);
        Some(finding.with("ca", self.cas.first()?))
    }
}

/// True for names of the public DNS.
#[must_use]
pub fn is_public_name(name: &str) -> bool {
    let last = name.trim_end_matches('.').rsplit_once('.').map(|(_, last)| last);
    let inner =
        ["local", "lan", "internal", "intranet", "home", "arpa", "localhost", "corp", "test"];
    last.is_some_and(|last| !inner.contains(&last.to_ascii_lowercase().as_str()))
}
