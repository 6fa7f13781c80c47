//! Fault injection for tests. Only builds with debug assertions have it, and only if
//! `MOIM_TEST_FAULTS` is set in the environment.

use std::{sync::OnceLock, thread, time::Duration};

/// A link that receives this datagram on its path panics.
pub(crate) const LINK_PANIC: &[u8] = b"\x80moim: a link panics";
/// A DTLS session of a TURN client that receives this datagram panics.
pub(crate) const DTLS_PANIC: &[u8] = b"\x17moim: a DTLS session panics";
/// A link to another node that receives this message panics.
pub(crate) const NODE_LINK_PANIC: &[u8] = b"\xffmoim: a link between nodes panics";
/// A shard that receives one of these datagrams panics, or blocks for [`STUCK_TIME`].
const SHARD_PANIC: &[u8] = b"\xffmoim: a shard panics";
const SHARD_STUCK: &[u8] = b"\xffmoim: a shard is stuck";

/// Long enough for the watchdog to report the shard, too short for it to end the process.
const STUCK_TIME: Duration = Duration::from_secs(9);

/// True if fault injection is enabled.
pub(crate) fn are_planted() -> bool {
    static PLANTED: OnceLock<bool> = OnceLock::new();
    cfg!(test) || *PLANTED.get_or_init(|| std::env::var_os("MOIM_TEST_FAULTS").is_some())
}

/// Triggers the fault that a datagram of an unknown protocol asks for.
pub(crate) fn trigger(datagram: &[u8]) {
    if !are_planted() {
        return;
    }
    assert!(datagram != SHARD_PANIC, "injected fault in a shard");
    if datagram == SHARD_STUCK {
        thread::sleep(STUCK_TIME);
    }
}

/// True if a DTLS session must panic at this datagram.
pub(crate) fn is_dtls_panic(datagram: &[u8]) -> bool {
    datagram == DTLS_PANIC && are_planted()
}
