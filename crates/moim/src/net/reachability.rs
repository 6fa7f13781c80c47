//! The current addresses of this server: one value that certificate, candidates, STUN and TURN
//! URLs, relayed addresses and the banner follow.

use std::{net::SocketAddr, sync::Arc};

use parking_lot::Mutex;

use tokio::sync::watch;

use super::{
    interface_events::InterfaceEvents, interfaces::Interfaces, reachable::ReachableAddresses,
};
use crate::config::Announce;

/// The current addresses. Clones share one value.
#[derive(Debug, Clone)]
pub(crate) struct Reachability {
    current: Arc<watch::Sender<Arc<ReachableAddresses>>>,
    announcing: Arc<Mutex<Announcing>>,
}

/// Addresses to announce, by source.
#[derive(Debug, Default)]
struct Announcing {
    /// By the configuration, or found for it.
    given: Vec<Announce>,
    announce_only: bool,
    /// That the router forwards.
    mapped: Option<Announce>,
}

impl Announcing {
    /// The address that the router forwards counts where nobody gave one of its family.
    fn all(&self) -> Vec<Announce> {
        let is_given = |mapped: &Announce| {
            self.given.iter().any(|given| given.ip.is_ipv4() == mapped.ip.is_ipv4())
        };
        let mapped = self.mapped.filter(|mapped| !is_given(mapped));
        self.given.iter().copied().chain(mapped).collect()
    }
}

/// A receiver of the current addresses.
pub(crate) type AddressChanges = watch::Receiver<Arc<ReachableAddresses>>;

impl Reachability {
    /// Addresses on this machine's current interfaces, for a server that listens nowhere yet.
    pub(crate) fn new(announced: &[Announce], announce_only: bool) -> Self {
        let addresses = ReachableAddresses::new(&[], announced, announce_only, Interfaces::read());
        let reachability = Self::from(addresses);
        reachability.announcing.lock().announce_only = announce_only;
        reachability
    }

    /// The current addresses.
    pub(crate) fn current(&self) -> Arc<ReachableAddresses> {
        Arc::clone(&self.current.borrow())
    }

    /// A receiver that has seen the current addresses.
    pub(crate) fn changes(&self) -> AddressChanges {
        self.current.subscribe()
    }

    /// Sets the addresses that the server listens on.
    pub(crate) fn listen_on(&self, listen: &[SocketAddr]) {
        self.update(|current| current.with_listen(listen));
    }

    /// Replaces the announced addresses.
    pub(crate) fn announce(&self, announced: &[Announce], announce_only: bool) {
        let mut announcing = self.announcing.lock();
        (announcing.given, announcing.announce_only) = (announced.to_vec(), announce_only);
        self.apply(&announcing);
    }

    /// Announces an address that the router forwards, or no longer.
    pub(crate) fn map(&self, mapped: Option<Announce>) {
        let mut announcing = self.announcing.lock();
        announcing.mapped = mapped;
        self.apply(&announcing);
    }

    fn apply(&self, announcing: &Announcing) {
        let all = announcing.all();
        self.update(|current| current.with_announced(&all, announcing.announce_only));
    }

    /// Follows this machine's interfaces. Never returns.
    pub(crate) async fn follow(self) {
        let mut events = InterfaceEvents::open();
        loop {
            // The first read finds what has changed before there were notifications.
            let interfaces = Interfaces::read();
            if self.update(|current| current.with_interfaces(interfaces)) {
                tracing::info!("this computer's addresses have changed: {}", self.in_words());
            }
            events.due().await;
        }
    }

    fn update(&self, change: impl FnOnce(&ReachableAddresses) -> ReachableAddresses) -> bool {
        self.current.send_if_modified(|current| {
            let new = change(current);
            let is_other = new != **current;
            if is_other {
                *current = Arc::new(new);
            }
            is_other
        })
    }

    fn in_words(&self) -> String {
        let current = self.current();
        let addresses = current.interfaces().reachable.iter().map(ToString::to_string);
        let addresses: Vec<_> = addresses.collect();
        if addresses.is_empty() { "none".to_owned() } else { addresses.join(", ") }
    }
}

impl From<ReachableAddresses> for Reachability {
    fn from(addresses: ReachableAddresses) -> Self {
        let given = addresses.announced().to_vec();
        let announcing = Announcing { given, ..Announcing::default() };
        Self {
            current: Arc::new(watch::Sender::new(Arc::new(addresses))),
            announcing: Arc::new(Mutex::new(announcing)),
        }
    }
}

impl Default for Reachability {
    fn default() -> Self {
        ReachableAddresses::default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_address_counts_where_none_is_given_and_outlives_a_reload() {
        let reachability = Reachability::default();
        reachability.listen_on(&["192.0.2.1:4000".parse().unwrap()]);
        let told = || {
            let announced = reachability.current().announced().to_vec();
            announced.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        reachability.map(Some("203.0.113.7:5000".parse().unwrap()));
        assert_eq!(told(), ["203.0.113.7:5000"]);
        reachability.announce(&["2001:db8::7".parse().unwrap()], false);
        assert_eq!(told(), ["2001:db8::7", "203.0.113.7:5000"]);
        reachability.announce(&["203.0.113.9".parse().unwrap()], false);
        assert_eq!(told(), ["203.0.113.9"], "the operator's word counts");
        reachability.announce(&[], false);
        assert_eq!(told(), ["203.0.113.7:5000"]);
        reachability.map(None);
        assert!(told().is_empty());
    }

    #[test]
    fn changes_are_seen_once_and_by_all_clones() {
        let reachability = Reachability::default();
        let mut changes = reachability.clone().changes();
        reachability.listen_on(&["192.0.2.1:4000".parse().unwrap()]);
        assert!(changes.has_changed().unwrap());
        assert_eq!(changes.borrow_and_update().candidates(), ["192.0.2.1:4000".parse().unwrap()]);
        reachability.listen_on(&["192.0.2.1:4000".parse().unwrap()]);
        assert!(!changes.has_changed().unwrap(), "nothing is new");
        reachability.announce(&["203.0.113.7".parse().unwrap()], true);
        assert_eq!(changes.borrow_and_update().candidates(), ["203.0.113.7:4000".parse().unwrap()]);
    }
}
