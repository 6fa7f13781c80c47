//! What the API shows and changes.

use std::{sync::Arc, time::Instant};

use super::{
    audit::Audit,
    examiner::{Examine, Examiner},
    keys::Keys,
    rate::RateLimits,
};
use crate::{
    access::Access,
    accounts::Accounts,
    net::{
        drain::Drain,
        tcp::Admission,
        tls::{AcmeStatus, CurrentCertificate},
    },
    oidc::SignIns,
    shard,
    signaling::Signaling,
    store::{Store, ids},
    webhooks::Webhooks,
};

/// The components behind the API.
pub(crate) struct Parts {
    pub(super) signaling: Arc<Signaling>,
    pub(super) keys: Keys,
    pub(super) audit: Audit,
    pub(super) access: Arc<Access>,
    pub(super) store: Store,
    pub(super) limits: RateLimits,
    pub(super) started: Instant,
    pub(super) drain: Drain,
    pub(super) shards: shard::Health,
    pub(super) webhooks: Webhooks,
    pub(super) accounts: Arc<Accounts>,
    /// `None`: people can't sign in.
    pub(super) sign_ins: Option<Arc<SignIns>>,
    /// The likeliest address of the page, such as `https://moim.example`.
    pub(super) origin: String,
    /// Milliseconds since 1970.
    pub(super) started_at: i64,
    pub(super) admission: Admission,
    pub(super) certificate: Arc<CurrentCertificate>,
    pub(super) acme: Arc<AcmeStatus>,
    pub(super) examiner: Option<Examiner>,
}

/// What a server gives to its API.
pub(crate) struct Components {
    pub(crate) signaling: Arc<Signaling>,
    pub(crate) access: Arc<Access>,
    pub(crate) store: Store,
    pub(crate) drain: Drain,
    pub(crate) shards: shard::Health,
    pub(crate) webhooks: Webhooks,
    pub(crate) accounts: Arc<Accounts>,
    /// `None`: people can't sign in.
    pub(crate) sign_ins: Option<Arc<SignIns>>,
    /// The likeliest address of the page, such as `https://moim.example`.
    pub(crate) origin: String,
    pub(crate) admission: Admission,
    pub(crate) certificate: Arc<CurrentCertificate>,
    pub(crate) acme: Arc<AcmeStatus>,
    /// `None` where the doctor can't examine this system.
    pub(crate) examine: Option<Examine>,
}

impl Parts {
    /// Loads what the store has of the API.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn load(components: Components) -> anyhow::Result<Arc<Self>> {
        let Components {
            signaling,
            access,
            store,
            drain,
            shards,
            webhooks,
            accounts,
            sign_ins,
            origin,
            admission,
            certificate,
            acme,
            examine,
        } = components;
        Ok(Arc::new(Self {
            signaling,
            access,
            keys: Keys::load(super::keeper::KeyKeeper::new(store.clone()))?,
            audit: Audit::new(store.clone()),
            store,
            limits: RateLimits::new(),
            started: Instant::now(),
            drain,
            shards,
            webhooks,
            accounts,
            sign_ins,
            origin,
            started_at: ids::now(),
            admission,
            certificate,
            acme,
            examiner: examine.map(Examiner::new),
        }))
    }
}
