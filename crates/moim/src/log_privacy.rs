//! Names and addresses in log lines: keyed hashes and prefixes, unless the operator wants more.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::OnceLock,
};

use doctor::server::address::is_global;

/// Addresses in log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum LogAddresses {
    /// The first 24 bits of IPv4, 48 of IPv6: a network, no person.
    #[default]
    Cut,
    Full,
    None,
}

/// What log lines may tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LogPrivacy {
    /// Names of rooms and participants in clear.
    pub(crate) names: bool,
    pub(crate) addresses: LogAddresses,
}

static PRIVACY: OnceLock<LogPrivacy> = OnceLock::new();
/// The key of the hashes: new with each start, so that nobody can look names up in old logs.
static KEY: OnceLock<RandomState> = OnceLock::new();

/// Sets what log lines may tell, once at the start.
pub(crate) fn set(privacy: LogPrivacy) {
    let _ = PRIVACY.set(privacy);
}

fn privacy() -> LogPrivacy {
    PRIVACY.get().copied().unwrap_or_default()
}

/// A name for a log line: the same name has the same text until the server restarts.
pub(crate) fn name(name: &str) -> String {
    hidden_name(name, privacy())
}

/// An address for a log line.
pub(crate) fn address(address: IpAddr) -> String {
    hidden_address(address, privacy())
}

/// An address that may be a proxy of the operator, with the flag that trusts it. Addresses of
/// private networks are whole: they are this site's, and the operator needs them.
pub(crate) fn proxy(ip: IpAddr) -> (String, String) {
    proxy_text(ip.to_canonical(), privacy())
}

fn proxy_text(ip: IpAddr, privacy: LogPrivacy) -> (String, String) {
    if !is_global(ip) || privacy.addresses == LogAddresses::Full {
        return (ip.to_string(), format!("--trusted-proxy {ip}"));
    }
    let remedy = "--trusted-proxy and its address, which --log-addresses full shows";
    (hidden_address(ip, privacy), remedy.to_owned())
}

fn hidden_name(name: &str, privacy: LogPrivacy) -> String {
    if privacy.names {
        return name.to_owned();
    }
    let hash = KEY.get_or_init(RandomState::new).hash_one(name);
    format!("#{:010x}", hash >> 24)
}

fn hidden_address(address: IpAddr, privacy: LogPrivacy) -> String {
    match (privacy.addresses, address.to_canonical()) {
        (LogAddresses::Full, address) => address.to_string(),
        (LogAddresses::None, _) => "-".to_owned(),
        (LogAddresses::Cut, IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        (LogAddresses::Cut, IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hashed_with_a_key_unless_wanted() {
        let hidden = LogPrivacy::default();
        let one = hidden_name("board meeting", hidden);
        assert!(!one.contains("board") && one.len() == 11, "{one}");
        assert_eq!(one, hidden_name("board meeting", hidden));
        assert_ne!(one, hidden_name("board meetinh", hidden));
        let open = LogPrivacy { names: true, ..hidden };
        assert_eq!(hidden_name("board meeting", open), "board meeting");
    }

    #[test]
    fn proxies_of_private_networks_are_whole_and_others_as_wanted() {
        let of = |text: &str, addresses| {
            proxy_text(text.parse().unwrap(), LogPrivacy { names: false, addresses })
        };
        let (address, remedy) = of("172.18.0.5", LogAddresses::None);
        assert_eq!((&*address, &*remedy), ("172.18.0.5", "--trusted-proxy 172.18.0.5"));
        let (address, remedy) = of("93.184.216.34", LogAddresses::Cut);
        assert_eq!(address, "93.184.216.0/24");
        assert!(!remedy.contains("93.184"), "trusting the network is no remedy: {remedy}");
        assert_eq!(of("93.184.216.34", LogAddresses::Full).1, "--trusted-proxy 93.184.216.34");
    }

    #[test]
    fn addresses_are_cut_to_networks_unless_wanted() {
        let of = |text: &str, addresses| {
            hidden_address(text.parse().unwrap(), LogPrivacy { names: false, addresses })
        };
        assert_eq!(of("203.0.113.77", LogAddresses::Cut), "203.0.113.0/24");
        assert_eq!(of("::ffff:203.0.113.77", LogAddresses::Cut), "203.0.113.0/24");
        assert_eq!(of("2001:db8:7:8::9", LogAddresses::Cut), "2001:db8:7::/48");
        assert_eq!(of("203.0.113.77", LogAddresses::Full), "203.0.113.77");
        assert_eq!(of("203.0.113.77", LogAddresses::None), "-");
    }
}
