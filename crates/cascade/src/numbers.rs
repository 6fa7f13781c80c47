//! Numbers of datagrams: 64 bits in memory, the lower 32 on the wire. The window of those seen.

/// Numbers for which a receiver remembers whether they have arrived: about a second of a busy link.
pub(crate) const WINDOW: u64 = 8192;
const WORD: u64 = 64;

/// The lower half, as sent.
pub(crate) fn truncate(number: u64) -> u32 {
    let [.., a, b, c, d] = number.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// The number next to `near` that ends in these 32 bits.
pub(crate) fn expand(truncated: u32, near: u64) -> u64 {
    let ahead = truncated.wrapping_sub(truncate(near));
    match i32::try_from(ahead) {
        Ok(ahead) => near.saturating_add(u64::from(ahead.unsigned_abs())),
        Err(_) => near.saturating_sub(u64::from(ahead.wrapping_neg())),
    }
}

/// The newest numbers that have arrived.
#[derive(Debug)]
pub(crate) struct Seen {
    /// One bit for each number of the window.
    bits: Vec<u64>,
    /// The number after the highest.
    next: u64,
}

/// A number in relation to the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The first time. The numbers from `missing` on, up to it, are missing.
    New { missing: u64 },
    /// It fills a gap.
    Late,
    /// It has arrived before, or is older than the window.
    Duplicate,
}

impl Default for Seen {
    fn default() -> Self {
        Self { bits: vec![0; usize::try_from(WINDOW / WORD).unwrap_or_default()], next: 0 }
    }
}

impl Seen {
    /// The number after the highest seen.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Raises the end of the window without an arrival. Returns the first number that is missing.
    pub(crate) fn advance(&mut self, next: u64) -> u64 {
        let before = self.next;
        if next <= before {
            return next;
        }
        let skipped = next - before;
        if skipped >= WINDOW {
            self.bits.fill(0);
        } else {
            (before..next).for_each(|number| self.set(number, false));
        }
        self.next = next;
        before.max(next.saturating_sub(WINDOW))
    }

    pub(crate) fn insert(&mut self, number: u64) -> Arrival {
        if number >= self.next {
            let missing = self.advance(number.saturating_add(1));
            self.set(number, true);
            return Arrival::New { missing };
        }
        if self.next - number > WINDOW || self.is_set(number) {
            return Arrival::Duplicate;
        }
        self.set(number, true);
        Arrival::Late
    }

    fn is_set(&self, number: u64) -> bool {
        let (word, bit) = position(number);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }

    fn set(&mut self, number: u64, is_seen: bool) {
        let (word, bit) = position(number);
        if let Some(word) = self.bits.get_mut(word) {
            *word = if is_seen { *word | bit } else { *word & !bit };
        }
    }
}

/// Word and bit of a number.
fn position(number: u64) -> (usize, u64) {
    let at = number % WINDOW;
    (usize::try_from(at / WORD).unwrap_or_default(), 1 << (at % WORD))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wrapped_numbers_are_expanded_to_the_nearest() {
        let wrap = 1_u64 << 32;
        for number in [0, 1, wrap - 1, wrap, wrap + 1, 5 * wrap - 3] {
            for near in [number.saturating_sub(1000), number, number + 1000] {
                assert_eq!(expand(truncate(number), near), number);
            }
        }
    }

    proptest! {
        #[test]
        fn each_number_arrives_once(numbers in proptest::collection::vec(0..20_000_u64, 1..2000)) {
            let mut seen = Seen::default();
            let mut model = BTreeSet::new();
            let mut highest = None;
            for number in numbers {
                let is_old = highest.is_some_and(|highest| highest + 1 - WINDOW.min(highest + 1) > number);
                let arrival = seen.insert(number);
                let is_first = model.insert(number);
                prop_assert_eq!(arrival != Arrival::Duplicate, is_first && !is_old);
                highest = highest.max(Some(number));
            }
        }
    }
}
