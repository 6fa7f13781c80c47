//! Which addresses to announce, judged by what is known of them. Pure.

use std::{fmt::Write, net::IpAddr};

use crate::{
    config::{Announce, AutoAnnounce},
    net::tls::{Answer, is_private_address},
};

/// The most announced addresses of each family: names with many are those of a delivery network.
const MAX_OF_FAMILY: usize = 2;

/// The source of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trust {
    /// The operator gave it.
    Operator,
    /// A visitor used it, and a certificate that the local CA did not sign is for it.
    Visitor,
}

/// An address of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedAddress {
    pub(super) name: String,
    pub(super) trust: Trust,
    pub(super) ip: IpAddr,
    /// What is there, as seen from here.
    pub(super) answer: Answer,
}

/// What to announce, and what to say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) announced: Vec<Announce>,
    /// The announced addresses with their reasons.
    pub(super) reasons: Vec<String>,
    /// Addresses that are not announced, with reasons and remedies.
    pub(super) rejected: Vec<String>,
}

/// True for an address that others on the Internet may reach.
pub(super) fn is_public(ip: IpAddr) -> bool {
    let is_special = match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            a == 0 || a >= 224 || (a, b, c) == (192, 0, 0) || (a == 198 && b & 0xfe == 18)
        }
        // Global unicast (RFC 4291 §2.4).
        IpAddr::V6(ip) => ip.octets().first().is_none_or(|first| first & 0xe0 != 0x20),
    };
    !is_special && !is_private_address(ip)
}

/// Chooses among the addresses `own` of interfaces and those `found` of names. Names count only for
/// families without a public address of an interface: what an interface has is certain.
pub(super) fn choose(auto: AutoAnnounce, own: &[IpAddr], found: &[NamedAddress]) -> Choice {
    let mut choice = Choice::default();
    for is_v4 in [true, false] {
        let own: Vec<_> = own.iter().filter(|ip| ip.is_ipv4() == is_v4).collect();
        if !own.is_empty() {
            for ip in own.into_iter().take(MAX_OF_FAMILY) {
                choice.add(auto, *ip, "of an interface");
            }
            continue;
        }
        let mut of_family: Vec<_> = found.iter().filter(|it| it.ip.is_ipv4() == is_v4).collect();
        // Those of the operator's names first, and of these the proven ones. A visitor's name counts
        // only where the operator's say nothing: nobody else may displace what those say.
        of_family.sort_by_key(|found| (found.trust, found.answer != Answer::Ours));
        let (mut count, mut has_operators) = (0, false);
        for found in of_family {
            let is_needed = found.trust == Trust::Operator || !has_operators;
            match found.judge() {
                Ok(reason) if count < MAX_OF_FAMILY && is_needed => {
                    has_operators |= found.trust == Trust::Operator;
                    count += usize::from(choice.add(auto, found.ip, &reason));
                }
                Ok(_) => {}
                Err(Some(words)) => choice.rejected.push(words),
                Err(None) => {}
            }
        }
    }
    choice
}

impl Choice {
    /// False if the address is announced already.
    fn add(&mut self, auto: AutoAnnounce, ip: IpAddr, reason: &str) -> bool {
        let address = auto.with(ip);
        if self.announced.contains(&address) {
            return false;
        }
        self.announced.push(address);
        self.reasons.push(format!("{address} ({reason})"));
        true
    }
}

impl NamedAddress {
    /// The reason to announce the address, or words for the operator on why not.
    ///
    /// Whoever answers our question at a visitor's name may also pass it on to us; but a name of a
    /// certificate that is not the local CA's is the operator's. Without an answer, which a router
    /// without hairpin NAT does not let through, the word of the operator counts.
    fn judge(&self) -> Result<String, Option<String>> {
        let Self { name, ip, .. } = self;
        let other = match (&self.answer, self.trust) {
            (Answer::Ours, _) => return Ok(format!("this server answers there as {name}")),
            (Answer::Silent | Answer::Refused, Trust::Operator) => {
                return Ok(format!("the address of {name}"));
            }
            (_, Trust::Visitor) => return Err(None),
            (Answer::TlsEnded, _) => "a program that ends TLS and passes requests on to moim",
            (Answer::Proxy(proxy), _) => proxy,
            (Answer::Other(server), _) => server.as_deref().unwrap_or("another server"),
        };
        let mut words = format!("{name} leads to {ip}, which answers as {other}");
        let _ = write!(
            words,
            ": it is not announced. If UDP to {ip} reaches this server, give --announce {ip}"
        );
        Err(Some(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto() -> AutoAnnounce {
        AutoAnnounce::default()
    }

    fn found(trust: Trust, ip: &str, answer: Answer) -> NamedAddress {
        NamedAddress { name: "meet.example".to_owned(), trust, ip: ip.parse().unwrap(), answer }
    }

    fn chosen(own: &[&str], found: &[NamedAddress]) -> Vec<String> {
        let own: Vec<_> = own.iter().map(|ip| ip.parse().unwrap()).collect();
        choose(auto(), &own, found).announced.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn public_interface_address_makes_names_of_its_family_needless() {
        let named = [
            found(Trust::Operator, "203.0.113.9", Answer::Ours),
            found(Trust::Operator, "2001:db8::9", Answer::Ours),
        ];
        assert_eq!(chosen(&["203.0.113.7"], &named), ["203.0.113.7", "2001:db8::9"]);
        assert_eq!(chosen(&[], &named), ["203.0.113.9", "2001:db8::9"]);
        let many = ["203.0.113.1", "203.0.113.2", "203.0.113.3"];
        assert_eq!(chosen(&many, &[]), many[..2]);
    }

    #[test]
    fn operators_name_counts_unless_another_server_answers() {
        let of = |answer| chosen(&[], &[found(Trust::Operator, "203.0.113.9", answer)]);
        for answer in [Answer::Ours, Answer::Silent, Answer::Refused] {
            assert_eq!(of(answer), ["203.0.113.9"]);
        }
        for answer in [Answer::Other(None), Answer::Proxy("Cloudflare"), Answer::TlsEnded] {
            assert!(of(answer).is_empty());
        }
        let other = Answer::Other(Some("nginx".to_owned()));
        let choice = choose(auto(), &[], &[found(Trust::Operator, "203.0.113.9", other)]);
        let words = "meet.example leads to 203.0.113.9, which answers as nginx: it is not \
                     announced. If UDP to 203.0.113.9 reaches this server, give --announce \
                     203.0.113.9";
        assert_eq!(choice.rejected, [words]);
    }

    #[test]
    fn visitors_name_needs_a_proof() {
        let of = |answer| choose(auto(), &[], &[found(Trust::Visitor, "203.0.113.9", answer)]);
        assert_eq!(of(Answer::Ours).announced.len(), 1);
        for answer in [Answer::Silent, Answer::Refused, Answer::Other(None), Answer::TlsEnded] {
            assert_eq!(of(answer), Choice::default());
        }
    }

    #[test]
    fn visitors_names_never_displace_the_operators() {
        let visited = |ip| found(Trust::Visitor, ip, Answer::Ours);
        let operator = found(Trust::Operator, "203.0.113.1", Answer::Silent);
        let of = [visited("203.0.113.7"), visited("203.0.113.8"), operator];
        assert_eq!(chosen(&[], &of), ["203.0.113.1"]);
        assert_eq!(chosen(&[], &of[..2]), ["203.0.113.7", "203.0.113.8"], "without any");
        let other = found(Trust::Operator, "203.0.113.1", Answer::Other(None));
        assert_eq!(chosen(&[], &[visited("203.0.113.7"), other]), ["203.0.113.7"]);
    }

    #[test]
    fn proven_addresses_come_first_and_few_are_announced() {
        let addresses = [
            found(Trust::Operator, "203.0.113.1", Answer::Silent),
            found(Trust::Visitor, "203.0.113.2", Answer::Ours),
            found(Trust::Operator, "203.0.113.3", Answer::Ours),
            found(Trust::Operator, "203.0.113.3", Answer::Ours),
        ];
        assert_eq!(chosen(&[], &addresses), ["203.0.113.3", "203.0.113.1"]);
    }

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for ip in ["203.0.113.7", "8.8.8.8", "2001:db8::1"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "192.0.0.8",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "64:ff9b::a00:1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}
