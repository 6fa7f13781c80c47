//! TLS on the one port: whose certificate, and keeping it current.

mod authority;
mod clock;
mod constraints;
mod current;
mod files;
mod leaf;
mod names;
mod private;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc, time::Duration};

use anyhow::Context;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
};
use time::OffsetDateTime;
use tokio_rustls::TlsAcceptor;

pub(crate) use current::Current;
pub(crate) use names::Names;
pub(crate) use private::{is_private_address, is_private_name};

use crate::{config::Config, data::DataFolder};
use authority::Authority;
use files::Files;
use leaf::Leaf;

/// How often files named by the operator are looked at for changes.
const FILES_INTERVAL: Duration = Duration::from_secs(2);
/// How often the names of this computer are looked at for changes, and the clock for the end of
/// the certificate.
const NAMES_INTERVAL: Duration = Duration::from_secs(30);

/// What is agreed on inside TLS before a byte is sent (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// `h2` (RFC 9113 §3.2).
    Http2,
    /// `http/1.1`.
    Http1,
    /// `stun.turn` (RFC 7443).
    Turn,
}

impl Alpn {
    /// Those we know, the ones we would rather speak first. Who names TURN at all means it; some of
    /// its clients name HTTP as well.
    const ALL: [Self; 3] = [Self::Turn, Self::Http2, Self::Http1];

    const fn id(self) -> &'static [u8] {
        match self {
            Self::Http2 => b"h2",
            Self::Http1 => b"http/1.1",
            Self::Turn => b"stun.turn",
        }
    }

    /// What was agreed on, if anything.
    pub(crate) fn chosen(connection: &rustls::ServerConnection) -> Option<Self> {
        let id = connection.alpn_protocol()?;
        Self::ALL.into_iter().find(|alpn| alpn.id() == id)
    }
}

/// TLS as the server speaks it.
pub(crate) struct Tls {
    /// Does handshakes, with the certificate of the day.
    pub(crate) acceptor: TlsAcceptor,
    /// The certificate of the day, for whoever does handshakes of another kind.
    pub(crate) certificate: Arc<Current>,
    /// Keeps the certificate current for as long as it is awaited.
    pub(crate) upkeep: Upkeep,
}

/// Loads or makes the certificate.
///
/// # Errors
/// A sentence for the operator, with the remedy.
pub(crate) fn prepare(config: &Config) -> anyhow::Result<Tls> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let upkeep = match &config.certificate {
        Some(files) => Upkeep::files(Files::open(files, Arc::clone(&provider))?),
        None => {
            let now = clock::now();
            if now.is_none() {
                tracing::warn!(
                    "the clock of this computer is years behind: set it, or certificates are good \
                     for nobody; new ones are made once it is right"
                );
            }
            let announced: Vec<_> = config.announce.iter().map(|announced| announced.ip).collect();
            Upkeep::own(Own::prepare(&config.data, &announced, &provider, now)?)
        }
    };
    let certificate = upkeep.current();
    if certificate.for_dtls().is_none() {
        tracing::warn!("the certificate's key is not ECDSA: TURN over DTLS is not served");
    }
    let acceptor = acceptor(provider, Arc::clone(&certificate))?;
    Ok(Tls { acceptor, certificate, upkeep })
}

fn acceptor(provider: Arc<CryptoProvider>, current: Arc<Current>) -> anyhow::Result<TlsAcceptor> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS can't be set up")?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = Alpn::ALL.iter().map(|alpn| alpn.id().to_vec()).collect();
    // Sessions are resumed from what the client keeps, so that none are kept here.
    config.ticketer = aws_lc_rs::Ticketer::new().context("TLS can't be set up")?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Whatever keeps the certificate current.
pub(crate) struct Upkeep(Source);

enum Source {
    Files(Files),
    Own(Box<Own>),
}

impl Upkeep {
    fn files(files: Files) -> Self {
        Self(Source::Files(files))
    }

    fn own(own: Own) -> Self {
        Self(Source::Own(Box::new(own)))
    }

    fn current(&self) -> Arc<Current> {
        match &self.0 {
            Source::Files(files) => files.current(),
            Source::Own(own) => Arc::clone(&own.current),
        }
    }

    /// Renews the certificate whenever that is due. Never returns.
    pub(crate) async fn run(mut self) {
        loop {
            match &mut self.0 {
                Source::Files(files) => {
                    tokio::time::sleep(FILES_INTERVAL).await;
                    files.reload_if_changed();
                }
                Source::Own(own) => {
                    tokio::time::sleep(NAMES_INTERVAL).await;
                    if let Err(error) = own.renew_if_due(clock::now()) {
                        tracing::error!("the certificate can't be renewed: {error:#}");
                    }
                }
            }
        }
    }
}

/// A certificate signed by our own CA.
struct Own {
    data: DataFolder,
    announce: Vec<IpAddr>,
    authority: Authority,
    leaf: Leaf,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
}

impl Own {
    fn prepare(
        data: &DataFolder,
        announce: &[IpAddr],
        provider: &Arc<CryptoProvider>,
        now: Option<OffsetDateTime>,
    ) -> anyhow::Result<Self> {
        let names = Names::of_this_computer(announce);
        let authority = Authority::kept_in(data, &names, now)?;
        let names = authority.permitted(&names);
        let leaf = match Leaf::kept_in(data)? {
            Some(leaf) if leaf.is_of(&authority) && leaf.serves(&names, now) => leaf,
            _ => Leaf::issue(&authority, &names, data, now)?,
        };
        let current = Arc::new(Current::new(leaf.certified(&authority, provider)?));
        Ok(Self {
            data: data.clone(),
            announce: announce.to_vec(),
            authority,
            leaf,
            provider: Arc::clone(provider),
            current,
        })
    }

    /// Renews what the names of this computer, time, or a clock set right in the meantime call for.
    fn renew_if_due(&mut self, now: Option<OffsetDateTime>) -> anyhow::Result<()> {
        let names = Names::of_this_computer(&self.announce);
        let is_current = self.authority.is_current(now);
        if !is_current {
            self.authority = Authority::kept_in(&self.data, &names, now)?;
        }
        let names = self.authority.permitted(&names);
        let is_served = self.leaf.is_of(&self.authority) && self.leaf.serves(&names, now);
        if is_current && is_served {
            return Ok(());
        }
        if !is_served {
            self.leaf = Leaf::issue(&self.authority, &names, &self.data, now)?;
        }
        self.current.replace(self.leaf.certified(&self.authority, &self.provider)?);
        tracing::info!(%names, "new certificate");
        Ok(())
    }
}
