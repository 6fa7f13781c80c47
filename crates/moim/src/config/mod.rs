//! Configuration: options as typed (flags, environment, file), then [`Config`] as used.
//!
//! A flag wins over its environment variable, that over the file, that over the default.

mod announce;
mod host;
mod limits;
mod listen;
mod origin;
mod ports;
mod proxies;
mod relay;
mod secret;

mod typed;

use std::path::PathBuf;

use anyhow::{Context, bail};
use room::protocol::TopologyChoice;

pub(crate) use announce::Announce;
pub(crate) use host::HostName;
pub(crate) use limits::Limits;
pub(crate) use listen::Listen;
pub(crate) use origin::Origin;
use ports::PortRange;
pub(crate) use proxies::TrustedProxies;
pub(crate) use relay::Turn;
pub(crate) use secret::Secret;
pub(crate) use typed::{Command, CommandLine, Options};

use crate::data::DataFolder;

/// What the server runs by. Every value has been checked.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Where to listen, on TCP and UDP alike.
    pub(crate) listen: Listen,
    /// Where secrets and state are kept.
    pub(crate) data: DataFolder,
    /// The folder to serve in place of our own page.
    pub(crate) folder: Option<PathBuf>,
    /// Public addresses of a server behind a NAT, at most one of each family.
    pub(crate) announce: Vec<Announce>,
    /// Pages of other sites that may connect, besides our own.
    pub(crate) origins: Vec<Origin>,
    /// Names of this server, besides those it knows itself.
    pub(crate) hosts: Vec<HostName>,
    /// Reverse proxies whose word about their clients counts.
    pub(crate) trusted_proxies: TrustedProxies,
    /// The certificate and key to serve instead of our own.
    pub(crate) certificate: Option<CertificateFiles>,
    /// The relay's part.
    pub(crate) turn: Turn,
    /// Threads that relay and forward media; one a core where none is said.
    pub(crate) shards: Option<u8>,
    /// Who decides how media travels, unless a room's maker does.
    pub(crate) topology: TopologyChoice,
    /// What lets other computers read the metrics.
    pub(crate) metrics_token: Option<Secret>,
    /// How much of everything there may be.
    pub(crate) limits: Limits,
    /// What to log, as `tracing` directives.
    pub(crate) log: String,
}

/// A certificate chain and its key, as PEM files.
#[derive(Debug, Clone)]
pub(crate) struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub(crate) cert: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

impl Config {
    /// Settles on the options typed, the file's and the defaults, and opens the data folder.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn settle(typed: Options) -> anyhow::Result<Self> {
        let explicit = typed.config.clone();
        let mut options = typed;
        if let Some(path) = &explicit {
            options = options.or(typed::read_file(path)?);
        }
        let folder = match options.data.take() {
            Some(path) => path,
            None => crate::data::platform_folder()
                .context("This system names no folder for data: name one with --data DIR")?,
        };
        let data = DataFolder::open(&folder)?;
        let beside = data.path().join("moim.toml");
        if explicit.is_none() && beside.exists() {
            let file = typed::read_file(&beside)?;
            if file.data.is_some() {
                bail!(
                    "{} is inside the data folder and can't move it: remove `data` there, or \
                     name the file with --config",
                    beside.display()
                );
            }
            options = options.or(file);
        }
        Self::from_options(options, data)
    }

    fn from_options(mut options: Options, data: DataFolder) -> anyhow::Result<Self> {
        let listen = Listen::new(options.listen, options.also.take().unwrap_or_default());
        let turn = Turn::settle(&mut options, &listen, &data)?;
        let metrics_token = options.metrics_token.map(|token| {
            Secret::new(token).context(
                "--metrics-token is empty: give a long random text, or leave it out to have \
                 metrics read on this computer alone",
            )
        });
        Ok(Self {
            listen,
            folder: options.folder,
            announce: Announce::check(options.announce.unwrap_or_default())?,
            origins: options.origin.unwrap_or_default(),
            hosts: options.host.unwrap_or_default(),
            trusted_proxies: options.trusted_proxy.unwrap_or_default().into(),
            certificate: certificate(options.cert, options.key)?,
            turn,
            shards: shards(options.shards)?,
            topology: options.topology.map_or(TopologyChoice::Auto, TopologyChoice::from),
            metrics_token: metrics_token.transpose()?,
            limits: Limits::new(&options.limits)?,
            log: options.log.unwrap_or_else(|| "info".to_owned()),
            data,
        })
    }
}

fn shards(asked: Option<u8>) -> anyhow::Result<Option<u8>> {
    let most = if cfg!(target_os = "linux") { turn::siblings::MOST } else { 1 };
    if let Some(asked) = asked
        && !(1..=most).contains(&asked)
    {
        bail!("--shards must be between 1 and {most} on this system");
    }
    Ok(asked)
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
