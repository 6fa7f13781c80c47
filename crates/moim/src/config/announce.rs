//! Public addresses of a server behind a NAT.

use std::{
    collections::HashSet,
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use anyhow::bail;
use serde::Deserialize;

/// A public address, or the order to find them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum AnnounceChoice {
    /// Addresses that the server finds.
    Auto(AutoAnnounce),
    /// An address.
    At(Announce),
}

/// Announced addresses are those that the server finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct AutoAnnounce {
    /// The external port, if the NAT maps another one to ours.
    port: Option<u16>,
}

impl AutoAnnounce {
    /// An address to announce.
    pub(crate) fn with(self, ip: IpAddr) -> Announce {
        Announce { ip, port: self.port }
    }
}

/// The most announced addresses: each adds candidates and STUN and TURN URLs for browsers to try.
const MAX_ANNOUNCED: usize = 4;

/// A public address, with the external port if the NAT maps another one to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Announce {
    pub(crate) ip: IpAddr,
    port: Option<u16>,
}

/// The text is not an address to announce.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write IP or IP:PORT, IPv6 with a port in brackets: 192.0.2.1:443 or [2001:db8::1]:443; or \
     write auto or auto:PORT"
)]
pub(crate) struct ParseAnnounceError;

impl Announce {
    /// The address `ip`, with the external port.
    pub(crate) fn new(ip: IpAddr, port: u16) -> Self {
        Self { ip, port: Some(port) }
    }

    /// The public address of the service on our port `local`.
    pub(crate) fn at(self, local: u16) -> SocketAddr {
        SocketAddr::new(self.ip, self.port(local))
    }

    /// The external port of our port `local`.
    pub(crate) fn port(self, local: u16) -> u16 {
        self.port.unwrap_or(local)
    }

    /// Checks that there are not too many addresses, and that all are reachable.
    fn check(mut announced: Vec<Self>) -> anyhow::Result<Vec<Self>> {
        let mut seen = HashSet::new();
        announced.retain(|address| seen.insert(*address));
        if announced.len() > MAX_ANNOUNCED {
            bail!(
                "--announce takes at most {MAX_ANNOUNCED} addresses, since browsers try each of \
                 them: leave {} out",
                announced.len() - MAX_ANNOUNCED
            );
        }
        let unreachable = |address: &&Self| {
            address.ip.is_unspecified() || address.ip.is_multicast() || address.port == Some(0)
        };
        if let Some(address) = announced.iter().find(unreachable) {
            bail!("--announce {address} is not reachable from elsewhere: give a public address");
        }
        Ok(announced)
    }
}

impl AnnounceChoice {
    /// The addresses given, or the order to find them: not both.
    pub(super) fn resolve(
        choices: Vec<Self>,
    ) -> anyhow::Result<(Vec<Announce>, Option<AutoAnnounce>)> {
        let (mut announced, mut autos) = (Vec::new(), HashSet::new());
        for choice in choices {
            match choice {
                Self::Auto(auto) => _ = autos.insert(auto),
                Self::At(address) => announced.push(address),
            }
        }
        if autos.len() > 1 || (!autos.is_empty() && !announced.is_empty()) {
            bail!("--announce auto finds the addresses itself: give it alone, or leave it out");
        }
        Ok((Announce::check(announced)?, autos.into_iter().next()))
    }
}

impl FromStr for AnnounceChoice {
    type Err = ParseAnnounceError;

    fn from_str(text: &str) -> Result<Self, ParseAnnounceError> {
        let Some(rest) = text.strip_prefix("auto") else { return text.parse().map(Self::At) };
        let port = match rest.strip_prefix(':').map(str::parse) {
            Some(Ok(0) | Err(_)) => return Err(ParseAnnounceError),
            Some(Ok(port)) => Some(port),
            None if rest.is_empty() => None,
            None => return Err(ParseAnnounceError),
        };
        Ok(Self::Auto(AutoAnnounce { port }))
    }
}

impl TryFrom<String> for AnnounceChoice {
    type Error = ParseAnnounceError;

    fn try_from(text: String) -> Result<Self, ParseAnnounceError> {
        text.parse()
    }
}

impl From<IpAddr> for Announce {
    fn from(ip: IpAddr) -> Self {
        Self { ip, port: None }
    }
}

impl FromStr for Announce {
    type Err = ParseAnnounceError;

    fn from_str(text: &str) -> Result<Self, ParseAnnounceError> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(ip.into());
        }
        let address: SocketAddr = text.parse().map_err(|_| ParseAnnounceError)?;
        Ok(Self { ip: address.ip(), port: Some(address.port()) })
    }
}

impl fmt::Display for Announce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_accepts_addresses_with_and_without_a_port() {
        for (text, at) in [
            ("192.0.2.1", "192.0.2.1:4000"),
            ("192.0.2.1:8443", "192.0.2.1:8443"),
            ("2001:db8::1", "[2001:db8::1]:4000"),
            ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
        ] {
            let announce: Announce = text.parse().unwrap();
            assert_eq!(announce.at(4000), at.parse().unwrap());
            assert_eq!(announce.to_string(), text);
        }
        for text in
            ["", ":8443", "192.0.2.1:", "192.0.2.1:70000", "moim.example:1", "[::1", "[::1]"]
        {
            assert_eq!(text.parse::<Announce>(), Err(ParseAnnounceError), "{text}");
        }
    }

    #[test]
    fn check_rejects_unreachable_addresses_and_too_many() {
        for texts in [
            &["0.0.0.0"][..],
            &["192.0.2.1:0"],
            &["224.0.0.1"],
            &["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "2001:db8::1"],
        ] {
            let announced = texts.iter().map(|text| text.parse().unwrap()).collect();
            let error = Announce::check(announced).unwrap_err();
            assert!(error.to_string().contains("--announce"), "{error}");
        }
    }

    #[test]
    fn auto_stands_alone_and_may_have_an_external_port() {
        let resolve = |texts: &[&str]| {
            AnnounceChoice::resolve(texts.iter().map(|text| text.parse().unwrap()).collect())
        };
        let (announced, auto) = resolve(&["auto:443"]).unwrap();
        let ip = "192.0.2.1".parse().unwrap();
        assert!(announced.is_empty());
        assert_eq!(auto.unwrap().with(ip), "192.0.2.1:443".parse().unwrap());
        let (_, auto) = resolve(&["auto", "auto"]).unwrap();
        assert_eq!(auto.unwrap().with(ip), ip.into());
        assert_eq!(resolve(&["192.0.2.1"]).unwrap(), (vec![ip.into()], None));
        for texts in [&["auto", "192.0.2.1"][..], &["auto", "auto:443"]] {
            assert!(resolve(texts).unwrap_err().to_string().contains("alone"), "{texts:?}");
        }
        for text in ["auto:", "auto:0", "auto:x", "automatic", "Auto"] {
            assert_eq!(text.parse::<AnnounceChoice>(), Err(ParseAnnounceError), "{text}");
        }
    }

    #[test]
    fn check_keeps_several_addresses_and_ports_of_a_family_once() {
        let announced = |texts: &[&str]| -> Vec<Announce> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let given = announced(&["192.0.2.1", "192.0.2.1:443", "192.0.2.2", "192.0.2.1"]);
        let kept = announced(&["192.0.2.1", "192.0.2.1:443", "192.0.2.2"]);
        assert_eq!(Announce::check(given).unwrap(), kept);
    }
}
