//! The start-up banner: the server's URLs and a QR code.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
    net::{IpAddr, SocketAddr},
};

use crate::{
    config::{Announce, DomainName},
    net::reachable::ReachableAddresses,
    qr::qr,
};

/// Addresses to open in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Urls {
    /// On this computer, where browsers treat plain HTTP as secure.
    local: Option<String>,
    /// From other devices, the likeliest first.
    network: Vec<String>,
    /// The download URL of the local CA, where that signs our certificate.
    authority: Option<String>,
    /// The server is a relay alone, and these are `turn:` URLs.
    relay: bool,
    /// The one-time link for the first administrator, while there is none.
    admin: Option<String>,
}

/// More URLs would only confuse.
const MAX_URLS: usize = 4;

impl Urls {
    /// The URLs of a server with these addresses. A `relay` alone has `turn:` URLs (RFC 7065).
    pub(crate) fn of(addresses: &ReachableAddresses, own_ca: bool, relay: bool) -> Self {
        let (listen, announced) = (addresses.listen(), addresses.announced());
        Self::among(listen, announced, addresses.told_interfaces(), own_ca, relay)
    }

    /// The same with the public names first. Each is at the external port of the first address.
    pub(crate) fn with_domains(
        mut self,
        domains: &[&DomainName],
        addresses: &[SocketAddr],
        announce: &[Announce],
    ) -> Self {
        let ports = addresses.iter().map(|address| match announce.first() {
            Some(announced) => announced.port(address.port()),
            None => address.port(),
        });
        let ports: Vec<_> = ports.collect();
        let port = ports.iter().find(|port| **port == 443).or(ports.first()).copied();
        let scheme = if self.relay { "turn" } else { "https" };
        let named = domains.iter().map(|name| url(scheme, name.as_str(), port.unwrap_or(443)));
        self.network = named.chain(self.network).take(MAX_URLS).collect();
        self
    }

    /// The same with the path of the one-time link for the first administrator.
    pub(crate) fn with_admin(self, path: &str) -> Self {
        let admin = Some(format!("{}{path}", self.main()));
        Self { admin, ..self }
    }

    /// The likeliest URL for others, such as `https://moim.example`.
    pub(crate) fn main(&self) -> &str {
        self.network.first().or(self.local.as_ref()).map_or("", String::as_str)
    }

    fn among(
        addresses: &[SocketAddr],
        announce: &[Announce],
        interfaces: &[IpAddr],
        own_ca: bool,
        relay: bool,
    ) -> Self {
        let (plain, secure) = if relay { ("turn", "turn") } else { ("http", "https") };
        let local = addresses
            .iter()
            .find(|address| address.ip().is_unspecified() || address.ip().is_loopback())
            .map(|address| url(plain, "localhost", address.port()));
        let mut reached = Vec::new();
        for address in addresses {
            let (ip, port) = (address.ip(), address.port());
            let announced = announce.iter().map(|announced| announced.at(port));
            match ip {
                ip if ip.is_loopback() => {}
                ip if ip.is_unspecified() => {
                    let own = interfaces.iter().map(|own| SocketAddr::new(*own, port));
                    let same = |other: &SocketAddr| other.is_ipv4() == ip.is_ipv4();
                    reached.extend(announced.chain(own).filter(same));
                }
                _ => reached.extend(announced.chain([*address])),
            }
        }
        // IPv4 addresses are easier to type, so IPv6 ones are shown only without them.
        if reached.iter().any(SocketAddr::is_ipv4) {
            reached.retain(SocketAddr::is_ipv4);
        }
        let mut seen = std::collections::HashSet::new();
        reached.retain(|address| seen.insert(*address));
        reached.truncate(MAX_URLS);
        let network = |scheme| {
            reached.iter().map(move |address| url(scheme, &host(address.ip()), address.port()))
        };
        let authority = network("http").next().filter(|_| own_ca).map(|url| url + "/ca.crt");
        Self { local, network: network(secure).collect(), authority, relay, admin: None }
    }
}

fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

fn url(scheme: &str, host: &str, port: u16) -> String {
    match (scheme, port) {
        ("http", 80) | ("https", 443) => format!("{scheme}://{host}"),
        ("turn", port) => format!("turn:{host}:{port}"),
        _ => format!("{scheme}://{host}:{port}"),
    }
}

/// Prints the banner. The server runs even if that fails.
pub(crate) fn print(urls: &Urls) {
    let mut out = io::stdout();
    let text = banner(urls, out.is_terminal());
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn banner(urls: &Urls, terminal: bool) -> String {
    let mut text = format!("moim {} is ready\n\n", env!("CARGO_PKG_VERSION"));
    if let Some(local) = &urls.local {
        let _ = writeln!(text, "  On this computer:  {local}");
    }
    for network in &urls.network {
        let _ = writeln!(text, "  On the network:    {network}");
    }
    if let Some(admin) = &urls.admin {
        let _ = writeln!(
            text,
            "\n  Administrator:     {admin}\n                     (good once, for an hour; `moim \
             ctl admin link` makes another)"
        );
    }
    if let Some(first) = urls.network.first().filter(|_| terminal && !urls.relay) {
        text.push('\n');
        text.push_str(&qr(first).unwrap_or_default());
    }
    if let Some(authority) = urls.authority.as_ref().filter(|_| urls.relay) {
        let _ = writeln!(text, "\nClients over TLS trust the certificate at {authority}.");
    } else if let Some(authority) = &urls.authority {
        let _ = write!(
            text,
            "\nA browser on another device warns once, as this server signed its certificate \
             itself: continue anyway,\nor open {authority} there first and trust that \
             certificate.\n"
        );
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(addresses: &[&str], announce: &[&str], interfaces: &[&str]) -> Urls {
        let ips = |texts: &[&str]| -> Vec<IpAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let addresses: Vec<SocketAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
        let announce: Vec<_> = announce.iter().map(|at| at.parse().unwrap()).collect();
        Urls::among(&addresses, &announce, &ips(interfaces), true, false)
    }

    #[test]
    fn relay_alone_lists_turn_urls_and_no_qr_code() {
        let addresses = ["0.0.0.0:3478".parse().unwrap()];
        let urls = Urls::among(&addresses, &[], &["192.0.2.5".parse().unwrap()], true, true);
        assert_eq!(urls.local.as_deref(), Some("turn:localhost:3478"));
        assert_eq!(urls.network, ["turn:192.0.2.5:3478"]);
        let text = banner(&urls, true);
        assert!(text.contains("http://192.0.2.5:3478/ca.crt") && !text.contains('█'), "{text}");
    }

    #[test]
    fn wildcard_address_lists_localhost_and_the_network() {
        let urls =
            urls(&["0.0.0.0:4000", "[::]:4000"], &[], &["192.168.1.5", "10.0.0.2", "2001:db8::5"]);
        assert_eq!(urls.local.as_deref(), Some("http://localhost:4000"));
        assert_eq!(urls.network, ["https://192.168.1.5:4000", "https://10.0.0.2:4000"]);
        assert_eq!(urls.authority.as_deref(), Some("http://192.168.1.5:4000/ca.crt"));
    }

    #[test]
    fn loopback_address_lists_no_network() {
        let urls = urls(&["127.0.0.1:4000"], &[], &["192.168.1.5"]);
        assert_eq!(urls.local.as_deref(), Some("http://localhost:4000"));
        assert!(urls.network.is_empty() && urls.authority.is_none());
        assert!(!banner(&urls, true).contains('█'));
    }

    #[test]
    fn announced_address_comes_first_and_default_ports_are_omitted() {
        let urls = urls(&["0.0.0.0:443"], &["203.0.113.9"], &["10.0.0.2"]);
        assert_eq!(urls.local.as_deref(), Some("http://localhost:443"));
        assert_eq!(urls.network, ["https://203.0.113.9", "https://10.0.0.2"]);
    }

    #[test]
    fn public_names_come_first() {
        let named = |listen: &[&str], announce: &[&str]| {
            let addresses: Vec<SocketAddr> = listen.iter().map(|at| at.parse().unwrap()).collect();
            let announced: Vec<_> = announce.iter().map(|at| at.parse().unwrap()).collect();
            let domain = "meet.example".parse().unwrap();
            let urls = urls(listen, announce, &["10.0.0.2"]);
            urls.with_domains(&[&domain], &addresses, &announced).network
        };
        let both = ["https://meet.example", "https://10.0.0.2"];
        assert_eq!(named(&["0.0.0.0:443", "0.0.0.0:80"], &[])[..2], both);
        assert_eq!(named(&["0.0.0.0:80", "0.0.0.0:443"], &[])[0], "https://meet.example");
        assert_eq!(named(&["0.0.0.0:4000"], &[])[0], "https://meet.example:4000");
        assert_eq!(named(&["0.0.0.0:4000"], &["203.0.113.7:443"])[0], "https://meet.example");
    }

    #[test]
    fn announced_port_is_shown() {
        let urls = urls(&["0.0.0.0:4000"], &["203.0.113.9:8443"], &["10.0.0.2"]);
        assert_eq!(urls.network, ["https://203.0.113.9:8443", "https://10.0.0.2:4000"]);
    }

    #[test]
    fn ipv6_is_shown_without_ipv4() {
        let urls = urls(&["[::]:4000"], &[], &["2001:db8::5"]);
        assert_eq!(urls.network, ["https://[2001:db8::5]:4000"]);
    }

    #[test]
    fn administrators_link_is_shown_at_the_likeliest_address() {
        let urls = urls(&["0.0.0.0:4000"], &[], &["192.168.1.5"]);
        assert!(!banner(&urls, false).contains("Administrator"));
        let text = banner(&urls.with_admin("/admin#once=x"), false);
        assert!(text.contains("https://192.168.1.5:4000/admin#once=x"), "{text}");
    }

    #[test]
    fn qr_code_is_printed_to_terminals_only() {
        let urls = urls(&["0.0.0.0:4000"], &[], &["192.168.1.5"]);
        assert!(banner(&urls, true).contains('█'));
        assert!(!banner(&urls, false).contains('\x1b'));
    }
}
