//! `iceServers` of participants: STUN and TURN of this server, on the port that the client reached.

use std::net::{IpAddr, SocketAddr};

use room::protocol::IceServer;

use super::config::Config;
use crate::{shard::turn::RelayAccess, socketio::Handshake};

/// Host and port by which a client reached the server.
#[derive(Debug, Clone)]
pub(super) struct ReachedHost {
    /// Host, as written in a URL.
    host: Box<str>,
    /// Our end of the client's connection.
    local: SocketAddr,
}

impl ReachedHost {
    pub(super) fn new(config: &Config, handshake: &Handshake) -> Self {
        Self::of(config, handshake.host.as_deref(), handshake.local)
    }

    /// The host that a client named on its connection to `local`.
    pub(super) fn of(config: &Config, host: Option<&str>, local: SocketAddr) -> Self {
        let host = host.filter(|host| is_host(host));
        let host =
            host.map_or_else(|| in_url(config.reachable.current().fallback()).into(), Into::into);
        Self { host, local }
    }
}

/// Returns the `iceServers` of a client; TURN, with a new credential, only with relay access.
pub(super) fn servers(
    config: &Config,
    reached: &ReachedHost,
    access: Option<&RelayAccess>,
) -> Vec<IceServer> {
    let host = &*reached.host;
    let reachable = config.reachable.current();
    let port = reachable.port_at(host, reached.local.port());
    let addresses = reachable.for_client_of(reached.local);
    let mut hosts: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    if hosts.is_empty() {
        hosts.push(format!("{host}:{port}"));
    }
    let stun = hosts.iter().map(|host| format!("stun:{host}")).collect();
    let mut servers = vec![IceServer { urls: stun, username: None, credential: None }];
    let Some(access) = access else { return servers };
    let turn = hosts.iter().flat_map(|host| {
        [format!("turn:{host}?transport=udp"), format!("turn:{host}?transport=tcp")]
    });
    // The certificate covers the host name of the page, rarely an address.
    let turns = [format!("turns:{host}:{port}?transport=tcp")];
    let credential = access.mint(config.credential_lifetime);
    servers.push(IceServer {
        urls: turn.chain(turns).collect(),
        username: Some(credential.username),
        credential: Some(credential.password),
    });
    servers
}

fn in_url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// Validates a host name or address in a URL (RFC 7065 §3.1, RFC 3986 §3.2.2).
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
    use std::time::SystemTime;

    use turn::rest::Credential;

    use super::*;
    use crate::{
        net::{interfaces::Interfaces, reachable::ReachableAddresses},
        shard::turn::RoomCredentials,
    };

    fn handshake(host: Option<&str>) -> Handshake {
        Handshake {
            open_for: std::time::Duration::ZERO,
            address: IpAddr::from([192, 0, 2, 7]),
            local: ([10, 0, 0, 2], 4000).into(),
            host: host.map(str::to_owned),
            secure: false,
            path: "/socket.io/",
            namespace: "/".into(),
            auth: None,
            bearer: None,
            session: None,
            door: None,
        }
    }

    fn given(config: &Config, host: Option<&str>) -> Vec<IceServer> {
        let access = config.credentials.admit("ann");
        servers(config, &ReachedHost::new(config, &handshake(host)), access.as_ref())
    }

    fn config() -> Config {
        Config::new(RoomCredentials::new(b"secret"))
    }

    #[test]
    fn servers_use_the_host_of_the_page() {
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
    fn announced_and_interface_addresses_replace_the_clients_host() {
        let announce = ["198.51.100.1:8443", "[2001:db8::5]:8444"];
        let announce = announce.map(|address| address.parse().unwrap());
        let listen = [handshake(None).local];
        let reachable = ReachableAddresses::new(&listen, &announce, false, Interfaces::default());
        let config = Config { reachable: reachable.into(), ..config() };
        let [stun, turn] = &given(&config, Some("moim.example"))[..] else { panic!("two") };
        assert_eq!(
            stun.urls,
            ["stun:198.51.100.1:8443", "stun:[2001:db8::5]:8444", "stun:10.0.0.2:4000"]
        );
        assert_eq!(
            turn.urls,
            [
                "turn:198.51.100.1:8443?transport=udp",
                "turn:198.51.100.1:8443?transport=tcp",
                "turn:[2001:db8::5]:8444?transport=udp",
                "turn:[2001:db8::5]:8444?transport=tcp",
                "turn:10.0.0.2:4000?transport=udp",
                "turn:10.0.0.2:4000?transport=tcp",
                "turns:moim.example:8443?transport=tcp",
            ]
        );
        let inner = given(&config, Some("10.0.0.2"));
        assert_eq!(inner[1].urls[6], "turns:10.0.0.2:4000?transport=tcp");
    }

    #[test]
    fn announce_only_leaves_interface_addresses_out() {
        let announce = ["198.51.100.1".parse().unwrap()];
        let reachable = ReachableAddresses::new(
            &[handshake(None).local],
            &announce,
            true,
            Interfaces::default(),
        );
        let config = Config { reachable: reachable.into(), ..config() };
        let [stun, turn] = &given(&config, Some("moim.example"))[..] else { panic!("two") };
        assert_eq!(stun.urls, ["stun:198.51.100.1:4000"]);
        assert_eq!(turn.urls.len(), 3);
    }

    #[test]
    fn no_relay_access_yields_stun_only() {
        let config = config();
        let reached = ReachedHost::new(&config, &handshake(Some("moim.example")));
        let [stun] = &servers(&config, &reached, None)[..] else { panic!("one") };
        assert_eq!(stun.urls, ["stun:moim.example:4000"]);
    }

    #[test]
    fn credential_expires_after_ten_minutes() {
        let servers = given(&config(), Some("moim.example"));
        let turn = &servers[1];
        let credential = Credential {
            username: turn.username.clone().unwrap(),
            password: turn.credential.clone().unwrap(),
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert!(credential.username.ends_with(":ann"));
        assert!(credential.verify(b"secret", now));
        assert!(credential.verify(b"secret", now + 9 * 60));
        assert!(!credential.verify(b"secret", now + 11 * 60));
    }
}
