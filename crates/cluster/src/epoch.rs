//! Epochs of a room's owners, and numbers of its events.

use std::fmt;

/// Bits of an epoch: seconds since 2026 fit until 2094.
const EPOCH_BITS: u32 = 31;
/// Bits of the count within an epoch.
const COUNT_BITS: u32 = 22;
const MAX_EPOCH: u32 = (1 << EPOCH_BITS) - 1;
const MAX_COUNT: u32 = (1 << COUNT_BITS) - 1;

/// The time by which the clock of one of the engine's computers may be behind that of another, in
/// seconds, and claims wait for it. A clock farther behind is wrong.
pub const CLOCK_TOLERANCE: u32 = 10;

/// The term of one owner of a room. The engine gives each claim a higher one. Epoch 0 belongs to
/// rooms of a server without a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(u32);

impl Epoch {
    /// An epoch below 2³¹.
    #[must_use]
    pub fn new(value: u32) -> Option<Self> {
        (value <= MAX_EPOCH).then_some(Self(value))
    }

    /// Its value.
    #[must_use]
    pub fn value(self) -> u32 {
        self.0
    }

    /// The epoch of a claim in the second `now` after `last`, with the rule of
    /// [`Request::Claim`](crate::Request::Claim); `None` if it is too soon. For engines that don't
    /// reckon it themselves.
    #[must_use]
    pub fn of_claim(now: u32, last: Self) -> Option<Self> {
        let next = last.0 + 1;
        if now >= next {
            return Self::new(now);
        }
        (next - now > CLOCK_TOLERANCE).then(|| Self::new(next)).flatten()
    }
}

/// The number of an entry in a room's log: the owner's epoch, then a count. As one number it is
/// below 2⁵³, so JavaScript keeps it exact. Numbers of a later owner are higher than all of an
/// earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventNumber {
    epoch: Epoch,
    count: u32,
}

impl EventNumber {
    /// A number with a count below 2²².
    #[must_use]
    pub fn new(epoch: Epoch, count: u32) -> Option<Self> {
        (count <= MAX_COUNT).then_some(Self { epoch, count })
    }

    /// The first number of an epoch, that of the claim.
    #[must_use]
    pub fn first(epoch: Epoch) -> Self {
        Self { epoch, count: 0 }
    }

    /// The number in the middle of an epoch.
    pub(crate) fn middle(epoch: Epoch) -> Self {
        Self { epoch, count: 1 << (COUNT_BITS - 1) }
    }

    /// The number after this one; `None` at the end of the epoch.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::new(self.epoch, self.count + 1)
    }

    /// The number that clients are given.
    #[must_use]
    pub fn to_wire(self) -> u64 {
        u64::from(self.epoch.0) << COUNT_BITS | u64::from(self.count)
    }

    /// The number that a client sent; `None` if it is 2⁵³ or more.
    #[must_use]
    pub fn from_wire(number: u64) -> Option<Self> {
        let epoch = u32::try_from(number >> COUNT_BITS).ok().and_then(Epoch::new)?;
        let count = u32::try_from(number & u64::from(MAX_COUNT)).ok()?;
        Some(Self { epoch, count })
    }

    /// The epoch in which it was given.
    #[must_use]
    pub fn epoch(self) -> Epoch {
        self.epoch
    }

    /// Its place within the epoch.
    #[must_use]
    pub fn count(self) -> u32 {
        self.count
    }

    /// Numbers that are left in the epoch.
    #[must_use]
    pub fn remaining(self) -> u32 {
        MAX_COUNT - self.count
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// As the id of an entry of a stream: `EPOCH-COUNT`.
impl fmt::Display for EventNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn largest_number_is_exact_in_javascript() {
        let largest = EventNumber::new(Epoch::new(MAX_EPOCH).unwrap(), MAX_COUNT).unwrap();
        assert_eq!(largest.to_wire(), (1 << 53) - 1);
        assert_eq!(largest.next(), None);
        assert_eq!(EventNumber::from_wire(1 << 53), None);
        assert_eq!(Epoch::new(MAX_EPOCH + 1), None);
    }

    #[test]
    fn epochs_of_claims_follow_the_clock_unless_it_is_wrong() {
        let last = Epoch::new(500).unwrap();
        assert_eq!(Epoch::of_claim(700, last), Epoch::new(700));
        assert_eq!(Epoch::of_claim(500, last), None);
        assert_eq!(Epoch::of_claim(491, last), None);
        assert_eq!(Epoch::of_claim(490, last), Epoch::new(501));
    }

    #[test]
    fn numbers_of_a_server_alone_are_plain_counts() {
        let seventh = EventNumber::new(Epoch::default(), 7).unwrap();
        assert_eq!(seventh.to_wire(), 7);
    }

    proptest! {
        #[test]
        fn order_and_value_survive_the_wire(a in 0..1u64 << 53, b in 0..1u64 << 53) {
            let (x, y) = (EventNumber::from_wire(a).unwrap(), EventNumber::from_wire(b).unwrap());
            prop_assert_eq!(x.to_wire(), a);
            prop_assert_eq!(a.cmp(&b), x.cmp(&y));
        }
    }
}
