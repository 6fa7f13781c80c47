//! The task that gets certificates and renews them: asks the plans, looks, orders.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use time::OffsetDateTime;

use super::{
    super::{clock, private::is_private_address},
    client::{Challenge, Client, OrderError, certificate_id},
    kept::Kept,
    look::Looker,
    plan::{Outcome, Plan, Step},
    port80::Port80,
    problem::{Code, Problem},
    refusal::{self, Context, minute},
    status::{AcmeStatus, CertificateStatus},
    store::Store,
    target::{Identifier, Target, short_hash},
    verdict::{Own, Verdict, judge, unanswered},
};
use crate::{
    config::{Acme, ChallengeChoice},
    data::DataFolder,
    net::addresses,
};

/// The longest time between two questions to the plans: the clock may be set meanwhile.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The interval of warnings about a certificate that expires.
const WARN_INTERVAL: Duration = Duration::from_secs(3600);
/// The difference from the CA's clock that is told, in seconds.
const MAX_CLOCK_ERROR: i64 = 300;

/// Certificates of one CA.
pub(crate) struct AcmeTask {
    config: Acme,
    data: DataFolder,
    announced: Vec<IpAddr>,
    store: Store,
    entries: Vec<Entry>,
    clients: HashMap<String, Client>,
    looker: Looker,
    status: Arc<AcmeStatus>,
    ports: Vec<u16>,
}

/// One certificate.
struct Entry {
    target: Target,
    plan: Plan,
    kept: Option<Kept>,
    warned: Option<Instant>,
}

/// What the task works with.
#[derive(Clone)]
pub(crate) struct AcmeParts {
    pub(crate) looker: Looker,
    pub(crate) status: Arc<AcmeStatus>,
}

impl AcmeTask {
    /// Loads the certificates of the data folder, to be served at once.
    ///
    /// # Errors
    /// The data folder can't be read. A sentence for the operator.
    pub(crate) fn prepare(
        config: &Acme,
        data: &DataFolder,
        announced: &[IpAddr],
        parts: AcmeParts,
    ) -> anyhow::Result<Self> {
        let AcmeParts { looker, status } = parts;
        let mut task = Self {
            config: config.clone(),
            data: data.clone(),
            announced: announced.to_vec(),
            store: Store::open(data, &config.directory)?,
            entries: Vec::new(),
            clients: HashMap::new(),
            looker,
            status,
            ports: Vec::new(),
        };
        task.load()?;
        for certificate in task.status.certificates() {
            tracing::info!("{certificate}");
        }
        Ok(task)
    }

    /// True if these are the announced addresses that the task knows, or it needs none.
    pub(super) fn is_for(&self, announced: &[IpAddr]) -> bool {
        !self.config.addresses || self.announced == announced
    }

    /// Reads all certificates and what is remembered of them.
    fn load(&mut self) -> anyhow::Result<()> {
        let fingerprint = short_hash(&self.config.fingerprint());
        let mut entries = Vec::new();
        for target in Target::all(&self.config, &self.announced) {
            let kept = self.store.certificate(&target)?.and_then(|pem| Kept::parse(&pem).ok());
            let validity = kept.as_ref().map(|kept| kept.validity);
            let plan = Plan::new(self.store.memory(&target), fingerprint.clone(), validity);
            entries.push(Entry { target, plan, kept, warned: None });
        }
        self.entries = entries;
        self.serve();
        let names = self.entries.iter().map(|entry| entry.target.identifier.to_string());
        self.status.retain(&names.collect::<Vec<_>>());
        let now = OffsetDateTime::now_utc();
        for entry in &self.entries {
            self.status.set(entry.status(now));
        }
        Ok(())
    }

    /// Provides handshakes with what there is.
    fn serve(&self) {
        let kept = self.entries.iter().filter_map(|entry| entry.kept.as_ref());
        let certified = kept.filter_map(|kept| match kept.certified(&self.looker.provider) {
            Ok(certificate) => Some(certificate),
            Err(error) => {
                tracing::warn!("a certificate of the CA can't be served: {error:#}");
                None
            }
        });
        self.looker.current.replace_public(certified.collect());
    }

    /// Does one thing that is due, for a server that listens on `ports`, and returns the time until
    /// the next step.
    pub(super) async fn step(&mut self, ports: &[u16]) -> Duration {
        ports.clone_into(&mut self.ports);
        let Some(now) = clock::now() else {
            let words = "The system clock is years behind: set it, otherwise no CA can be asked.";
            self.status.set_clock(Some(Problem::new(Code::Clock, words)));
            return MAX_WAIT;
        };
        let mut wait = MAX_WAIT;
        for index in 0..self.entries.len() {
            let Some(entry) = self.entries.get_mut(index) else { continue };
            entry.warn_of_expiry(now);
            let is_done = match entry.plan.next(now) {
                Step::Wait(until) => {
                    let left = Duration::try_from(until - now).unwrap_or(Duration::ZERO);
                    wait = wait.min(left.max(Duration::from_millis(100)));
                    false
                }
                Step::Stopped => false,
                Step::AskRenewalInfo => {
                    self.ask(index, now).await;
                    true
                }
                Step::Order { replaces } => {
                    self.attempt(index, now, replaces).await;
                    true
                }
            };
            if let Some(entry) = self.entries.get(index) {
                self.status.set(entry.status(now));
            }
            if is_done {
                return Duration::ZERO;
            }
        }
        wait
    }

    async fn ask(&mut self, index: usize, now: OffsetDateTime) {
        let directory = self.config.directory.clone();
        let client = self.client(&directory);
        let Some(entry) = self.entries.get_mut(index) else { return };
        let leaf = entry.kept.as_ref().and_then(Kept::leaf);
        let (Ok(mut client), Some(leaf)) = (client, leaf) else {
            return entry.plan.learn_nothing(now, false);
        };
        match client.renewal_window(&self.config, &self.store, leaf).await {
            Ok(Some((window, again))) => {
                let again = time::Duration::try_from(again).ok();
                entry.plan.learn(now, window, again, rand::random());
            }
            Ok(None) => entry.plan.learn_nothing(now, true),
            Err(OrderError { error, .. }) => {
                tracing::debug!(%error, "the CA does not say when to renew");
                entry.plan.learn_nothing(now, false);
            }
        }
        self.clients.insert(directory, client);
        self.remember(index);
    }

    async fn attempt(&mut self, index: usize, now: OffsetDateTime, replaces: bool) {
        let Some(entry) = self.entries.get(index) else { return };
        let (target, is_renewal) = (entry.target.clone(), entry.kept.is_some());
        let _port80 = self.port80();
        let outcome = match self.look(&target.identifier, is_renewal).await {
            Verdict::NotReady(problem) => Outcome::NotReady(problem),
            verdict => {
                if !self.begin(index, now) {
                    return;
                }
                self.order(index, &target, &verdict, replaces).await
            }
        };
        let is_unready = matches!(outcome, Outcome::NotReady(_));
        let now = OffsetDateTime::now_utc();
        let Some(entry) = self.entries.get_mut(index) else { return };
        let before = entry.plan.memory.problem.clone();
        entry.plan.finish(now, outcome.clone(), rand::random());
        self.remember(index);
        if let Outcome::Issued(validity) = outcome {
            self.serve();
            tracing::info!(
                name = %target.identifier, until = %minute(validity.ends), "new certificate of the CA"
            );
            return;
        }
        let Some(entry) = self.entries.get(index) else { return };
        let Some(problem) = entry.plan.memory.problem.clone() else { return };
        self.status.count(problem.code);
        // Looks are repeated every ten minutes, and their words only when they change.
        if !is_unready || before.as_ref() != Some(&problem) {
            let again = match entry.plan.next_attempt(now) {
                Some(at) => format!("Next try at {}.", minute(at)),
                None => "No further try until the configuration changes.".to_owned(),
            };
            let code = problem.code.as_str();
            let name = &target.identifier;
            tracing::warn!(code, %name, "no certificate: {} {again}", problem.words);
        }
    }

    /// Stores that an attempt begins. Without that there is none: a restart would try afresh.
    fn begin(&mut self, index: usize, now: OffsetDateTime) -> bool {
        let Some(entry) = self.entries.get_mut(index) else { return false };
        entry.plan.begin(now, rand::random());
        match self.store.remember(&entry.target, &entry.plan.memory) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("no certificate is ordered, as that can't be remembered: {error:#}");
                false
            }
        }
    }

    fn remember(&mut self, index: usize) {
        let Some(entry) = self.entries.get(index) else { return };
        if let Err(error) = self.store.remember(&entry.target, &entry.plan.memory) {
            tracing::warn!("the state of certificates can't be stored: {error:#}");
        }
    }

    fn port80(&self) -> Option<Port80> {
        let wants = self.config.may_bind_80
            && self.config.challenge != ChallengeChoice::TlsAlpn01
            && !self.ports.contains(&80)
            && (self.config.challenge == ChallengeChoice::Http01 || !self.ports.contains(&443));
        wants.then(|| Port80::open(&self.looker.proofs)).flatten()
    }

    async fn look(&self, identifier: &Identifier, is_renewal: bool) -> Verdict {
        let mut own = self.announced.clone();
        if own.is_empty() {
            own = addresses::of_interfaces();
            own.retain(|ip| !is_private_address(*ip));
        }
        match self.looker.look(identifier).await {
            Ok(seen) => {
                tracing::debug!(name = %identifier, ?seen, "looked");
                let challenge = self.config.challenge;
                judge(identifier, &seen, Own { ips: &own, port: self.port(), challenge })
            }
            Err(error) => {
                tracing::debug!(%error, "the resolver does not answer");
                // The CA has resolvers of its own, and the name has led here before.
                if is_renewal { Verdict::Unknown } else { unanswered(identifier, &error) }
            }
        }
    }

    fn port(&self) -> u16 {
        self.ports.first().copied().unwrap_or_default()
    }

    async fn order(
        &mut self,
        index: usize,
        target: &Target,
        verdict: &Verdict,
        replaces: bool,
    ) -> Outcome {
        let challenge = self.challenge(index, verdict);
        let rehearses = *verdict == Verdict::Unknown
            && self.entries.get(index).is_some_and(|entry| entry.kept.is_none());
        if let Some(staging) = self.config.staging().filter(|_| rehearses) {
            let rehearsed = self.order_at(staging, target, challenge, None).await;
            if let Err(outcome) = rehearsed {
                return outcome;
            }
        }
        let replaced = self.entries.get(index).and_then(|entry| entry.kept.as_ref()?.leaf());
        let replaced = replaced.filter(|_| replaces).and_then(certificate_id);
        let directory = self.config.directory.clone();
        let pem = match self.order_at(&directory, target, challenge, replaced).await {
            Ok(pem) => pem,
            Err(outcome) => return outcome,
        };
        let kept = Kept::parse(&pem).and_then(|kept| {
            self.store.keep_certificate(target, &pem)?;
            Ok(kept)
        });
        match kept {
            Ok(kept) => {
                let validity = kept.validity;
                if let Some(entry) = self.entries.get_mut(index) {
                    entry.kept = Some(kept);
                }
                Outcome::Issued(validity)
            }
            Err(error) => {
                let words = format!("The certificate can't be used: {error:#}.");
                Outcome::Refused(Problem::new(Code::Other, words), None)
            }
        }
    }

    async fn order_at(
        &mut self,
        directory: &str,
        target: &Target,
        challenge: Challenge,
        replaces: Option<instant_acme::CertificateIdentifier<'_>>,
    ) -> Result<String, Outcome> {
        let unusable = |error: &anyhow::Error| {
            Outcome::Unanswered(Problem::new(Code::Other, format!("{error:#}.")))
        };
        let mut client = self.client(directory).map_err(|error| unusable(&error))?;
        client.heard().begin_order();
        let ordered = if directory == self.config.directory {
            client.order(&self.config, &self.store, target, challenge, replaces).await
        } else {
            let store = Store::open(&self.data, directory).map_err(|error| unusable(&error))?;
            client.order(&self.config, &store, target, challenge, replaces).await
        };
        let heard = Arc::clone(client.heard());
        self.note_clock(heard.clock_ahead());
        self.clients.insert(directory.to_owned(), client);
        ordered.map_err(|OrderError { error, is_of_account }| {
            let ca = directory.strip_prefix("https://").unwrap_or(directory);
            let context = Context {
                identifier: &target.identifier,
                ca: ca.split('/').next().unwrap_or(ca),
                port: self.port(),
                retry_after: heard.retry_after(),
            };
            tracing::debug!(?error, "the order failed");
            match is_of_account {
                true => refusal::account_outcome(&error, &context),
                false => refusal::outcome(&error, &context),
            }
        })
    }

    /// The client of a CA, which its user puts back.
    fn client(&mut self, directory: &str) -> anyhow::Result<Client> {
        if let Some(client) = self.clients.remove(directory) {
            return Ok(client);
        }
        let Looker { proofs, provider, .. } = self.looker.clone();
        Client::new(&self.config, directory, proofs, provider)
    }

    fn challenge(&self, index: usize, verdict: &Verdict) -> Challenge {
        let failures = self.entries.get(index).map_or(0, |entry| entry.plan.failures());
        match (self.config.challenge, verdict) {
            (ChallengeChoice::TlsAlpn01, _) => Challenge::TlsAlpn01,
            (ChallengeChoice::Http01, _) => Challenge::Http01,
            (_, Verdict::Ours { https: true, .. }) => Challenge::TlsAlpn01,
            (_, Verdict::Ours { http: true, .. }) => Challenge::Http01,
            // Nobody knows which port a router forwards: each in turn.
            _ if failures.is_multiple_of(2) => Challenge::TlsAlpn01,
            _ => Challenge::Http01,
        }
    }

    fn note_clock(&self, ahead: Option<i64>) {
        let Some(ahead) = ahead else { return };
        let problem = (ahead.abs() > MAX_CLOCK_ERROR).then(|| {
            let (minutes, way) = (ahead.abs() / 60, if ahead > 0 { "slow" } else { "fast" });
            let words =
                format!("This computer's clock is {minutes} minutes {way} by the CA's Date.");
            tracing::warn!(code = Code::Clock.as_str(), "{words}");
            Problem::new(Code::Clock, words)
        });
        self.status.set_clock(problem);
    }
}

impl Entry {
    fn status(&self, now: OffsetDateTime) -> CertificateStatus {
        CertificateStatus {
            name: self.target.identifier.to_string(),
            ends: self.plan.validity().map(|validity| validity.ends),
            is_expiring: self.plan.is_expiring(now),
            problem: self.plan.memory.problem.clone(),
            next_attempt: self.plan.next_attempt(now),
        }
    }

    fn warn_of_expiry(&mut self, now: OffsetDateTime) {
        let is_due = self.warned.is_none_or(|since| since.elapsed() >= WARN_INTERVAL);
        let Some(validity) = self.plan.validity().filter(|_| is_due && self.plan.is_expiring(now))
        else {
            return;
        };
        self.warned = Some(Instant::now());
        let (name, until) = (&self.target.identifier, minute(validity.ends));
        match now < validity.ends {
            true => tracing::warn!(%name, %until, "the certificate of the CA expires soon"),
            false => tracing::warn!(
                %name, %until, "the certificate of the CA has expired: visitors meet the local CA's"
            ),
        }
    }
}
