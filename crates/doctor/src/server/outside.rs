//! S2: what visitors, another server or a phone proved from outside.

use serde::Serialize;

use super::public_address::PublicAddress;
use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
    reach::{Blame, FamilySummary, Summary},
};

/// Result of one test from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// Who tested, such as the name of another server.
    pub name: String,
    /// Its packets from a foreign port arrived over UDP.
    pub udp: bool,
    /// It opened a TCP connection; `None` if it did not try.
    pub tcp: Option<bool>,
}

/// Evidence from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Visitors of the last day.
    pub visitors: Summary,
    /// Tests made just now.
    pub witnesses: Vec<Witness>,
}

impl Facts {
    /// True if anybody from outside has tried.
    #[must_use]
    pub fn has_evidence(&self) -> bool {
        !self.witnesses.is_empty() || self.visitors != Summary::default()
    }

    pub(super) fn judge(&self, place: &PublicAddress) -> Vec<Finding> {
        let mut findings = Vec::new();
        let has_udp = self.witnesses.iter().any(|witness| witness.udp)
            || self.visitors.v4.udp + self.visitors.v6.udp > 0;
        let closed = |family: &FamilySummary| family.blame() == Blame::Server;
        let families = [&self.visitors.v4, &self.visitors.v6];
        let without: usize =
            families.into_iter().filter(|f| closed(f)).map(|f| f.without_udp).sum();
        let deaf = self.witnesses.iter().filter(|witness| !witness.udp).count();
        if !has_udp && without + deaf > 0 {
            let certainty =
                if without > 0 && deaf > 0 { Certainty::Certain } else { Certainty::Likely };
            findings.push(
                Finding::new(ServerCode::UdpClosedServer, certainty)
                    .with("port", place.port)
                    .with("address", &place.address)
                    .with("networks", without + deaf),
            );
        }
        for witness in self.witnesses.iter().filter(|witness| witness.tcp == Some(false)) {
            findings.push(
                Finding::new(ServerCode::TcpClosedServer, Certainty::Certain)
                    .with("port", place.port)
                    .with("address", &place.address)
                    .with("witness", &witness.name),
            );
        }
        findings
    }

    pub(super) fn detail(&self) -> String {
        let sum = |of: fn(&FamilySummary) -> usize| of(&self.visitors.v4) + of(&self.visitors.v6);
        let mut parts = vec![
            format!("UDP {}", sum(|f| f.udp)),
            format!("TCP {}", sum(|f| f.tcp)),
            format!("TLS {}", sum(|f| f.tls)),
        ];
        parts.extend(self.witnesses.iter().map(|witness| witness.name.clone()));
        parts.join(", ")
    }
}
