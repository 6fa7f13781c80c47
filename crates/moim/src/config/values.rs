//! The validated configuration.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use room::protocol::TopologyChoice;

use super::{
    AccessConfig, Acme, Announce, AnnounceChoice, AutoAnnounce, ClusterConfig, HostName, Limits,
    Listen, OidcConfig, Options, Origin, Problems, Secret, StoreChoice, TrustedProxies, Turn,
    WebhookConfig,
    names::{LogFormatName, RoomKind},
};
use crate::{
    data::DataFolder,
    log_format::LogFormat,
    log_privacy::{LogAddresses, LogPrivacy},
};

/// The validated configuration of the server.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Addresses to listen on, over TCP and UDP.
    pub(crate) listen: Listen,
    /// The folder of secrets and state.
    pub(crate) data: DataFolder,
    /// A folder to serve in place of the embedded page.
    pub(crate) folder: Option<PathBuf>,
    /// Public addresses of a server behind a NAT, the preferred ones first.
    pub(crate) announce: Vec<Announce>,
    /// The server finds those addresses.
    pub(crate) auto_announce: Option<AutoAnnounce>,
    /// The router is asked to forward the port.
    pub(crate) ask_router: bool,
    /// Clients learn no addresses of network interfaces.
    pub(crate) announce_only: bool,
    /// Origins of other sites whose pages may connect.
    pub(crate) origins: Vec<Origin>,
    /// Origins of sites that may show the page in a frame.
    pub(crate) embedders: Vec<Origin>,
    /// Host names of this server, besides those that it detects.
    pub(crate) hosts: Vec<HostName>,
    /// Reverse proxies whose forwarding headers are believed.
    pub(crate) trusted_proxies: TrustedProxies,
    /// The operator's certificate and key; without them the local CA signs one.
    pub(crate) certificate: Option<CertificateFiles>,
    /// Certificates from a public CA.
    pub(crate) acme: Option<Acme>,
    /// The STUN and TURN server.
    pub(crate) turn: Turn,
    /// Threads that relay and forward media; by default one per core.
    pub(crate) shards: Option<u8>,
    /// The topology of rooms whose creator chooses none.
    pub(crate) topology: TopologyChoice,
    /// Rooms have hosts.
    pub(crate) hosted_rooms: bool,
    /// Servers that ask for it are dialled back.
    pub(crate) probe_others: bool,
    /// The bearer token that permits remote reads of the metrics.
    pub(crate) metrics_token: Option<Secret>,
    /// Who may do what.
    pub(crate) access: AccessConfig,
    /// The provider at which hosts sign in.
    pub(crate) oidc: Option<OidcConfig>,
    /// Receivers of what happens in rooms.
    pub(crate) webhooks: WebhookConfig,
    /// Limits of all resources.
    pub(crate) limits: Limits,
    /// Time from a signal that stops the server to its end; `None` leaves it to the server.
    pub(crate) drain_timeout: Option<Duration>,
    /// The store.
    pub(crate) store: StoreChoice,
    /// The cluster that the server belongs to; without one it is alone.
    pub(crate) cluster: Option<ClusterConfig>,
    /// Days for which samples of calls are kept; 0 records no calls.
    pub(crate) history_days: u32,
    /// Names and addresses in the log.
    pub(crate) log_privacy: LogPrivacy,
    /// Form of log lines; `None` fits their reader.
    pub(crate) log_format: Option<LogFormat>,
    /// The log filter, as `tracing` directives.
    pub(crate) log: String,
}

/// A certificate chain and its key, as PEM files.
#[derive(Debug, Clone)]
pub(crate) struct CertificateFiles {
    /// The chain, the server's certificate first.
    pub(crate) cert: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
}

impl Config {
    /// Resolves merged options. All mistakes are found at once, after earlier `problems`.
    pub(super) fn resolve(
        mut options: Options,
        data: DataFolder,
        mut problems: Problems,
    ) -> Result<Self, Problems> {
        let acme = Acme::resolve(&mut options, &mut problems);
        let listen = Listen::new(options.listen, options.also.take().unwrap_or_default());
        let turn = Turn::resolve(&mut options, &listen, &mut problems);
        let metrics_token = options.metrics_token.map(|token| {
            Secret::new(token).context(
            "--metrics-token is empty: give a long random text, or leave it out to permit reads \
             of the metrics on this host only",
        )
        });
        let metrics_token = problems.take(metrics_token.transpose());
        let announce_only =
            problems.take(announce_only(options.announce_only, options.announce.as_deref()));
        let announce = AnnounceChoice::resolve(options.announce.unwrap_or_default());
        let (announce, auto_announce) = problems.take(announce).unwrap_or_default();
        let certificate = problems.take(certificate(options.cert, options.key));
        let shards = problems.take(shards(options.shards));
        let limits = Limits::new(&options.limits, &mut problems);
        let access = AccessConfig::resolve(options.access, &mut problems);
        let first_key = access.api_keys.first().map(access::ApiKey::name);
        let webhooks = WebhookConfig::resolve(options.webhooks, first_key, &mut problems);
        let config = Self {
            listen,
            data,
            folder: options.folder,
            announce,
            auto_announce,
            ask_router: options.ask_router.unwrap_or_default(),
            announce_only: announce_only.unwrap_or_default(),
            origins: options.origin.unwrap_or_default(),
            embedders: options.embed.unwrap_or_default(),
            hosts: options.host.unwrap_or_default(),
            trusted_proxies: options.trusted_proxy.unwrap_or_default().into(),
            certificate: certificate.flatten(),
            acme,
            turn,
            shards: shards.flatten(),
            topology: options.topology.map_or(TopologyChoice::Auto, TopologyChoice::from),
            hosted_rooms: options.rooms.is_none_or(|kind| kind == RoomKind::Hosted),
            probe_others: options.probe_others.unwrap_or_default(),
            metrics_token: metrics_token.flatten(),
            access,
            oidc: OidcConfig::resolve(options.oidc, &mut problems),
            webhooks,
            limits,
            drain_timeout: problems.take(drain_timeout(options.drain_timeout)).flatten(),
            store: StoreChoice::resolve(options.stored, &mut problems),
            cluster: ClusterConfig::resolve(options.clustered, &mut problems),
            history_days: problems.take(history(options.history)).unwrap_or_default(),
            log_privacy: LogPrivacy {
                names: options.log_names.unwrap_or_default(),
                addresses: options.log_addresses.map(LogAddresses::from).unwrap_or_default(),
            },
            log_format: options.log_format.and_then(LogFormatName::chosen),
            log: options.log.unwrap_or_else(|| "info".to_owned()),
        };
        problems.ensure(!config.turn.only || config.cluster.is_none(), || {
            "--cluster is for rooms, which a relay alone does not have: leave it out".to_owned()
        });
        problems.into_result()?;
        Ok(config)
    }
}

fn announce_only(given: Option<bool>, announce: Option<&[AnnounceChoice]>) -> anyhow::Result<bool> {
    let only = given.unwrap_or_default();
    if only && announce.unwrap_or_default().is_empty() {
        bail!("--announce-only leaves clients no address: add --announce IP, or leave it out");
    }
    Ok(only)
}

fn drain_timeout(seconds: Option<u64>) -> anyhow::Result<Option<Duration>> {
    const MAX_SECONDS: u64 = 7 * 24 * 60 * 60;
    let Some(seconds) = seconds else { return Ok(None) };
    if !(1..=MAX_SECONDS).contains(&seconds) {
        bail!("--drain-timeout must be between 1 and {MAX_SECONDS} seconds, which is a week");
    }
    Ok(Some(Duration::from_secs(seconds)))
}

fn history(days: Option<u32>) -> anyhow::Result<u32> {
    /// Days for which calls are kept in all.
    const MAX_DAYS: u32 = 90;
    let days = days.unwrap_or(7);
    if days > MAX_DAYS {
        bail!("--history must be between 0 and {MAX_DAYS} days: calls are kept no longer");
    }
    Ok(days)
}

fn shards(requested: Option<u8>) -> anyhow::Result<Option<u8>> {
    let max = if cfg!(target_os = "linux") { turn::siblings::MAX_SIBLINGS } else { 1 };
    if let Some(requested) = requested
        && !(1..=max).contains(&requested)
    {
        bail!("--shards must be between 1 and {max} on this system");
    }
    Ok(requested)
}

fn certificate(
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
) -> anyhow::Result<Option<CertificateFiles>> {
    match (cert, key) {
        (Some(cert), Some(key)) => Ok(Some(CertificateFiles { cert, key })),
        (None, None) => Ok(None),
        (Some(_), None) => bail!("--cert needs its private key: add --key FILE"),
        (None, Some(_)) => bail!("--key needs its certificate: add --cert FILE"),
    }
}
