//! The time of day, as far as it can be believed.

use time::OffsetDateTime;

/// The start of 2026, before which this program was not there. A computer without a battery for its
/// clock starts in 1970, or where its image was made, and learns the time once it has a network.
pub(super) const EARLIEST: OffsetDateTime = match OffsetDateTime::from_unix_timestamp(1_767_225_600)
{
    Ok(time) => time,
    Err(_) => OffsetDateTime::UNIX_EPOCH,
};

/// The time, unless the clock is certainly wrong.
pub(super) fn now() -> Option<OffsetDateTime> {
    believed(OffsetDateTime::now_utc())
}

/// A time, unless it is before [`EARLIEST`].
pub(super) fn believed(now: OffsetDateTime) -> Option<OffsetDateTime> {
    (now >= EARLIEST).then_some(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_is_not_believed() {
        assert_eq!(believed(OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(3)), None);
        assert_eq!(believed(EARLIEST), Some(EARLIEST));
    }
}
