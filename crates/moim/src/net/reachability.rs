//! The current addresses of this server: one value that certificate, candidates, STUN and TURN
//! URLs, relayed addresses and the banner follow.

use std::{net::SocketAddr, sync::Arc};

use tokio::sync::watch;

use super::{
    interface_events::InterfaceEvents, interfaces::Interfaces, reachable::ReachableAddresses,
};
use crate::config::Announce;

/// The current addresses. Clones share one value.
#[derive(Debug, Clone)]
pub(crate) struct Reachability(Arc<watch::Sender<Arc<ReachableAddresses>>>);

/// A receiver of the current addresses.
pub(crate) type AddressChanges = watch::Receiver<Arc<ReachableAddresses>>;

impl Reachability {
    /// Addresses on this machine's current interfaces, for a server that listens nowhere yet.
    pub(crate) fn new(announced: &[Announce], announce_only: bool) -> Self {
        ReachableAddresses::new(&[], announced, announce_only, Interfaces::read()).into()
    }

    /// The current addresses.
    pub(crate) fn current(&self) -> Arc<ReachableAddresses> {
        Arc::clone(&self.0.borrow())
    }

    /// A receiver that has seen the current addresses.
    pub(crate) fn changes(&self) -> AddressChanges {
        self.0.subscribe()
    }

    /// Sets the addresses that the server listens on.
    pub(crate) fn listen_on(&self, listen: &[SocketAddr]) {
        self.update(|current| current.with_listen(listen));
    }

    /// Replaces the announced addresses.
    pub(crate) fn announce(&self, announced: &[Announce], announce_only: bool) {
        self.update(|current| current.with_announced(announced, announce_only));
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
        self.0.send_if_modified(|current| {
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
        Self(Arc::new(watch::Sender::new(Arc::new(addresses))))
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
