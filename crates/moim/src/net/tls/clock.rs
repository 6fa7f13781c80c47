//! The time of day, as far as it can be plausible.

use time::OffsetDateTime;

/// The start of 2026, before this program existed. A computer without a battery-backed clock starts
/// in 1970 or at its image's date, and learns the time from the network.
pub(super) const EARLIEST: OffsetDateTime = match OffsetDateTime::from_unix_timestamp(1_767_225_600)
{
    Ok(time) => time,
    Err(_) => OffsetDateTime::UNIX_EPOCH,
};

/// The time, unless the clock is obviously wrong.
pub(super) fn now() -> Option<OffsetDateTime> {
    plausible(OffsetDateTime::now_utc())
}

/// `now`, unless it is before [`EARLIEST`].
pub(super) fn plausible(now: OffsetDateTime) -> Option<OffsetDateTime> {
    (now >= EARLIEST).then_some(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_clock_is_not_plausible() {
        assert_eq!(plausible(OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(3)), None);
        assert_eq!(plausible(EARLIEST), Some(EARLIEST));
    }
}
