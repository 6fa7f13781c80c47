//! TLS on the one port: the certificate and its renewal.

mod acme;
mod alpn;
mod any_certificate;
mod authority;
mod certificate;
mod clock;
mod constraints;
mod handshake;
mod leaf;
mod names;
mod operator;
mod pick;
mod private;
#[cfg(test)]
mod tests;
mod tickets;

use std::{sync::Arc, time::Duration};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use time::OffsetDateTime;
use tokio::{sync::watch, time::timeout};

use acme::{AcmeFollower, AcmeParts};
pub(crate) use acme::{AcmeStatus, Answer, CertificateStatus, Given, Looker, Proofs, self_path};
pub(crate) use alpn::{Alpn, NODE_PROTOCOL};
pub(crate) use any_certificate::client_of_any_certificate;
pub(crate) use handshake::{Accepted, Acceptor};
pub(crate) use names::Names;
pub(crate) use pick::{CurrentCertificate, Expiry};
pub(crate) use private::{is_private_address, is_private_name};
pub(crate) use tickets::{FrozenKey, TicketKeys};

use crate::{
    config::{Acme, CertificateFiles, Config},
    data::DataFolder,
    net::reachability::{AddressChanges, Reachability},
};
use authority::Authority;
use leaf::Leaf;
use operator::OperatorCertificate;

/// Interval of checks for changes of the operator's files.
const FILES_INTERVAL: Duration = Duration::from_secs(2);
/// Interval of checks for changes of this host's name, and for the certificate's expiry. Changes
/// of its addresses are seen at once.
const NAMES_INTERVAL: Duration = Duration::from_secs(30);

/// The server's TLS set-up.
pub(crate) struct Tls {
    /// Accepts TLS connections with the current certificate.
    pub(crate) acceptor: Acceptor,
    /// The current certificate, also for DTLS.
    pub(crate) certificate: Arc<CurrentCertificate>,
    /// What a CA may ask for just now.
    pub(crate) proofs: Arc<Proofs>,
    /// The state of certificates of a public CA.
    pub(crate) acme: Arc<AcmeStatus>,
    /// The CA and the names that are wanted of it.
    pub(crate) wanted: watch::Sender<Option<Acme>>,
    /// Looks where names lead.
    pub(crate) looker: Looker,
    /// The tasks that get and renew certificates.
    pub(crate) renewal: Renewal,
    /// Keys of session tickets.
    pub(crate) tickets: TicketKeys,
}

/// Loads or creates the certificate.
///
/// # Errors
/// A message for the operator, with the remedy.
pub(crate) fn prepare(config: &Config, reachability: &Reachability) -> anyhow::Result<Tls> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let source = match &config.certificate {
        Some(files) => CertificateSource::OperatorCertificate(OperatorCertificate::open(
            files,
            Arc::clone(&provider),
        )?),
        None => {
            let now = clock::now();
            if now.is_none() {
                tracing::warn!(
                    "the system clock is years behind: set it, otherwise no client accepts the \
                     certificate; a new one is issued once the clock is right"
                );
            }
            let addresses = reachability.changes();
            let local = LocalCertificate::prepare(&config.data, addresses, &provider, now)?;
            CertificateSource::LocalCertificate(Box::new(local))
        }
    };
    let certificate = source.current();
    if certificate.for_dtls().is_none() {
        tracing::warn!("the certificate's key is not ECDSA: TURN over DTLS is disabled");
    }
    config.acme.as_ref().map(check_root).transpose()?;
    let (proofs, status) = (Arc::new(Proofs::default()), Arc::new(AcmeStatus::default()));
    let looker = Looker::new(&certificate, &proofs, &provider);
    let (wanted, current) = watch::channel(config.acme.clone());
    let parts = AcmeParts { looker: looker.clone(), status: Arc::clone(&status) };
    let acme = AcmeFollower::prepare(&config.data, current, reachability.changes(), parts)?;
    let renewal = Renewal { source, acme };
    let tickets = TicketKeys::generate()?;
    let current = Arc::clone(&certificate);
    let acceptor = Acceptor::new(provider, current, Arc::clone(&proofs), tickets.clone())?;
    Ok(Tls { acceptor, certificate, proofs, acme: status, wanted, looker, renewal, tickets })
}

/// Checks that the file of the CA's root certificate holds one.
pub(crate) fn check_root(acme: &Acme) -> anyhow::Result<()> {
    // Those of the system may come later: its absence is told at the first order.
    acme.root.as_ref().map(|_| acme::roots(acme)).transpose().map(drop)
}

/// Checks that the operator's files hold a certificate and its key.
pub(crate) fn check(files: &CertificateFiles) -> anyhow::Result<()> {
    OperatorCertificate::open(files, Arc::new(aws_lc_rs::default_provider())).map(drop)
}

/// Gets and renews certificates.
pub(crate) struct Renewal {
    source: CertificateSource,
    acme: AcmeFollower,
}

enum CertificateSource {
    OperatorCertificate(OperatorCertificate),
    LocalCertificate(Box<LocalCertificate>),
}

impl CertificateSource {
    fn current(&self) -> Arc<CurrentCertificate> {
        match self {
            Self::OperatorCertificate(files) => files.current(),
            Self::LocalCertificate(own) => Arc::clone(&own.current),
        }
    }

    /// Renews the certificate when needed. Never returns.
    async fn run(mut self) {
        loop {
            match &mut self {
                Self::OperatorCertificate(files) => {
                    tokio::time::sleep(FILES_INTERVAL).await;
                    files.reload_if_changed();
                }
                Self::LocalCertificate(own) => {
                    own.due().await;
                    if let Err(error) = own.renew_if_due(clock::now()) {
                        tracing::error!("the certificate can't be renewed: {error:#}");
                    }
                }
            }
        }
    }
}

impl Renewal {
    /// Gets and renews certificates when needed, for a server that listens on `ports`. Never
    /// returns.
    pub(crate) async fn run(self, ports: Vec<u16>) {
        tokio::spawn(self.acme.run(ports));
        self.source.run().await;
    }
}

/// A certificate signed by the local CA.
struct LocalCertificate {
    data: DataFolder,
    addresses: AddressChanges,
    authority: Authority,
    leaf: Leaf,
    provider: Arc<CryptoProvider>,
    current: Arc<CurrentCertificate>,
}

impl LocalCertificate {
    fn prepare(
        data: &DataFolder,
        addresses: AddressChanges,
        provider: &Arc<CryptoProvider>,
        now: Option<OffsetDateTime>,
    ) -> anyhow::Result<Self> {
        let names = Names::of_this_computer(&addresses.borrow());
        let authority = Authority::load_or_create(data, &names, now)?;
        let names = authority.permitted(&names);
        let leaf = match Leaf::load(data)? {
            Some(leaf) if leaf.is_signed_by(&authority) && leaf.covers(&names, now) => leaf,
            _ => Leaf::issue(&authority, &names, data, now)?,
        };
        let current = Arc::new(CurrentCertificate::new(leaf.certified(&authority, provider)?));
        Ok(Self {
            data: data.clone(),
            addresses,
            authority,
            leaf,
            provider: Arc::clone(provider),
            current,
        })
    }

    /// Returns when names, expiry and clock are to be checked.
    async fn due(&mut self) {
        match timeout(NAMES_INTERVAL, self.addresses.changed()).await {
            Ok(Ok(())) | Err(_) => {}
            // The server stops.
            Ok(Err(_)) => std::future::pending().await,
        }
    }

    /// Renews the CA or the certificate if this host's names changed, expiry is near, or the clock
    /// was corrected.
    fn renew_if_due(&mut self, now: Option<OffsetDateTime>) -> anyhow::Result<()> {
        let names = Names::of_this_computer(&self.addresses.borrow_and_update());
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
