//! Nodes to which shards have no link for media though rooms need one.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use parking_lot::Mutex;

use super::node_table::slot_of;

/// Links that are missing, by the numbers of the own shard and the other one. All shards share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unreached(Arc<Mutex<BTreeMap<(u8, u16), String>>>);

impl Unreached {
    /// Notes the reason for which a link is missing. The first one of a node is logged.
    pub(super) fn note(&self, own: u8, shard: u16, address: SocketAddr, reason: String) {
        let mut missing = self.0.lock();
        if !missing.keys().any(|(_, other)| slot_of(*other) == slot_of(shard)) {
            tracing::warn!(
                %address, reason,
                "no link for media to another server of the cluster: those who came by it and \
                 those who came by this one don't hear and see each other; open UDP between them"
            );
        }
        missing.insert((own, shard), reason);
    }

    /// Notes that a link is there, or is not needed any more.
    pub(super) fn forget(&self, own: u8, shard: u16) {
        let mut missing = self.0.lock();
        if missing.remove(&(own, shard)).is_some()
            && !missing.keys().any(|(_, other)| slot_of(*other) == slot_of(shard))
        {
            tracing::info!(slot = slot_of(shard), "no link for media to this node is missing");
        }
    }

    /// The reason for which a link to a node is missing.
    pub(crate) fn reason(&self, slot: u16) -> Option<String> {
        let missing = self.0.lock();
        missing.iter().find(|((_, shard), _)| slot_of(*shard) == slot).map(|(_, why)| why.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::node_table::shard_number, *};

    #[test]
    fn node_is_unreached_until_no_link_to_it_is_missing() {
        let unreached = Unreached::default();
        let address = SocketAddr::from(([10, 0, 0, 9], 1));
        let shards = [shard_number(5, 0), shard_number(5, 1)];
        shards.iter().for_each(|shard| unreached.note(0, *shard, address, "silence".to_owned()));
        unreached.forget(0, shards[0]);
        assert_eq!((unreached.reason(5).as_deref(), unreached.reason(6)), (Some("silence"), None));
        unreached.forget(1, shards[1]);
        assert!(unreached.reason(5).is_some(), "another shard's link");
        unreached.forget(0, shards[1]);
        assert_eq!(unreached.reason(5), None);
    }
}
