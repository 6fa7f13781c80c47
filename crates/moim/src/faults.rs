//! Faults that tests plant, to see what they cost. Builds without debug assertions know of none, and
//! others ask for `MOIM_TEST_FAULTS` in the environment.

use std::{sync::OnceLock, thread, time::Duration};

/// At this, from where a link is, the link panics.
pub(crate) const LINK_PANIC: &[u8] = b"\x80moim: a link panics";
/// At these, from anywhere, the shard panics or is stuck for a while.
const SHARD_PANIC: &[u8] = b"\xffmoim: a shard panics";
const SHARD_STUCK: &[u8] = b"\xffmoim: a shard is stuck";

/// Longer than a shard may take before the watch notices, and shorter than until it gives up.
const WHILE: Duration = Duration::from_secs(9);

/// Whether tests may plant faults.
pub(crate) fn are_planted() -> bool {
    static PLANTED: OnceLock<bool> = OnceLock::new();
    cfg!(test) || *PLANTED.get_or_init(|| std::env::var_os("MOIM_TEST_FAULTS").is_some())
}

/// Takes a datagram of no protocol that we speak.
pub(crate) fn act(datagram: &[u8]) {
    if !are_planted() {
        return;
    }
    assert!(datagram != SHARD_PANIC, "planted in a shard");
    if datagram == SHARD_STUCK {
        thread::sleep(WHILE);
    }
}
