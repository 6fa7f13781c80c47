//! The parts of a running server whose configuration a reload replaces.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    access::Access,
    config::{self, Acme, Config, Limits, Live, Secret, TrustedProxies},
    data::DataFolder,
    http::{Embedders, HostNames},
    net::{auto_announce, descriptors, reachability::Reachability, tcp::Admission, tls},
    shard,
    signaling::Signaling,
    socketio::ActiveConfig,
    webhooks::Webhooks,
    wiring,
};

/// Keys whose new value applies without a restart. All of `[limits]` does, too.
const KEYS: [&str; 42] = [
    "acme",
    "acme-address",
    "acme-challenge",
    "acme-directory",
    "acme-eab-key-file",
    "acme-eab-kid",
    "acme-email",
    "acme-http",
    "acme-profile",
    "acme-root",
    "announce",
    "announce-only",
    "api-key",
    "api-key-file",
    "api-origin",
    "create",
    "domain",
    "drain-timeout",
    "embed",
    "host",
    "jwks",
    "jwks-audience",
    "jwks-issuer",
    "list",
    "log",
    "metrics-token",
    "metrics-token-file",
    "origin",
    "topology",
    "trusted-proxy",
    "turn-allow",
    "turn-secret",
    "turn-secret-file",
    "turn-tcp",
    "turn-user",
    "turn-user-file",
    "webhook",
    "webhook-livekit",
    "webhook-private",
    "webhook-secret",
    "webhook-secret-file",
    "when-hosts-leave",
];

/// True for a key that a reload applies.
pub(crate) fn applies(key: &str) -> bool {
    KEYS.contains(&key) || config::is_limit(key)
}

/// Handles on these parts.
pub(crate) struct HotParts {
    /// Where the secret is kept if the configuration gives none.
    pub(crate) data: DataFolder,
    pub(crate) proxies: TrustedProxies,
    pub(crate) reachability: Reachability,
    pub(crate) announcing: watch::Sender<auto_announce::AnnounceConfig>,
    pub(crate) acme: watch::Sender<Option<Acme>>,
    /// Secret of TURN credentials for `moim doctor`.
    pub(crate) turn_secret: Live<Secret>,
    pub(crate) hosts: Live<HostNames>,
    pub(crate) embedders: Embedders,
    pub(crate) metrics_token: Live<Option<Secret>>,
    pub(crate) access: Arc<Access>,
    pub(crate) webhooks: Webhooks,
    pub(crate) limits: Live<Limits>,
    pub(crate) admission: Admission,
    pub(crate) sockets: Live<ActiveConfig>,
    pub(crate) signaling: Option<Arc<Signaling>>,
    /// The relay's realm, which needs a restart to change: users' keys are derived from it.
    pub(crate) realm: String,
    pub(crate) shards: shard::Handle,
    pub(crate) drain_timeout: Live<Option<Duration>>,
}

impl HotParts {
    /// Completes a configuration that was checked but not opened.
    ///
    /// # Errors
    /// The generated secret, or the root certificate of the CA, can't be read.
    pub(crate) fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        if config.turn.secrets.is_empty() {
            config.turn.secrets.push(Secret::load_or_create(&self.data)?);
        }
        config.acme.as_ref().map(tls::check_root).transpose()?;
        Ok(())
    }

    /// Applies the keys of `config` that need no restart. This can't fail. New connections,
    /// sessions, rooms and allocations follow them; what exists goes on. Returns once all shards have
    /// taken them.
    pub(crate) async fn apply(&self, config: &Config) {
        descriptors::raise_for(config.limits.connections);
        self.proxies.replace(&config.trusted_proxies);
        self.announcing.send_replace(wiring::announcing(config));
        if config.auto_announce.is_none() {
            self.reachability.announce(&config.announce, config.announce_only);
        }
        self.acme.send_if_modified(|wanted| {
            let is_other = *wanted != config.acme;
            wanted.clone_from(&config.acme);
            is_other
        });
        self.hosts.replace(wiring::host_names(config));
        self.embedders.replace(config.embedders.clone());
        self.metrics_token.replace(config.metrics_token.clone());
        self.access.configure(config.access.clone());
        self.webhooks.configure(&config.webhooks);
        self.limits.replace(config.limits);
        self.drain_timeout.replace(config.drain_timeout);
        self.admission.set_limits(&config.limits);
        self.sockets.replace(wiring::socketio(config).into());
        if let Some(signaling) = &self.signaling {
            signaling.set_defaults(wiring::room_defaults(config));
        }
        if let Some(secret) = config.turn.secrets.first() {
            self.turn_secret.replace(secret.clone());
        }
        let settings = wiring::turn_settings(config, &self.realm);
        self.shards.reload(self.reachability.current(), settings.into()).await;
    }
}
