//! TLS on the one port: the certificate and its renewal.

mod authority;
mod certificate;
mod clock;
mod constraints;
mod leaf;
mod names;
mod operator;
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

pub(crate) use certificate::CurrentCertificate;
pub(crate) use names::Names;
pub(crate) use private::{is_private_address, is_private_name};

use crate::{
    config::{CertificateFiles, Config},
    data::DataFolder,
};
use authority::Authority;
use leaf::Leaf;
use operator::OperatorCertificate;

/// Interval of checks for changes of the operator's files.
const FILES_INTERVAL: Duration = Duration::from_secs(2);
/// Interval of checks for changes of this host's names, and for the certificate's expiry.
const NAMES_INTERVAL: Duration = Duration::from_secs(30);

/// Application protocols that are negotiated in the TLS handshake (RFC 7301).
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
    /// Supported protocols in order of preference. TURN is first, since some TURN clients offer
    /// HTTP too and HTTP clients never offer TURN.
    const ALL: [Self; 3] = [Self::Turn, Self::Http2, Self::Http1];

    const fn id(self) -> &'static [u8] {
        match self {
            Self::Http2 => b"h2",
            Self::Http1 => b"http/1.1",
            Self::Turn => b"stun.turn",
        }
    }

    /// The negotiated protocol, if any.
    pub(crate) fn chosen(connection: &rustls::ServerConnection) -> Option<Self> {
        let id = connection.alpn_protocol()?;
        Self::ALL.into_iter().find(|alpn| alpn.id() == id)
    }
}

/// The server's TLS set-up.
pub(crate) struct Tls {
    /// Accepts TLS connections with the current certificate.
    pub(crate) acceptor: TlsAcceptor,
    /// The current certificate, also for DTLS.
    pub(crate) certificate: Arc<CurrentCertificate>,
    /// The task that renews the certificate.
    pub(crate) renewal: Renewal,
}

/// Loads or creates the certificate.
///
/// # Errors
/// A message for the operator, with the remedy.
pub(crate) fn prepare(config: &Config) -> anyhow::Result<Tls> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let renewal = match &config.certificate {
        Some(files) => Renewal::files(OperatorCertificate::open(files, Arc::clone(&provider))?),
        None => {
            let now = clock::now();
            if now.is_none() {
                tracing::warn!(
                    "the system clock is years behind: set it, otherwise no client accepts the \
                     certificate; a new one is issued once the clock is right"
                );
            }
            let announced: Vec<_> = config.announce.iter().map(|announced| announced.ip).collect();
            Renewal::own(LocalCertificate::prepare(&config.data, &announced, &provider, now)?)
        }
    };
    let certificate = renewal.current();
    if certificate.for_dtls().is_none() {
        tracing::warn!("the certificate's key is not ECDSA: TURN over DTLS is disabled");
    }
    let acceptor = acceptor(provider, Arc::clone(&certificate))?;
    Ok(Tls { acceptor, certificate, renewal })
}

/// Checks that the operator's files hold a certificate and its key.
pub(crate) fn check(files: &CertificateFiles) -> anyhow::Result<()> {
    OperatorCertificate::open(files, Arc::new(aws_lc_rs::default_provider())).map(drop)
}

fn acceptor(
    provider: Arc<CryptoProvider>,
    current: Arc<CurrentCertificate>,
) -> anyhow::Result<TlsAcceptor> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS can't be set up")?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = Alpn::ALL.iter().map(|alpn| alpn.id().to_vec()).collect();
    // Stateless tickets: session state is kept by the client.
    config.ticketer = aws_lc_rs::Ticketer::new().context("TLS can't be set up")?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Renews the certificate.
pub(crate) struct Renewal(CertificateSource);

enum CertificateSource {
    OperatorCertificate(OperatorCertificate),
    LocalCertificate(Box<LocalCertificate>),
}

impl Renewal {
    fn files(files: OperatorCertificate) -> Self {
        Self(CertificateSource::OperatorCertificate(files))
    }

    fn own(own: LocalCertificate) -> Self {
        Self(CertificateSource::LocalCertificate(Box::new(own)))
    }

    fn current(&self) -> Arc<CurrentCertificate> {
        match &self.0 {
            CertificateSource::OperatorCertificate(files) => files.current(),
            CertificateSource::LocalCertificate(own) => Arc::clone(&own.current),
        }
    }

    /// Renews the certificate when needed. Never returns.
    pub(crate) async fn run(mut self) {
        loop {
            match &mut self.0 {
                CertificateSource::OperatorCertificate(files) => {
                    tokio::time::sleep(FILES_INTERVAL).await;
                    files.reload_if_changed();
                }
                CertificateSource::LocalCertificate(own) => {
                    tokio::time::sleep(NAMES_INTERVAL).await;
                    if let Err(error) = own.renew_if_due(clock::now()) {
                        tracing::error!("the certificate can't be renewed: {error:#}");
                    }
                }
            }
        }
    }
}

/// A certificate signed by the local CA.
struct LocalCertificate {
    data: DataFolder,
    announce: Vec<IpAddr>,
    authority: Authority,
    leaf: Leaf,
    provider: Arc<CryptoProvider>,
    current: Arc<CurrentCertificate>,
}

impl LocalCertificate {
    fn prepare(
        data: &DataFolder,
        announce: &[IpAddr],
        provider: &Arc<CryptoProvider>,
        now: Option<OffsetDateTime>,
    ) -> anyhow::Result<Self> {
        let names = Names::of_this_computer(announce);
        let authority = Authority::load_or_create(data, &names, now)?;
        let names = authority.permitted(&names);
        let leaf = match Leaf::load(data)? {
            Some(leaf) if leaf.is_signed_by(&authority) && leaf.covers(&names, now) => leaf,
            _ => Leaf::issue(&authority, &names, data, now)?,
        };
        let current = Arc::new(CurrentCertificate::new(leaf.certified(&authority, provider)?));
        Ok(Self {
            data: data.clone(),
            announce: announce.to_vec(),
            authority,
            leaf,
            provider: Arc::clone(provider),
            current,
        })
    }

    /// Renews the CA or the certificate if this host's names changed, expiry is near, or the clock
    /// was corrected.
    fn renew_if_due(&mut self, now: Option<OffsetDateTime>) -> anyhow::Result<()> {
        let names = Names::of_this_computer(&self.announce);
        let is_current = self.authority.is_current(now);
        if !is_current {
            self.authority = Authority::load_or_create(&self.data, &names, now)?;
        }
        let names = self.authority.permitted(&names);
        let is_served = self.leaf.is_signed_by(&self.authority) && self.leaf.covers(&names, now);
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
