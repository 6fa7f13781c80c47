//! New connections, and what a server must be.

use std::time::Duration;

use redis::{AsyncConnectionConfig, ErrorKind, RedisError, aio::MultiplexedConnection};
use tokio::time::timeout;

use crate::{endpoint::Endpoint, error::ConnectError};

/// Time for a connection to be made, Sentinels and checks included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Connects to the primary and checks that it can be an engine.
pub(crate) async fn connect(endpoint: &Endpoint) -> Result<MultiplexedConnection, ConnectError> {
    if endpoint.is_encrypted() {
        // An error says that there is one already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    let made = timeout(CONNECT_TIMEOUT, make(endpoint)).await;
    made.unwrap_or_else(|_| Err(ConnectError::Unreachable("no answer in time".to_owned())))
}

async fn make(endpoint: &Endpoint) -> Result<MultiplexedConnection, ConnectError> {
    let client = endpoint.client().await.map_err(reason)?;
    // Each request has a time limit of its own.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(None);
    let made = client.get_multiplexed_async_connection_with_config(&config).await;
    let mut connection = made.map_err(reason)?;
    let info: String = redis::cmd("INFO").query_async(&mut connection).await.map_err(reason)?;
    check(&info)?;
    Ok(connection)
}

fn reason(error: RedisError) -> ConnectError {
    let text = error.to_string();
    match error.code() {
        Some("NOAUTH" | "WRONGPASS") => ConnectError::Login(text),
        _ if error.kind() == ErrorKind::AuthenticationFailed => ConnectError::Login(text),
        Some(_) => ConnectError::Refused(text),
        None => ConnectError::Unreachable(text),
    }
}

/// Checks what a server tells of itself.
fn check(info: &str) -> Result<(), ConnectError> {
    let field = |name: &str| {
        let mut fields = info.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(key, _)| *key == name).map(|(_, value)| value.trim())
    };
    // Valkey tells the version of Redis that it is compatible with.
    let version = field("redis_version").unwrap_or("unknown");
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    if (parts.next(), parts.next()) < (Some(6), Some(2)) {
        return Err(ConnectError::TooOld(version.to_owned()));
    }
    if field("redis_mode") == Some("cluster") {
        return Err(ConnectError::ClusterMode);
    }
    if field("role").is_some_and(|role| role != "master") {
        return Err(ConnectError::Replica);
    }
    let is_limited = field("maxmemory").is_some_and(|bytes| bytes != "0");
    match field("maxmemory_policy") {
        Some(policy) if is_limited && policy != "noeviction" => {
            Err(ConnectError::Evicts(policy.to_owned()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIT: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n\r\n# Memory\r\n\
         maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n# Replication\r\nrole:master\r\n";

    #[test]
    fn servers_that_fit_are_taken() {
        assert_eq!(check(FIT), Ok(()));
        assert_eq!(check(&FIT.replace("7.0.15", "6.2.0")), Ok(()));
        let limited = FIT.replace("maxmemory:0", "maxmemory:1000000");
        assert_eq!(check(&limited.replace("allkeys-lru", "noeviction")), Ok(()));
    }

    #[test]
    fn servers_that_lose_rooms_or_refuse_writes_are_refused() {
        for (from, to, error) in [
            ("7.0.15", "6.0.16", ConnectError::TooOld("6.0.16".to_owned())),
            ("redis_version:7.0.15", "x:y", ConnectError::TooOld("unknown".to_owned())),
            ("standalone", "cluster", ConnectError::ClusterMode),
            ("role:master", "role:slave", ConnectError::Replica),
            ("maxmemory:0", "maxmemory:9", ConnectError::Evicts("allkeys-lru".to_owned())),
        ] {
            assert_eq!(check(&FIT.replace(from, to)), Err(error));
        }
    }
}
