//! Registry of sessions: counts all of them and finds those that began on polling by id.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::http::Method;
use parking_lot::{Mutex, MutexGuard};
use socketio::Revision;
use tokio::sync::mpsc;

use super::{config::Limits, rejection::Rejection, request::Request};
use crate::net::client_prefix::ClientPrefix;

/// Capacity of a session's request channel.
const CHANNEL_CAPACITY: usize = 4;

/// All sessions of one listener.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    listed: HashMap<Arc<str>, Entry>,
    sessions: usize,
    by_address: HashMap<ClientPrefix, usize>,
}

/// A listed session.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    /// It may still poll.
    Polling(PollingHandle),
    /// It upgraded to a WebSocket.
    Upgraded,
}

/// Handle to a session that may poll.
#[derive(Debug, Clone)]
pub(super) struct PollingHandle {
    pub(super) revision: Revision,
    /// The only address allowed to use it, if restricted.
    allowed_address: Option<IpAddr>,
    sender: mpsc::Sender<Request>,
    posting: Arc<AtomicBool>,
    /// Progress of the switch to the secret id, if the session has one.
    renewal: Option<Arc<Renewal>>,
    /// Found by the secret id.
    is_secret: bool,
}

/// Progress of a session's switch from its public to its secret id.
#[derive(Debug, Default)]
struct Renewal {
    /// A request used the secret id.
    is_used: AtomicBool,
    /// A POST used either id.
    has_posted: AtomicBool,
}

/// Counts a session until dropped.
#[derive(Debug)]
pub(super) struct Permit {
    registry: Arc<Registry>,
    address: Option<ClientPrefix>,
}

/// Lists a session until dropped.
#[derive(Debug)]
pub(super) struct Listing {
    registry: Arc<Registry>,
    sid: Arc<str>,
    /// The session's secret id, if it has one.
    secret: Option<Arc<str>>,
}

/// Guard of the single concurrent POST of a session.
#[derive(Debug)]
pub(super) struct Posting(Arc<AtomicBool>);

impl Registry {
    /// Counts a new session, within the limits.
    pub(super) fn admit(
        self: &Arc<Self>,
        limits: &Limits,
        address: IpAddr,
    ) -> Result<Permit, Rejection> {
        let address = counted_prefix(address);
        let mut state = self.state();
        if state.sessions >= limits.sessions {
            return Err(Rejection::Full);
        }
        if let Some(address) = address {
            let count = state.by_address.entry(address).or_default();
            if *count >= limits.sessions_per_address {
                return Err(Rejection::TooMany);
            }
            *count += 1;
        }
        state.sessions += 1;
        Ok(Permit { registry: Arc::clone(self), address })
    }

    /// Lists a polling session; returns the receiver of its requests.
    pub(super) fn list(
        self: &Arc<Self>,
        sid: &Arc<str>,
        revision: Revision,
        address: IpAddr,
        secret: Option<Arc<str>>,
    ) -> (PollingHandle, Listing, mpsc::Receiver<Request>) {
        let (sender, requests) = mpsc::channel(CHANNEL_CAPACITY);
        // In Engine.IO 3 the session id is also the socket id, which other clients may learn.
        let allowed_address = (revision == Revision::V3).then(|| address.to_canonical());
        let renewal = secret.is_some().then(Arc::default);
        let posting = Arc::default();
        let handle =
            PollingHandle { revision, allowed_address, sender, posting, renewal, is_secret: false };
        let mut state = self.state();
        state.listed.insert(Arc::clone(sid), Entry::Polling(handle.clone()));
        if let Some(secret) = &secret {
            let renewed = PollingHandle { is_secret: true, ..handle.clone() };
            state.listed.insert(Arc::clone(secret), Entry::Polling(renewed));
        }
        drop(state);
        let listing = Listing { registry: Arc::clone(self), sid: Arc::clone(sid), secret };
        (handle, listing, requests)
    }

    /// Finds a session by id.
    pub(super) fn find(&self, sid: &str) -> Option<Entry> {
        self.state().listed.get(sid).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

/// Prefix to which a session counts; `None` for loopback, which may be a local proxy.
fn counted_prefix(address: IpAddr) -> Option<ClientPrefix> {
    Some(ClientPrefix::from(address)).filter(|client| !client.is_loopback())
}

impl PollingHandle {
    /// Returns whether a request of this revision and address may belong to the session.
    pub(super) fn admits(&self, revision: Option<Revision>, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let same = |only: IpAddr| only == address || (only.is_loopback() && address.is_loopback());
        revision == Some(self.revision) && self.allowed_address.is_none_or(same)
    }

    /// Returns whether the used id is still valid for a request. After the first request with the
    /// secret id, the public id is valid for the session's first POST only: the client may have
    /// sent it before it knew the secret id, and nobody else can have learned the public id by
    /// then.
    pub(super) fn accepts(&self, method: &Method) -> bool {
        let Some(renewal) = &self.renewal else { return true };
        let is_post = *method == Method::POST;
        let has_posted = is_post && renewal.has_posted.swap(true, Ordering::AcqRel);
        if self.is_secret {
            renewal.is_used.store(true, Ordering::Release);
            return true;
        }
        !renewal.is_used.load(Ordering::Acquire) || (is_post && !has_posted)
    }

    /// Sends a request to the session's task.
    pub(super) fn push(&self, request: Request) -> Result<(), Rejection> {
        self.sender.try_send(request).map_err(|_| Rejection::BadRequest)
    }

    /// Claims the single concurrent POST, before its body is read.
    pub(super) fn post(&self) -> Option<Posting> {
        let taken = self.posting.swap(true, Ordering::AcqRel);
        (!taken).then(|| Posting(Arc::clone(&self.posting)))
    }
}

impl Listing {
    /// Marks the session as upgraded.
    pub(super) fn upgrade(&self) {
        let mut state = self.registry.state();
        for sid in [Some(&self.sid), self.secret.as_ref()].into_iter().flatten() {
            if let Some(entry) = state.listed.get_mut(sid) {
                *entry = Entry::Upgraded;
            }
        }
    }
}

impl Drop for Posting {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        let mut state = self.registry.state();
        state.listed.remove(&self.sid);
        if let Some(secret) = &self.secret {
            state.listed.remove(secret);
        }
        if state.listed.len() < state.listed.capacity() / 4 {
            state.listed.shrink_to_fit();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.registry.state();
        state.sessions = state.sessions.saturating_sub(1);
        let Some(address) = self.address else { return };
        if let Some(count) = state.by_address.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(registry: &Registry, sid: &str) -> PollingHandle {
        match registry.find(sid) {
            Some(Entry::Polling(handle)) => handle,
            entry => panic!("{entry:?}"),
        }
    }

    fn limits(sessions: usize, sessions_per_address: usize) -> Limits {
        Limits { sessions, sessions_per_address, ..Limits::default() }
    }

    #[test]
    fn sessions_are_limited_in_total_and_per_address() {
        let registry = Arc::new(Registry::default());
        let limits = limits(3, 2);
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = registry.admit(&limits, a).unwrap();
        let _second = registry.admit(&limits, a).unwrap();
        assert_eq!(registry.admit(&limits, a).unwrap_err(), Rejection::TooMany);
        let third = registry.admit(&limits, b).unwrap();
        assert_eq!(registry.admit(&limits, b).unwrap_err(), Rejection::Full);
        drop(first);
        assert!(registry.admit(&limits, a).is_ok());
        drop(third);
        assert_eq!(registry.state().by_address.len(), 1);
    }

    #[test]
    fn ipv6_prefix_counts_as_one_address_and_loopback_is_exempt() {
        let registry = Arc::new(Registry::default());
        let limits = limits(10, 1);
        let _one = registry.admit(&limits, "2001:db8::1".parse().unwrap()).unwrap();
        assert!(registry.admit(&limits, "2001:db8::2".parse().unwrap()).is_err());
        assert!(registry.admit(&limits, "2001:db8:0:1::1".parse().unwrap()).is_ok());
        let _two = registry.admit(&limits, "127.0.0.1".parse().unwrap()).unwrap();
        assert!(registry.admit(&limits, "::ffff:127.0.0.1".parse().unwrap()).is_ok());
    }

    #[test]
    fn session_is_found_while_listed() {
        let registry = Arc::new(Registry::default());
        let (_, listing, _requests) =
            registry.list(&"abc".into(), Revision::V4, "::1".parse().unwrap(), None);
        handle(&registry, "abc");
        listing.upgrade();
        assert!(matches!(registry.find("abc"), Some(Entry::Upgraded)));
        drop(listing);
        assert!(registry.find("abc").is_none());
    }

    #[test]
    fn engine_io_3_session_is_bound_to_its_address() {
        let registry = Arc::new(Registry::default());
        let (old, ..) =
            registry.list(&"a".into(), Revision::V3, "192.0.2.1".parse().unwrap(), None);
        assert!(old.admits(Some(Revision::V3), "::ffff:192.0.2.1".parse().unwrap()));
        assert!(!old.admits(Some(Revision::V3), "192.0.2.2".parse().unwrap()));
        assert!(!old.admits(Some(Revision::V4), "192.0.2.1".parse().unwrap()));
        assert!(!old.admits(None, "192.0.2.1".parse().unwrap()));
        let (new, ..) =
            registry.list(&"b".into(), Revision::V4, "192.0.2.1".parse().unwrap(), None);
        assert!(new.admits(Some(Revision::V4), "192.0.2.2".parse().unwrap()));
        let (local, ..) =
            registry.list(&"c".into(), Revision::V3, "127.0.0.1".parse().unwrap(), None);
        assert!(local.admits(Some(Revision::V3), "::1".parse().unwrap()));
    }

    #[test]
    fn session_allows_one_post_at_a_time() {
        let registry = Arc::new(Registry::default());
        let (_, _listing, _requests) =
            registry.list(&"abc".into(), Revision::V4, "::1".parse().unwrap(), None);
        let posting = handle(&registry, "abc").post();
        assert!(posting.is_some());
        assert!(handle(&registry, "abc").post().is_none());
        drop(posting);
        assert!(handle(&registry, "abc").post().is_some());
    }
}
