//! A link's wall: a panic of the engine costs the link in which it happened, and no other.

use super::{Link, keys, received};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls what may panic; none if it did. What it had in its hands is of no more use then.
pub(super) fn contained<T>(call: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(call)).ok();
    if done.is_none() {
        // What was noted of this link is not for the next one.
        keys::take();
        received::take();
    }
    done
}

impl Link {
    /// Calls the engine. A link whose engine has panicked calls it no more.
    pub(super) fn guard<T>(&mut self, call: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.is_broken {
            return None;
        }
        let done = contained(|| call(self));
        self.is_broken |= done.is_none();
        done
    }

    /// Whether its engine has panicked.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Ends the memory of a link; if its engine has panicked that may panic, too.
    pub(crate) fn discard(self) {
        contained(|| drop(self));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_to_nothing_and_leaves_no_notes() {
        assert_eq!(contained(|| 7), Some(7));
        let panics = contained(|| {
            received::note_for_tests();
            let empty: [u8; 0] = [];
            empty.first().copied().unwrap()
        });
        assert_eq!(panics, None);
        assert_eq!(received::take(), received::Received::default());
    }
}
