//! Public addresses of a server behind a NAT.

use std::{
    collections::HashSet,
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use anyhow::bail;
use serde::Deserialize;

/// The most announced addresses: each adds candidates and STUN and TURN URLs for browsers to try.
const MAX_ANNOUNCED: usize = 4;

/// A public address, with the external port if the NAT maps another one to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Announce {
    pub(crate) ip: IpAddr,
    port: Option<u16>,
}

/// The text is not an address to announce.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write IP or IP:PORT, IPv6 with a port in brackets: 192.0.2.1:443 or [2001:db8::1]:443")]
pub(crate) struct ParseAnnounceError;

impl Announce {
    /// The public address of the service on our port `local`.
    pub(crate) fn at(self, local: u16) -> SocketAddr {
        SocketAddr::new(self.ip, self.port(local))
    }

    /// The external port of our port `local`.
    pub(crate) fn port(self, local: u16) -> u16 {
        self.port.unwrap_or(local)
    }

    /// Checks that there are not too many addresses, and that all are reachable.
    pub(super) fn check(mut announced: Vec<Self>) -> anyhow::Result<Vec<Self>> {
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

impl TryFrom<String> for Announce {
    type Error = ParseAnnounceError;

    fn try_from(text: String) -> Result<Self, ParseAnnounceError> {
        text.parse()
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
    fn check_keeps_several_addresses_and_ports_of_a_family_once() {
        let announced = |texts: &[&str]| -> Vec<Announce> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let given = announced(&["192.0.2.1", "192.0.2.1:443", "192.0.2.2", "192.0.2.1"]);
        let kept = announced(&["192.0.2.1", "192.0.2.1:443", "192.0.2.2"]);
        assert_eq!(Announce::check(given).unwrap(), kept);
    }
}
