//! The `iceServers` a participant is given: our own STUN and TURN on the port it came by.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use room::protocol::{IceServer, ParticipantId};
use turn::rest::Credential;

use super::config::Config;
use crate::socket::app::Handshake;

/// Where a client found us.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Host as in a URL.
    host: Box<str>,
    port: u16,
}

impl Found {
    pub(super) fn new(config: &Config, handshake: &Handshake) -> Self {
        let named = handshake.host.as_deref().filter(|host| is_host(host));
        let host = named.map_or_else(|| in_url(config.fallback).into(), Into::into);
        Self { host, port: handshake.local_port }
    }
}

/// Our servers for a client that found us there, with a fresh credential.
pub(super) fn servers(config: &Config, found: &Found, who: &ParticipantId) -> Vec<IceServer> {
    let (named, port) = (&*found.host, found.port);
    let mut hosts: Vec<String> = config.announce.iter().copied().map(in_url).collect();
    if hosts.is_empty() {
        hosts.push(named.to_owned());
    }
    let stun = hosts.iter().map(|host| format!("stun:{host}:{port}"));
    let turn = hosts.iter().flat_map(|host| {
        [format!("turn:{host}:{port}?transport=udp"), format!("turn:{host}:{port}?transport=tcp")]
    });
    // The certificate is for the name by which the page was reached, hardly for an address.
    let turns = [format!("turns:{named}:{port}?transport=tcp")];
    let expiry = expiry_unix(config.credential_lifetime);
    let credential = Credential::mint(&config.turn_secret, expiry, who.as_str());
    vec![
        IceServer { urls: stun.collect(), username: None, credential: None },
        IceServer {
            urls: turn.chain(turns).collect(),
            username: Some(credential.username),
            credential: Some(credential.password),
        },
    ]
}

/// Seconds since 1970.
fn expiry_unix(lifetime: Duration) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (now + lifetime).as_secs()
}

fn in_url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// A name or address as it stands in a URL (RFC 7065 §3.1 by way of RFC 3986 §3.2.2).
fn is_host(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            !host.is_empty() && host.len() <= 253 && host.bytes().all(plain)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(host: Option<&str>) -> Handshake {
        Handshake {
            address: IpAddr::from([192, 0, 2, 7]),
            local_port: 4000,
            host: host.map(str::to_owned),
            secure: false,
            path: "/socket.io/",
            namespace: "/".into(),
            auth: None,
        }
    }

    fn given(config: &Config, host: Option<&str>) -> Vec<IceServer> {
        let id: ParticipantId = serde_json::from_str("\"ann\"").unwrap();
        servers(config, &Found::new(config, &handshake(host)), &id)
    }

    fn config() -> Config {
        Config::new(b"secret".as_slice().into())
    }

    #[test]
    fn the_servers_are_where_the_page_was_found() {
        let [stun, turn] = &given(&config(), Some("moim.example"))[..] else { panic!("two") };
        assert_eq!(stun.urls, ["stun:moim.example:4000"]);
        assert_eq!(
            turn.urls,
            [
                "turn:moim.example:4000?transport=udp",
                "turn:moim.example:4000?transport=tcp",
                "turns:moim.example:4000?transport=tcp",
            ]
        );
        assert_eq!(given(&config(), Some("[2001:db8::1]"))[0].urls, ["stun:[2001:db8::1]:4000"]);
        for odd in [None, Some("a b"), Some("a?transport=x"), Some("[x]"), Some("")] {
            assert_eq!(given(&config(), odd)[0].urls, ["stun:127.0.0.1:4000"], "{odd:?}");
        }
    }

    #[test]
    fn what_is_announced_comes_before_what_the_client_says() {
        let addresses = ["198.51.100.1", "2001:db8::5"];
        let announce = addresses.map(|address| address.parse().unwrap()).to_vec();
        let config = Config { announce, ..config() };
        let [stun, turn] = &given(&config, Some("moim.example"))[..] else { panic!("two") };
        assert_eq!(stun.urls, ["stun:198.51.100.1:4000", "stun:[2001:db8::5]:4000"]);
        assert_eq!(turn.urls.len(), 5);
        assert_eq!(turn.urls[4], "turns:moim.example:4000?transport=tcp");
    }

    #[test]
    fn the_credential_is_one_the_turn_server_takes() {
        let servers = given(&config(), Some("moim.example"));
        let turn = &servers[1];
        let credential = Credential {
            username: turn.username.clone().unwrap(),
            password: turn.credential.clone().unwrap(),
        };
        let now = expiry_unix(Duration::ZERO);
        assert!(credential.username.ends_with(":ann"));
        assert!(credential.verify(b"secret", now));
        assert!(credential.verify(b"secret", now + 11 * 60 * 60));
        assert!(!credential.verify(b"secret", now + 13 * 60 * 60));
    }
}
