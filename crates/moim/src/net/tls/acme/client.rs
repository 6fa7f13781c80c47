//! Orders of one CA: account, order, proofs, certificate.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeType, Error, ExternalAccountKey,
    Identifier as AcmeIdentifier, NewAccount, NewOrder, Order, OrderStatus, Problem as AcmeProblem,
    RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, SanType};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::time::timeout;

use super::{
    http::{CaClient, Heard},
    plan::Window,
    proof::{Given, Proofs},
    refusal,
    store::Store,
    target::{Identifier, Target},
};
use crate::config::Acme;

/// Time for a whole order: the CA may look from several places of the world, in turns.
const ORDER_TIMEOUT: Duration = Duration::from_secs(180);
/// Repetitions of a request whose nonce was refused.
const NONCE_RETRIES: usize = 8;
/// How the CA is asked whether it is done.
const POLLING: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(250))
    .backoff(1.5)
    .timeout(Duration::from_secs(120));

/// Repeats a request whose nonce the CA has refused: it did not look at the rest (RFC 8555 §6.5).
/// `instant_acme` does that three times; a CA that loses more nonces counts no attempt either.
///
/// A macro, since the future of an async closure is `Send` for one lifetime only.
macro_rules! patiently {
    ($request:expr) => {{
        let mut left = NONCE_RETRIES;
        loop {
            match $request.await {
                Err(error) if left > 0 && refusal::is_bad_nonce(&error) => left -= 1,
                result => break result,
            }
        }
    }};
}

/// A kind of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Challenge {
    TlsAlpn01,
    Http01,
}

impl Challenge {
    fn kind(self) -> ChallengeType {
        match self {
            Self::TlsAlpn01 => ChallengeType::TlsAlpn01,
            Self::Http01 => ChallengeType::Http01,
        }
    }

    /// The other kind.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::TlsAlpn01 => Self::Http01,
            Self::Http01 => Self::TlsAlpn01,
        }
    }
}

/// An error, and whether it was the account's.
pub(super) struct OrderError {
    pub(super) error: Error,
    pub(super) is_of_account: bool,
}

impl From<Error> for OrderError {
    fn from(error: Error) -> Self {
        Self { error, is_of_account: false }
    }
}

/// A client of one CA.
pub(super) struct Client {
    directory: String,
    http: CaClient,
    proofs: Arc<Proofs>,
    provider: Arc<CryptoProvider>,
    account: Option<Account>,
}

impl Client {
    /// A client of the CA with this directory.
    ///
    /// # Errors
    /// There are no root certificates to trust it by. A sentence for the operator.
    pub(super) fn new(
        config: &Acme,
        directory: &str,
        proofs: Arc<Proofs>,
        provider: Arc<CryptoProvider>,
    ) -> anyhow::Result<Self> {
        let tls = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots(config)?)
            .with_no_client_auth();
        let http = CaClient::new(Arc::new(tls));
        Ok(Self { directory: directory.to_owned(), http, proofs, provider, account: None })
    }

    /// What the CA said beside the protocol.
    pub(super) fn heard(&self) -> &Arc<Heard> {
        self.http.heard()
    }

    /// Orders a certificate. Returns its key and chain in PEM.
    pub(super) async fn order(
        &mut self,
        config: &Acme,
        store: &Store,
        target: &Target,
        challenge: Challenge,
        replaces: Option<CertificateIdentifier<'_>>,
    ) -> Result<String, OrderError> {
        let account = self.account(config, store).await?;
        let identifiers = [acme_identifier(&target.identifier)];
        let mut order = NewOrder::new(&identifiers);
        if let Some(profile) = self.profile(&account, target)? {
            order = order.profile(profile);
        }
        if let Some(replaces) = replaces {
            order = order.replaces(replaces);
        }
        let mut order = match patiently!(account.new_order(&order)) {
            // The next attempt opens another account.
            Err(error) if refusal::is_unknown_account(&error) => {
                self.account = None;
                store.forget_account();
                return Err(error.into());
            }
            order => order?,
        };
        let fulfilled = timeout(ORDER_TIMEOUT, self.fulfil(&mut order, target, challenge)).await;
        Ok(fulfilled.unwrap_or(Err(Error::Timeout(None)))?)
    }

    /// Asks when the CA wants a certificate renewed. `None` if this CA tells nobody.
    pub(super) async fn renewal_window(
        &mut self,
        config: &Acme,
        store: &Store,
        chain: &CertificateDer<'_>,
    ) -> Result<Option<(Window, Duration)>, OrderError> {
        let Some(id) = certificate_id(chain) else { return Ok(None) };
        match self.account(config, store).await?.renewal_info(&id).await {
            Ok((info, again)) => {
                let window = info.suggested_window;
                Ok(Some((Window { start: window.start, end: window.end }, again)))
            }
            Err(Error::Unsupported(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The profile to order; that of addresses is left out where the CA has no profiles.
    fn profile<'a>(&self, account: &Account, target: &'a Target) -> Result<Option<&'a str>, Error> {
        let Some(wanted) = target.profile.as_deref() else { return Ok(None) };
        let mut offered = account.profiles();
        let is_offered = offered.any(|profile| profile.name == wanted);
        let has_none = account.profiles().next().is_none();
        match is_offered {
            true => Ok(Some(wanted)),
            false if has_none => Ok(None),
            false => {
                let names: Vec<_> = account.profiles().map(|profile| profile.name).collect();
                let detail = format!("it offers {}, and not {wanted}", names.join(", "));
                Err(problem("invalidProfile", detail))
            }
        }
    }

    async fn account(&mut self, config: &Acme, store: &Store) -> Result<Account, OrderError> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let kept = store.account().map_err(|error| own(&error))?;
        let account = match kept {
            Some(credentials) => {
                let builder = Account::builder_with_http(Box::new(self.http.clone()));
                builder.from_credentials(credentials).await?
            }
            None => {
                let contact = config.email.as_ref().map(|email| format!("mailto:{email}"));
                let contact: Vec<&str> = contact.as_deref().into_iter().collect();
                let new = NewAccount {
                    contact: &contact,
                    terms_of_service_agreed: true,
                    only_return_existing: false,
                };
                let eab = config.eab.as_ref();
                let eab = eab.map(|eab| ExternalAccountKey::new(eab.kid.clone(), &eab.key));
                let created = patiently!({
                    let builder = Account::builder_with_http(Box::new(self.http.clone()));
                    builder.create(&new, self.directory.clone(), eab.as_ref())
                });
                let (account, credentials) =
                    created.map_err(|error| OrderError { error, is_of_account: true })?;
                store.keep_account(&credentials).map_err(|error| own(&error))?;
                tracing::info!(
                    ca = %self.directory,
                    "opened an account at the CA and agreed to its terms of service"
                );
                account
            }
        };
        self.account = Some(account.clone());
        Ok(account)
    }

    async fn fulfil(
        &self,
        order: &mut Order,
        target: &Target,
        challenge: Challenge,
    ) -> Result<String, Error> {
        patiently!(read_authorizations(order))?;
        let mut given = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                _ => return Err(problem("malformed", "the authorization is void".to_owned())),
            }
            let offers = |kind: Challenge| {
                authorization.challenges.iter().any(|offered| offered.r#type == kind.kind())
            };
            let kind = [challenge, challenge.other()].into_iter().find(|kind| offers(*kind));
            let Some(kind) = kind else {
                return Err(problem("malformed", "it offers no proof that moim gives".to_owned()));
            };
            let Some(mut handle) = authorization.challenge(kind.kind()) else { continue };
            given.push(self.give(kind, &handle, target)?);
            patiently!(handle.set_ready())?;
        }
        let status = patiently!(order.poll_ready(&POLLING))?;
        if !matches!(status, OrderStatus::Ready | OrderStatus::Valid) {
            return Err(self.reason(order).await);
        }
        drop(given);
        let key = KeyPair::generate().map_err(|error| own(&error.into()))?;
        let request =
            signing_request(&target.identifier, &key).map_err(|error| own(&error.into()))?;
        patiently!(order.finalize_csr(&request))?;
        let chain = patiently!(order.poll_certificate(&POLLING))?;
        Ok(key.serialize_pem() + &chain)
    }

    fn give(
        &self,
        kind: Challenge,
        handle: &instant_acme::ChallengeHandle<'_>,
        target: &Target,
    ) -> Result<Given, Error> {
        let authorization = handle.key_authorization();
        match kind {
            Challenge::Http01 => Ok(self.proofs.give_http(&handle.token, authorization.as_str())),
            Challenge::TlsAlpn01 => {
                let digest = authorization.digest();
                let given =
                    self.proofs.give_tls_alpn(&target.identifier, digest.as_ref(), &self.provider);
                given.map_err(|error| own(&error))
            }
        }
    }

    /// Why an order became invalid: its challenges say more than the order.
    async fn reason(&self, order: &mut Order) -> Error {
        let whole = order.state().error.clone();
        let mut authorizations = order.authorizations();
        while let Some(Ok(mut authorization)) = authorizations.next().await {
            if let Ok(state) = authorization.refresh().await
                && let Some(error) =
                    state.challenges.iter().find_map(|challenge| challenge.error.clone())
            {
                return Error::Api(error);
            }
        }
        whole.map_or_else(|| problem("malformed", "the order is void".to_owned()), Error::Api)
    }
}

/// Fetches all authorizations of an order into it.
async fn read_authorizations(order: &mut Order) -> Result<(), Error> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        authorization?;
    }
    Ok(())
}

/// The identifier of a certificate in renewal information.
pub(super) fn certificate_id(
    certificate: &CertificateDer<'_>,
) -> Option<CertificateIdentifier<'static>> {
    CertificateIdentifier::try_from(certificate).ok().map(CertificateIdentifier::into_owned)
}

fn acme_identifier(identifier: &Identifier) -> AcmeIdentifier {
    match identifier {
        Identifier::Name(name) => AcmeIdentifier::Dns(name.clone()),
        Identifier::Address(ip) => AcmeIdentifier::Ip(*ip),
    }
}

/// A certificate signing request (RFC 2986) for one identifier, without a subject.
fn signing_request(identifier: &Identifier, key: &KeyPair) -> Result<Vec<u8>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![match identifier {
        Identifier::Name(name) => SanType::DnsName(name.as_str().try_into()?),
        Identifier::Address(ip) => SanType::IpAddress(*ip),
    }];
    Ok(params.serialize_request(key)?.der().to_vec())
}

/// Root certificates to trust the CA by.
///
/// # Errors
/// A file that holds none, or a system without. A sentence for the operator.
pub(in super::super) fn roots(config: &Acme) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &config.root {
        let path_text = path.display();
        let certificates = CertificateDer::pem_file_iter(path)
            .with_context(|| format!("Can't read {path_text}: check --acme-root"))?;
        for certificate in certificates {
            let certificate = certificate
                .with_context(|| format!("{path_text} is damaged: check --acme-root"))?;
            roots.add(certificate).with_context(|| {
                format!("{path_text} is no root certificate: check --acme-root")
            })?;
        }
        anyhow::ensure!(!roots.is_empty(), "{path_text} has no certificate: check --acme-root");
        return Ok(roots);
    }
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    anyhow::ensure!(
        !roots.is_empty(),
        "This system has no root certificates to trust the CA by: install ca-certificates, or name \
         a file with --acme-root"
    );
    Ok(roots)
}

/// A problem that this side finds.
fn problem(kind: &str, detail: String) -> Error {
    Error::Api(AcmeProblem {
        r#type: Some(format!("urn:ietf:params:acme:error:{kind}")),
        detail: Some(detail),
        status: None,
        subproblems: Vec::new(),
    })
}

/// An error of this side, not of the CA.
fn own(error: &anyhow::Error) -> Error {
    problem(refusal::OWN, format!("{error:#}"))
}
