//! What visitors from outside proved in the last 24 hours: which transports reach the server.
//!
//! Counts are per (family, transport, outcome, hour) and hold no addresses: a network (/24 or /48)
//! is a keyed hash that the caller forms with a key of the process. Networks are counted, not
//! connections, so that one visitor who reconnects all day is one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Hours that are kept.
pub const HOURS: u64 = 24;

/// Networks remembered for each family, transport, outcome and hour. Further ones add nothing to
/// a judgement.
const MAX_NETWORKS: usize = 64;

/// Address family of a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Transport of media or of a TURN client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Media or TURN over UDP.
    Udp,
    /// ICE or TURN over TCP.
    Tcp,
    /// TURN over TLS.
    Tls,
}

/// Outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Packets of a client arrived by this transport. A binding request of a stranger counts: it
    /// came through every firewall before the server.
    Connected,
    /// The client tried this transport and nothing came through.
    Failed,
}

/// The recent past, in hours.
#[derive(Debug, Default)]
pub struct Reach {
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    hour: u64,
    key: (Family, Transport, Outcome),
    networks: BTreeSet<u64>,
}

impl Reach {
    /// Notes an outcome of a client of `network`, `hour` hours after any fixed moment.
    pub fn note(
        &mut self,
        hour: u64,
        network: u64,
        family: Family,
        transport: Transport,
        outcome: Outcome,
    ) {
        self.slots.retain(|slot| is_recent(slot.hour, hour));
        let key = (family, transport, outcome);
        let same = |slot: &&mut Slot| slot.hour == hour && slot.key == key;
        match self.slots.iter_mut().find(same) {
            Some(slot) if slot.networks.len() < MAX_NETWORKS => {
                slot.networks.insert(network);
            }
            Some(_) => {}
            None => self.slots.push(Slot { hour, key, networks: BTreeSet::from([network]) }),
        }
    }

    /// Counts of networks in the last day.
    #[must_use]
    pub fn summary(&self, hour: u64) -> Summary {
        let networks = |family, transport, outcome| -> BTreeSet<u64> {
            let key = (family, transport, outcome);
            let slots = self.slots.iter().filter(|s| s.key == key && is_recent(s.hour, hour));
            slots.flat_map(|slot| slot.networks.iter().copied()).collect()
        };
        let of = |family| {
            let udp = networks(family, Transport::Udp, Outcome::Connected);
            let tcp = networks(family, Transport::Tcp, Outcome::Connected);
            let tls = networks(family, Transport::Tls, Outcome::Connected);
            let mut without: BTreeSet<u64> = &tcp | &tls;
            without.append(&mut networks(family, Transport::Udp, Outcome::Failed));
            FamilySummary {
                udp: udp.len(),
                tcp: tcp.len(),
                tls: tls.len(),
                without_udp: (&without - &udp).len(),
            }
        };
        Summary { v4: of(Family::V4), v6: of(Family::V6) }
    }
}

fn is_recent(hour: u64, now: u64) -> bool {
    now.saturating_sub(hour) < HOURS
}

/// Outside networks of the last day, by family.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// IPv4.
    pub v4: FamilySummary,
    /// IPv6.
    pub v6: FamilySummary,
}

/// Outside networks of the last day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilySummary {
    /// Networks that connected over UDP.
    pub udp: usize,
    /// Networks that connected over TCP.
    pub tcp: usize,
    /// Networks that connected over TLS.
    pub tls: usize,
    /// Networks that never had UDP: clients fell back to TCP or TLS, or their test failed.
    pub without_udp: usize,
}

/// Networks without UDP from which on the server is blamed, if none had UDP.
const MIN_NETWORKS: usize = 2;

/// Location of a firewall that drops UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// No outside network ever had UDP: the server's side drops it.
    Server,
    /// Others have UDP: this visitor's network drops it.
    Visitor,
    /// Too few visitors to tell.
    Unknown,
}

impl FamilySummary {
    /// Whose firewall drops UDP, where some client has none.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match (self.udp, self.without_udp) {
            (1.., _) => Blame::Visitor,
            (0, MIN_NETWORKS..) => Blame::Server,
            _ => Blame::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp_only(reach: &mut Reach, hour: u64, network: u64) {
        reach.note(hour, network, Family::V4, Transport::Tcp, Outcome::Connected);
    }

    #[test]
    fn server_is_blamed_when_two_networks_have_tcp_and_none_has_udp() {
        let mut reach = Reach::default();
        assert_eq!(reach.summary(0).v4.blame(), Blame::Unknown);
        for _ in 0..41 {
            tcp_only(&mut reach, 1, 7);
        }
        assert_eq!(reach.summary(1).v4.blame(), Blame::Unknown, "one network, many visits");
        reach.note(2, 8, Family::V4, Transport::Udp, Outcome::Failed);
        assert_eq!(reach.summary(2).v4.blame(), Blame::Server);
        assert_eq!(reach.summary(2).v6.blame(), Blame::Unknown, "families are apart");
    }

    #[test]
    fn visitor_is_blamed_when_another_network_has_udp() {
        let mut reach = Reach::default();
        for network in 0..9 {
            tcp_only(&mut reach, 1, network);
        }
        reach.note(1, 99, Family::V4, Transport::Udp, Outcome::Connected);
        assert_eq!(reach.summary(1).v4.blame(), Blame::Visitor);
    }

    #[test]
    fn a_network_that_has_udp_too_is_no_evidence() {
        let mut reach = Reach::default();
        tcp_only(&mut reach, 1, 5);
        reach.note(1, 5, Family::V4, Transport::Udp, Outcome::Connected);
        assert_eq!(reach.summary(1).v4.without_udp, 0);
    }

    #[test]
    fn evidence_expires_after_a_day_and_is_bounded() {
        let mut reach = Reach::default();
        for network in 0..1_000 {
            tcp_only(&mut reach, 1, network);
        }
        assert_eq!(reach.summary(24).v4.tcp, MAX_NETWORKS);
        assert_eq!(reach.summary(25).v4.tcp, 0);
        for hour in 0..1_000 {
            tcp_only(&mut reach, hour, hour);
        }
        assert!(reach.slots.len() as u64 <= HOURS);
    }
}
