//! A link's wall: a panic of the engine costs the link in which it happened, and no other.

use super::Link;
use crate::str0m_workarounds::panics::contained;

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
