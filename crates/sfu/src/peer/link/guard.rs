//! Containment of panics: a panic of str0m ends one link and no other.

use super::Link;
use crate::str0m_workarounds::panics::contained;

impl Link {
    /// Calls str0m, unless it has panicked before. Returns `None` if it has or does.
    pub(super) fn guard<T>(&mut self, call: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.is_broken {
            return None;
        }
        let result = contained(|| call(self));
        self.is_broken |= result.is_none();
        result
    }

    /// Returns whether str0m has panicked.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Drops a link. After a panic of str0m even this may panic.
    pub(crate) fn discard(self) {
        contained(|| drop(self));
    }
}
