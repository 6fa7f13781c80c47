//! The address of an engine.

use std::{fmt, str::FromStr};

use redis::{
    Client, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType},
};
use url::Url;

/// The default port of a Sentinel.
const SENTINEL_PORT: u16 = 26379;
/// Sentinels of one address.
const MAX_SENTINELS: usize = 16;

/// The address of an engine: of a server, or of the Sentinels that know it. `Debug` and `Display`
/// show no password.
#[derive(Clone)]
pub struct Endpoint(Kind);

#[derive(Clone)]
enum Kind {
    Server(Box<ConnectionInfo>),
    Sentinels { sentinels: Vec<(String, u16)>, service: String, redis: Box<RedisConnectionInfo> },
}

/// The fault of an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseEndpointError {
    /// Of another form.
    #[error(
        "expected redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], rediss://… with TLS, unix:PATH, or \
         redis+sentinel://[USER:PASSWORD@]HOST[:PORT],…/SERVICE[/DATABASE]"
    )]
    Form,
    /// The client's library refuses it.
    #[error("{0}")]
    Invalid(String),
}

impl Endpoint {
    /// A client of the server, which Sentinels are asked for first.
    pub(crate) async fn client(&self) -> Result<Client, RedisError> {
        match &self.0 {
            Kind::Server(info) => Client::open(ConnectionInfo::clone(info)),
            Kind::Sentinels { sentinels, service, redis } => {
                let node = SentinelNodeConnectionInfo::default()
                    .set_redis_connection_info(RedisConnectionInfo::clone(redis));
                let kind = SentinelServerType::Master;
                SentinelClient::build(sentinels.clone(), service, Some(node), kind)?
                    .async_get_client()
                    .await
            }
        }
    }

    /// True if the address has a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.login().password().is_some()
    }

    /// The same with a password.
    #[must_use]
    pub fn with_password(self, password: &str) -> Self {
        let login = self.login().clone().set_password(password);
        Self(match self.0 {
            Kind::Server(info) => Kind::Server(Box::new(info.set_redis_settings(login))),
            Kind::Sentinels { sentinels, service, .. } => {
                Kind::Sentinels { sentinels, service, redis: Box::new(login) }
            }
        })
    }

    fn login(&self) -> &RedisConnectionInfo {
        match &self.0 {
            Kind::Server(info) => info.redis_settings(),
            Kind::Sentinels { redis, .. } => redis,
        }
    }

    /// True if the connection is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(&self.0, Kind::Server(info) if matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. }))
    }
}

impl FromStr for Endpoint {
    type Err = ParseEndpointError;

    fn from_str(text: &str) -> Result<Self, ParseEndpointError> {
        if let Some(rest) = text.strip_prefix("redis+sentinel://") {
            return sentinels(rest).map(Self);
        }
        if text.contains('#') {
            // The library's `#insecure` would accept any certificate.
            return Err(ParseEndpointError::Form);
        }
        let url = redis::parse_redis_url(text).ok_or(ParseEndpointError::Form)?;
        let info = url.into_connection_info();
        let info = info.map_err(|error| ParseEndpointError::Invalid(error.to_string()))?;
        Ok(Self(Kind::Server(Box::new(info))))
    }
}

/// Parses `[USER:PASSWORD@]HOST[:PORT],…/SERVICE[/DATABASE]`.
fn sentinels(text: &str) -> Result<Kind, ParseEndpointError> {
    let (authority, path) = text.split_once('/').ok_or(ParseEndpointError::Form)?;
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (Some(login), hosts),
        None => (None, authority),
    };
    let (service, database) = path.split_once('/').unwrap_or((path, "0"));
    let database = database.parse().map_err(|_| ParseEndpointError::Form)?;
    let sentinels = hosts.split(',').map(host_and_port).collect::<Option<Vec<_>>>();
    let sentinels = sentinels.filter(|all| all.len() <= MAX_SENTINELS);
    let sentinels = sentinels.ok_or(ParseEndpointError::Form)?;
    if service.is_empty() || service.contains(char::is_whitespace) {
        return Err(ParseEndpointError::Form);
    }
    let mut redis = RedisConnectionInfo::default().set_db(database);
    if let Some(login) = login {
        // The library decodes names and passwords of an ordinary address.
        let with_login = format!("redis://{login}@localhost");
        let info = with_login.as_str().into_connection_info();
        let info = info.map_err(|error| ParseEndpointError::Invalid(error.to_string()))?;
        redis = info.redis_settings().clone().set_db(database);
    }
    Ok(Kind::Sentinels { sentinels, service: service.to_owned(), redis: Box::new(redis) })
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    let url = Url::parse(&format!("redis://{text}")).ok()?;
    let is_plain = url.username().is_empty() && matches!(url.path(), "" | "/");
    let host = url.host_str().filter(|host| is_plain && !host.is_empty())?;
    let host = host.trim_matches(['[', ']']).to_owned();
    Some((host, url.port().unwrap_or(SENTINEL_PORT)))
}

/// The address without name and password.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Server(info) => {
                let tls = matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. });
                let scheme = match info.addr() {
                    redis::ConnectionAddr::Unix(_) => "unix:",
                    _ if tls => "rediss://",
                    _ => "redis://",
                };
                write!(f, "{scheme}{}", info.addr())?;
                match info.redis_settings().db() {
                    0 => Ok(()),
                    database => write!(f, "/{database}"),
                }
            }
            Kind::Sentinels { sentinels, service, .. } => {
                f.write_str("redis+sentinel://")?;
                for (index, (host, port)) in sentinels.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    match host.contains(':') {
                        true => write!(f, "{comma}[{host}]:{port}")?,
                        false => write!(f, "{comma}{host}:{port}")?,
                    }
                }
                write!(f, "/{service}")
            }
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_passwords() {
        for (text, shown) in [
            ("redis://localhost", "redis://localhost:6379"),
            ("redis://:secret@10.0.0.1:7000/3", "redis://10.0.0.1:7000/3"),
            ("valkey://valkey.example.org", "redis://valkey.example.org:6379"),
            ("rediss://user:secret@redis.example.org", "rediss://redis.example.org:6379"),
            ("unix:/run/redis.sock", "unix:/run/redis.sock"),
            ("redis+sentinel://a,b:7,[::1]/main", "redis+sentinel://a:26379,b:7,[::1]:26379/main"),
            ("redis+sentinel://u:secret@a/main/2", "redis+sentinel://a:26379/main"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert!(!format!("{endpoint:?}").contains("secret"));
        }
    }

    #[test]
    fn password_is_added_to_an_address_without_one() {
        for text in ["redis://localhost", "redis+sentinel://user@a,b/main"] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert!(!endpoint.has_password());
            let endpoint = endpoint.with_password("secret");
            assert!(endpoint.has_password() && !endpoint.to_string().contains("secret"));
        }
    }

    #[test]
    fn passwords_of_sentinels_servers_are_decoded() {
        let endpoint: Endpoint = "redis+sentinel://u:a%2Fb@host/main/2".parse().unwrap();
        let Kind::Sentinels { redis, .. } = endpoint.0 else { panic!() };
        assert_eq!((redis.username(), redis.password(), redis.db()), (Some("u"), Some("a/b"), 2));
    }

    #[test]
    fn other_addresses_are_refused() {
        for text in [
            "",
            "localhost:6379",
            "http://localhost",
            "redis://localhost/first",
            "redis://0.0.0.0",
            "rediss://localhost/#insecure",
            "redis+sentinel://a,b",
            "redis+sentinel:///main",
            "redis+sentinel://a,,b/main",
            "redis+sentinel://a:x/main",
            "redis+sentinel://a/main/x",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
