//! Whether a name leads to this server, judged by what its addresses answered. Pure.

use std::{fmt::Write, io, net::IpAddr};

use super::{
    problem::{Code, Problem},
    target::Identifier,
};
use crate::config::ChallengeChoice;

/// What one address answered, of one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// This server.
    Ours,
    /// This server, behind a program that ends TLS with a certificate of its own.
    TlsEnded,
    /// Another server, with the name it gives itself.
    Other(Option<String>),
    /// A proxy that ends TLS, by its name.
    Proxy(&'static str),
    /// Nobody listens.
    Refused,
    /// No answer in time: a firewall, or a router without hairpin NAT.
    Silent,
}

/// What one address answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) ip: IpAddr,
    /// The address is of an interface of this computer, so that a refusal is certain.
    pub(super) is_interface: bool,
    pub(super) https: Answer,
    pub(super) http: Answer,
}

/// This server, as far as it knows itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own<'a> {
    /// Its public addresses.
    pub(super) ips: &'a [IpAddr],
    /// Its port.
    pub(super) port: u16,
    /// The kind of proof, thus the port that counts.
    pub(super) challenge: ChallengeChoice,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The CA would be answered at these ports.
    Ours { https: bool, http: bool },
    /// Nobody can tell from here.
    Unknown,
    /// The CA would not be answered.
    NotReady(Problem),
}

impl Seen {
    /// The same, as if nobody were at a port that does not count.
    fn of(&self, challenge: ChallengeChoice) -> Self {
        let mut seen = self.clone();
        match challenge {
            ChallengeChoice::Auto => {}
            ChallengeChoice::TlsAlpn01 => seen.http = Answer::Refused,
            ChallengeChoice::Http01 => seen.https = Answer::Refused,
        }
        seen
    }

    fn answers(&self) -> [&Answer; 2] {
        [&self.https, &self.http]
    }

    fn is_ours(&self) -> bool {
        self.answers().contains(&&Answer::Ours)
    }

    fn other(&self) -> Option<Option<&str>> {
        self.answers().into_iter().find_map(|answer| match answer {
            Answer::Other(name) => Some(name.as_deref()),
            _ => None,
        })
    }

    fn is_certainly_nobody(&self) -> bool {
        self.is_interface && self.answers() == [&Answer::Refused, &Answer::Refused]
    }
}

/// Judges the answers of the addresses of `identifier`.
pub(super) fn judge(identifier: &Identifier, seen: &[Seen], this: Own<'_>) -> Verdict {
    let Own { ips: own, port, challenge } = this;
    let seen: Vec<_> = seen.iter().map(|seen| seen.of(challenge)).collect();
    if seen.is_empty() {
        let own = listed(own).unwrap_or_else(|| "this server's public address".to_owned());
        let words =
            format!("{identifier} has no address yet. Make an A or AAAA record with {own}.");
        return not_ready(Code::DnsNone, words);
    }
    let proxy = seen.iter().flat_map(Seen::answers).find_map(|answer| match answer {
        Answer::Proxy(name) => Some(*name),
        _ => None,
    });
    let is_ours = seen.iter().any(Seen::is_ours);
    if let Some(proxy) = proxy.filter(|_| !is_ours) {
        let words = format!(
            "{proxy} answers for {identifier} and ends TLS: it has the certificate. Calls can't \
             pass it: let the name lead to this server itself (\"DNS only\")."
        );
        return not_ready(Code::Proxied, words);
    }
    if let Some(seen) = seen.iter().find(|seen| seen.https == Answer::TlsEnded && !is_ours) {
        let words = format!(
            "Another program at {} ends TLS for {identifier} and passes requests on to moim: it \
             needs the certificate. Let it pass port 443 on as TCP, or get the certificate there.",
            seen.ip
        );
        return not_ready(Code::Proxied, words);
    }
    let stranger = seen.iter().find_map(|seen| Some((seen.ip, seen.other()?)));
    if let Some((ip, server)) = stranger.filter(|(ip, _)| ip.is_ipv6() && is_ours) {
        let server = server.unwrap_or("another server");
        let words = format!(
            "The AAAA record {ip} of {identifier} leads to {server}, and CAs ask it first. Remove \
             it, or listen there."
        );
        return not_ready(Code::DnsAaaa, words);
    }
    if let Some((ip, server)) = stranger.filter(|_| !is_ours) {
        let server = server.unwrap_or("another server");
        let mut words = format!("{identifier} points to {ip}, which answers as {server}.");
        if let Some(own) = listed(own) {
            let _ = write!(words, " This server is at {own}.");
        }
        return not_ready(Code::DnsElsewhere, words);
    }
    if is_ours {
        let ours = seen.iter().filter(|seen| seen.is_ours());
        let (https, http): (Vec<_>, Vec<_>) =
            ours.map(|seen| (seen.https == Answer::Ours, seen.http == Answer::Ours)).unzip();
        return Verdict::Ours { https: https.contains(&true), http: http.contains(&true) };
    }
    if seen.iter().all(Seen::is_certainly_nobody) {
        let ips: Vec<_> = seen.iter().map(|seen| seen.ip).collect();
        return not_ready(Code::Port443, port_words(&listed(&ips).unwrap_or_default(), port));
    }
    Verdict::Unknown
}

/// The verdict on a name for which the resolver does not answer: its records may well be right.
pub(super) fn unanswered(identifier: &Identifier, error: &io::Error) -> Verdict {
    let words = format!(
        "This computer's resolver does not answer for {identifier} ({error}), so nobody can tell \
         where it leads. Look at /etc/resolv.conf, and at the name's own servers."
    );
    not_ready(Code::DnsUnanswered, words)
}

/// Words for a port that the CA finds closed.
pub(super) fn port_words(ips: &str, port: u16) -> String {
    format!(
        "The CA dials port 443 (or 80) of {ips}, and nobody is there. moim is on {port}: forward \
         443 to it, or listen there with --also."
    )
}

fn not_ready(code: Code, words: String) -> Verdict {
    Verdict::NotReady(Problem::new(code, words))
}

fn listed(ips: &[IpAddr]) -> Option<String> {
    let texts: Vec<_> = ips.iter().map(IpAddr::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ip: &str, https: Answer, http: Answer) -> Seen {
        Seen { ip: ip.parse().unwrap(), is_interface: false, https, http }
    }

    fn verdict(seen: &[Seen]) -> Verdict {
        let own = ["203.0.113.7".parse().unwrap()];
        let challenge = ChallengeChoice::Auto;
        let this = Own { ips: &own, port: 4000, challenge };
        judge(&Identifier::Name("meet.example".to_owned()), seen, this)
    }

    fn code(seen: &[Seen], told: &str) -> Code {
        let Verdict::NotReady(problem) = verdict(seen) else { panic!("{:?}", verdict(seen)) };
        assert!(problem.words.contains(told), "{}", problem.words);
        problem.code
    }

    use Answer::{Other, Ours, Proxy, Refused, Silent, TlsEnded};

    #[test]
    fn name_without_address_says_which_record_to_make() {
        assert_eq!(code(&[], "record with 203.0.113.7"), Code::DnsNone);
    }

    #[test]
    fn resolver_that_does_not_answer_is_no_missing_record() {
        let name = Identifier::Name("meet.example".to_owned());
        let verdict = unanswered(&name, &io::Error::other("Temporary failure"));
        let Verdict::NotReady(problem) = verdict else { panic!("{verdict:?}") };
        assert_eq!(problem.code, Code::DnsUnanswered);
        assert!(!problem.words.contains("record"), "{}", problem.words);
    }

    #[test]
    fn name_that_leads_elsewhere_says_who_answers() {
        let nginx = || Other(Some("nginx".to_owned()));
        let elsewhere = seen("198.51.100.4", nginx(), Refused);
        let told = "points to 198.51.100.4, which answers as nginx. This server is at 203.0.113.7";
        assert_eq!(code(&[elsewhere], told), Code::DnsElsewhere);
        let behind = [seen("203.0.113.7", Ours, Silent), seen("2001:db8::9", nginx(), Silent)];
        assert_eq!(code(&behind, "AAAA record 2001:db8::9"), Code::DnsAaaa);
        let cdn = seen("198.51.100.4", Proxy("Cloudflare"), Proxy("Cloudflare"));
        assert_eq!(code(&[cdn], "Cloudflare answers for meet.example"), Code::Proxied);
    }

    #[test]
    fn dead_aaaa_record_does_not_keep_the_certificate_away() {
        let addresses = [seen("203.0.113.7", Ours, Silent), seen("2001:db8::9", Silent, Silent)];
        assert_eq!(verdict(&addresses), Verdict::Ours { https: true, http: false });
    }

    #[test]
    fn closed_port_is_certain_on_own_interfaces_alone() {
        let mut closed = seen("203.0.113.7", Refused, Refused);
        assert_eq!(verdict(std::slice::from_ref(&closed)), Verdict::Unknown, "without hairpin NAT");
        closed.is_interface = true;
        assert_eq!(code(&[closed], "moim is on 4000"), Code::Port443);
        assert_eq!(verdict(&[seen("203.0.113.7", Silent, Silent)]), Verdict::Unknown);
    }

    #[test]
    fn program_that_ends_tls_leaves_port_80_or_nothing() {
        let ended = seen("203.0.113.7", TlsEnded, Refused);
        assert_eq!(code(&[ended], "ends TLS for meet.example"), Code::Proxied);
        let with_http = seen("203.0.113.7", TlsEnded, Ours);
        assert_eq!(verdict(&[with_http]), Verdict::Ours { https: false, http: true });
    }

    #[test]
    fn port_of_the_other_kind_of_proof_does_not_count() {
        let mut addresses = [seen("203.0.113.7", Ours, Other(None))];
        let judged = |seen: &[Seen], challenge| {
            let this = Own { ips: &[], port: 443, challenge };
            judge(&Identifier::Name("meet.example".to_owned()), seen, this)
        };
        let ours = Verdict::Ours { https: true, http: false };
        assert_eq!(judged(&addresses, ChallengeChoice::TlsAlpn01), ours);
        let elsewhere = judged(&addresses, ChallengeChoice::Http01);
        assert!(matches!(elsewhere, Verdict::NotReady(told) if told.code == Code::DnsElsewhere));
        (addresses[0].http, addresses[0].is_interface) = (Refused, true);
        let closed = judged(&addresses, ChallengeChoice::Http01);
        assert!(matches!(closed, Verdict::NotReady(told) if told.code == Code::Port443));
    }

    #[test]
    fn ports_that_answer_choose_the_proof() {
        let both = [seen("203.0.113.7", Refused, Ours), seen("203.0.113.8", Silent, Silent)];
        assert_eq!(verdict(&both), Verdict::Ours { https: false, http: true });
    }
}
