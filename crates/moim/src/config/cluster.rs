//! Options about the cluster, as given and as used.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::ensure;
use clap::Args;
use cluster_redis::Endpoint;
use serde::Deserialize;

use super::{Problems, Secret, merging::first_of};

/// Characters of a key, at least: half of what `openssl rand -base64 32` prints would do.
const MIN_KEY_CHARACTERS: usize = 32;

/// Options about the cluster, each optional. In the file they stand at the top.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ClusterOptions {
    /// Redis or Valkey, from 6.2 on, by which servers share their rooms: redis://HOST, rediss://HOST
    /// or redis+sentinel://HOST,HOST/SERVICE
    #[arg(long, env = "MOIM_CLUSTER", value_name = "URL")]
    pub(super) cluster: Option<String>,

    /// File with the cluster's key, the same on all its servers: make one by `openssl rand -base64 32`
    #[arg(long, env = "MOIM_CLUSTER_KEY", value_name = "FILE")]
    pub(super) cluster_key: Option<PathBuf>,

    /// Address and port at which the other servers of the cluster reach this one [default: that of
    /// its first network interface]
    #[arg(long, env = "MOIM_CLUSTER_ADDRESS", value_name = "ADDR:PORT")]
    pub(super) cluster_address: Option<SocketAddr>,

    /// Password of the Redis user
    #[arg(long, env = "MOIM_CLUSTER_PASSWORD", value_name = "SECRET", hide_env_values = true)]
    pub(super) cluster_password: Option<String>,

    /// File with --cluster-password
    #[arg(long, env = "MOIM_CLUSTER_PASSWORD_FILE", value_name = "FILE")]
    pub(super) cluster_password_file: Option<PathBuf>,

    /// Content of --cluster-key.
    #[arg(skip)]
    #[serde(skip)]
    pub(super) cluster_key_text: Option<String>,
}

/// The cluster that the server belongs to.
#[derive(Debug, Clone)]
pub(crate) struct ClusterConfig {
    /// The engine.
    pub(crate) endpoint: Endpoint,
    /// The key of all its servers.
    pub(crate) key: Secret,
    /// The address for other nodes, if it is not that of an interface.
    pub(crate) address: Option<SocketAddr>,
}

impl ClusterOptions {
    /// Fills missing options from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        first_of!(self, other; cluster, cluster_key, cluster_address, cluster_password, cluster_password_file, cluster_key_text)
    }
}

impl ClusterConfig {
    /// Resolves merged options, to which secrets were added.
    pub(super) fn resolve(options: ClusterOptions, problems: &mut Problems) -> Option<Self> {
        let ClusterOptions { cluster, cluster_password, cluster_key, cluster_address, .. } =
            options;
        let Some(url) = cluster else {
            let is_alone =
                cluster_key.is_none() && cluster_password.is_none() && cluster_address.is_none();
            problems.ensure(is_alone, || {
                "--cluster-key, --cluster-address and --cluster-password are for the servers of a cluster: name its \
                 Redis with --cluster, or leave them out"
                    .to_owned()
            });
            return None;
        };
        let endpoint = problems.take(endpoint(&url, cluster_password.as_deref()));
        problems.ensure(cluster_key.is_some(), || {
            "--cluster needs the cluster's key: make one with `openssl rand -base64 32 > \
             cluster.key`, copy it to all servers, and name it with --cluster-key"
                .to_owned()
        });
        // A file that can't be read is a problem already.
        let key = problems.take(key(options.cluster_key_text?));
        Some(Self { endpoint: endpoint?, key: key?, address: cluster_address })
    }
}

fn endpoint(url: &str, password: Option<&str>) -> anyhow::Result<Endpoint> {
    let endpoint: Endpoint = match url.parse() {
        Ok(endpoint) => endpoint,
        // Without the URL, which may have a password after all.
        Err(error) => anyhow::bail!("--cluster is no address of a Redis: {error}"),
    };
    ensure!(
        !endpoint.has_password(),
        "--cluster has a password, which every user of this computer can see: move it to a file, \
         and name that with --cluster-password-file"
    );
    Ok(match password {
        Some(password) => endpoint.with_password(password),
        None => endpoint,
    })
}

fn key(text: String) -> anyhow::Result<Secret> {
    ensure!(
        text.chars().count() >= MIN_KEY_CHARACTERS,
        "--cluster-key has less than {MIN_KEY_CHARACTERS} characters: make one with `openssl rand \
         -base64 32`"
    );
    Secret::new(text).ok_or_else(|| anyhow::anyhow!("--cluster-key is empty"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn resolve(
        url: Option<&str>,
        key: Option<&str>,
        password: Option<&str>,
    ) -> Result<Option<ClusterConfig>, String> {
        let options = ClusterOptions {
            cluster: url.map(str::to_owned),
            cluster_key: key.map(|_| "cluster.key".into()),
            cluster_key_text: key.map(str::to_owned),
            cluster_password: password.map(str::to_owned),
            ..ClusterOptions::default()
        };
        let mut problems = Problems::default();
        let config = ClusterConfig::resolve(options, &mut problems);
        match problems.iter().next() {
            Some(problem) => Err(problem.to_owned()),
            None => Ok(config),
        }
    }

    #[test]
    fn server_is_alone_unless_a_cluster_is_named() {
        assert!(resolve(None, None, None).unwrap().is_none());
        let config = resolve(Some("redis://redis.example"), Some(KEY), Some("hunter2"));
        let config = config.unwrap().unwrap();
        assert_eq!(config.endpoint.to_string(), "redis://redis.example:6379");
        assert!(config.endpoint.has_password());
        assert!(!format!("{config:?}").contains("hunter2") && !format!("{config:?}").contains(KEY));
    }

    #[test]
    fn mistakes_are_named_without_secrets() {
        for (url, key, password, about) in [
            (None, Some(KEY), None, "name its Redis with --cluster"),
            (None, None, Some("hunter2"), "name its Redis with --cluster"),
            (Some("redis://redis.example"), None, None, "needs the cluster's key"),
            (Some("redis://redis.example"), Some("short"), None, "less than 32"),
            (Some("http://redis.example/hunter2"), Some(KEY), None, "expected redis://"),
            (Some("redis://:hunter2@redis.example"), Some(KEY), None, "--cluster-password-file"),
        ] {
            let problem = resolve(url, key, password).unwrap_err();
            assert!(problem.contains(about) && !problem.contains("hunter2"), "{problem}");
        }
    }
}
