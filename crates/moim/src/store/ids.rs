//! Ids of rows. They are made by the server, so that no write needs an answer.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// 1 January 2026 in seconds since 1970, from which ids count.
const EPOCH: i64 = 1_767_225_600;
/// Ids of one millisecond.
const PER_MILLISECOND: i64 = 1 << 16;

/// The last id.
static LAST: AtomicI64 = AtomicI64::new(0);

/// The place of this process among servers that share a database.
static PLACE: LazyLock<i64> = LazyLock::new(|| rand::random_range(0..PER_MILLISECOND));

/// A new id, higher than all before: by the clock, and never twice.
pub(crate) fn new_id() -> i64 {
    let ids = now().saturating_sub(EPOCH * 1000);
    let by_clock = ids.saturating_mul(PER_MILLISECOND) + *PLACE;
    let next = |last: i64| Some(by_clock.max(last + 1));
    LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
        .map_or(by_clock, |last| by_clock.max(last + 1))
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise() {
        let ids: Vec<_> = (0..200_000).map(|_| new_id()).collect();
        assert!(ids.iter().zip(ids.iter().skip(1)).all(|(one, next)| one < next));
    }
}
