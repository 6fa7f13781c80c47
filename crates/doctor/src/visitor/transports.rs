//! Rules about transports, addresses and NATs.

use std::net::IpAddr;

use super::{Attempt, Facts, Known, Nat, VisitorCode};
use crate::{Certainty, Code, Finding, code::ServerCode, reach::Blame};

pub(super) fn judge(facts: &Facts, known: &Known) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(closed(facts, known));
    findings.extend(small_only(facts, known));
    if facts.udp == Attempt::Passed
        && facts.udp6 == Attempt::Failed
        && let Some(address6) = &known.address6
    {
        let finding = Finding::new(VisitorCode::Ipv6Lost, Certainty::Likely);
        findings.push(finding.with("address6", address6));
    }
    if facts.nat == Some(Nat::EndpointDependent) {
        findings.push(Finding::new(VisitorCode::NatSymmetric, Certainty::Certain));
    }
    if facts.udp == Attempt::Failed && facts.host_candidates == Some(0) {
        findings.push(Finding::new(VisitorCode::AddressesHidden, Certainty::Possible));
    } else if let (Some(client), Some(stun)) = (known.client, facts.stun_address)
        && are_comparable(client, stun)
        && client != stun
    {
        findings.push(Finding::new(VisitorCode::VpnSplit, Certainty::Likely));
    }
    findings
}

/// What is closed to media, if anything.
fn closed(facts: &Facts, known: &Known) -> Option<Finding> {
    use Attempt::{Failed, Passed};
    let udp = [facts.udp, facts.turn_udp];
    if udp.contains(&Passed) || facts.udp != Failed {
        return None;
    }
    let tcp = [facts.tcp, facts.turn_tcp];
    if tcp.contains(&Passed) {
        Some(udp_closed(known, Certainty::Certain))
    } else if facts.turn_tls == Passed {
        Some(about_port(VisitorCode::TlsOnly, Certainty::Certain, known))
    } else if facts.tcp == Failed && facts.turn_tls == Failed {
        Some(about_port(VisitorCode::MediaClosed, Certainty::Certain, known))
    } else {
        None
    }
}

/// The side whose firewall blocks UDP, if known; `certainty` is that of UDP being blocked at all.
pub(super) fn udp_closed(known: &Known, certainty: Certainty) -> Finding {
    match known.outside.blame() {
        Blame::Visitor => about_port(VisitorCode::UdpClosedHere, Certainty::Likely, known),
        Blame::Server => about_port(ServerCode::UdpClosedServer, Certainty::Likely, known)
            .with("networks", known.outside.without_udp),
        Blame::Unknown => about_port(VisitorCode::UdpClosed, certainty, known),
    }
}

/// A finding whose texts name the server's port.
pub(super) fn about_port(code: impl Into<Code>, certainty: Certainty, known: &Known) -> Finding {
    Finding::new(code, certainty).with("address", &known.address).with("port", known.port)
}

/// Why the media server can't be reached over UDP where the relay can: allocations are small, and
/// ask the page's host, not the candidates.
fn small_only(facts: &Facts, known: &Known) -> Option<Finding> {
    use Attempt::{Failed, Passed};
    let is_local = known.client.is_none_or(|client| client.is_loopback());
    let is_hidden = facts.host_candidates == Some(0);
    if facts.udp != Failed || facts.turn_udp != Passed || is_local || is_hidden {
        return None;
    }
    match (facts.tcp, facts.turn_tcp) {
        // A handshake of DTLS has datagrams of 1,200 bytes.
        (Passed, _) => Some(Finding::new(VisitorCode::LargePackets, Certainty::Likely)),
        (Failed, Passed) => Some(Finding::new(VisitorCode::MediaAddress, Certainty::Likely)),
        _ => None,
    }
}

/// Returns whether two source addresses of one machine should be equal: one family, both public.
/// A server on the visitor's own network sees inner ones.
fn are_comparable(a: IpAddr, b: IpAddr) -> bool {
    a.is_ipv4() && b.is_ipv4() && is_public(a) && is_public(b)
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            // Shared address space (RFC 6598).
            let is_shared = ip.to_bits() >> 22 == 0x6440_0000 >> 22;
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || is_shared)
        }
        IpAddr::V6(_) => false,
    }
}
