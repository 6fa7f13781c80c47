//! Time as the estimator counts it.

/// Microseconds, since the start of the link or on the receiver's clock.
pub(super) type Micros = i64;
