//! The scripts, and the names of what they read and write.

use std::time::Duration;

use cluster::{LEASE, NodeId, RoomKey};
use redis::Script;

/// The time after which a room's log ends, if its owner does not put it off.
pub(crate) const LOG_EXPIRY: Duration = Duration::from_secs(120);
/// The time for which a slot stays with its node after its lease.
pub(crate) const RESERVATION: Duration = Duration::from_secs(60);
/// The name of the engine's memory lives longer than all that can be missed.
const MEMORY_EXPIRY: Duration = Duration::from_secs(125);
/// 1 January 2026, from which epochs count, in Unix time.
const FIRST_SECOND: u64 = 1_767_225_600;
/// The highest epoch that there may be.
const MAX_EPOCH: u32 = (1 << 31) - 1;
/// Limits of a log that is read.
const MAX_ENTRIES: u32 = 8192;
const MAX_BYTES: u32 = 16 << 20;

pub(crate) const MEMORY: &str = "moim:memory";
const SLOTS: &str = "moim:slots";
const LEASES: &str = "moim:lease:";
const RESERVATIONS: &str = "moim:slot:";

pub(crate) struct Scripts {
    renew: Script,
    nodes: Script,
    depose: Script,
    find: Script,
    claim: Script,
    append: Script,
    read: Script,
}

pub(crate) type Invocation<'a> = redis::ScriptInvocation<'a>;

fn log(room: RoomKey) -> String {
    format!("moim:room:{room}")
}

fn milliseconds(time: Duration) -> String {
    time.as_millis().to_string()
}

pub(crate) fn boot(node: NodeId) -> String {
    format!("{:016x}", node.boot)
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            renew: Script::new(include_str!("scripts/renew.lua")),
            nodes: Script::new(include_str!("scripts/nodes.lua")),
            depose: Script::new(include_str!("scripts/depose.lua")),
            find: Script::new(include_str!("scripts/find.lua")),
            claim: Script::new(include_str!("scripts/claim.lua")),
            append: Script::new(include_str!("scripts/append.lua")),
            read: Script::new(include_str!("scripts/read.lua")),
        }
    }

    pub(crate) fn renew(&self, node: NodeId, card: &[u8]) -> Invocation<'_> {
        let slot = node.slot.value().to_string();
        let mut script = self.renew.prepare_invoke();
        script.key(format!("{LEASES}{slot}")).key(format!("{RESERVATIONS}{slot}")).key(SLOTS);
        script.arg(boot(node)).arg(card).arg(milliseconds(LEASE));
        script.arg(milliseconds(LEASE + RESERVATION)).arg(slot);
        script
    }

    pub(crate) fn nodes(&self, new_memory: &str) -> Invocation<'_> {
        let mut script = self.nodes.prepare_invoke();
        script.key(MEMORY).key(SLOTS).arg(new_memory).arg(milliseconds(MEMORY_EXPIRY));
        script.arg(LEASES).arg(RESERVATIONS);
        script
    }

    pub(crate) fn depose(&self, node: NodeId) -> Invocation<'_> {
        let slot = node.slot.value().to_string();
        let mut script = self.depose.prepare_invoke();
        script.key(format!("{LEASES}{slot}")).key(format!("{RESERVATIONS}{slot}"));
        script.arg(boot(node)).arg(milliseconds(RESERVATION));
        script
    }

    pub(crate) fn find(&self, room: RoomKey) -> Invocation<'_> {
        let mut script = self.find.prepare_invoke();
        script.key(log(room)).arg(LEASES);
        script
    }

    pub(crate) fn claim(
        &self,
        room: RoomKey,
        seen: Option<u32>,
        above: u32,
        node: NodeId,
    ) -> Invocation<'_> {
        let mut script = self.claim.prepare_invoke();
        let seen = seen.map(|seen| seen.to_string()).unwrap_or_default();
        script.key(log(room)).arg(seen).arg(above).arg(node.to_string());
        script.arg(milliseconds(LOG_EXPIRY)).arg(FIRST_SECOND);
        script.arg(cluster::CLOCK_TOLERANCE).arg(MAX_EPOCH);
        script
    }

    /// An append without entries.
    pub(crate) fn append(&self, room: RoomKey, after: &str, trim_below: &str) -> Invocation<'_> {
        let mut script = self.append.prepare_invoke();
        script.key(log(room)).arg(after).arg(trim_below).arg(milliseconds(LOG_EXPIRY));
        script
    }

    pub(crate) fn read(&self, room: RoomKey) -> Invocation<'_> {
        let mut script = self.read.prepare_invoke();
        script.key(log(room)).arg(MAX_ENTRIES).arg(MAX_BYTES);
        script
    }
}
