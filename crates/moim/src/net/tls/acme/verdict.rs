//! Whether a name leads to this server, judged by what its addresses answered. Pure.

use std::{fmt::Write, net::IpAddr};

use super::{
    problem::{Code, Problem},
    target::Identifier,
};

/// What one address answered, of one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// This server.
    Ours,
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

/// Judges the answers of the addresses of `identifier`. `own` are the public addresses of this
/// server, as far as it knows them.
pub(super) fn judge(identifier: &Identifier, seen: &[Seen], own: &[IpAddr], port: u16) -> Verdict {
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
        judge(&Identifier::Name("meet.example".to_owned()), seen, &own, 4000)
    }

    fn code(seen: &[Seen], told: &str) -> Code {
        let Verdict::NotReady(problem) = verdict(seen) else { panic!("{:?}", verdict(seen)) };
        assert!(problem.words.contains(told), "{}", problem.words);
        problem.code
    }

    use Answer::{Other, Ours, Proxy, Refused, Silent};

    #[test]
    fn name_without_address_says_which_record_to_make() {
        assert_eq!(code(&[], "record with 203.0.113.7"), Code::DnsNone);
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
    fn ports_that_answer_choose_the_proof() {
        let both = [seen("203.0.113.7", Refused, Ours), seen("203.0.113.8", Silent, Silent)];
        assert_eq!(verdict(&both), Verdict::Ours { https: false, http: true });
    }
}
