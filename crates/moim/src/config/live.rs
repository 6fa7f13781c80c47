//! Values that a reload replaces.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

/// A value that may be replaced while it is in use. Clones share one value, read without a lock.
#[derive(Debug, Default)]
pub(crate) struct Live<T>(Arc<ArcSwap<T>>);

impl<T> Live<T> {
    /// Shares a value.
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(value)))
    }

    /// The current value. Not to be held across an await.
    pub(crate) fn load(&self) -> Guard<Arc<T>> {
        self.0.load()
    }

    /// Replaces the value, in all clones.
    pub(crate) fn replace(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_applies_to_clones() {
        let live = Live::new(1);
        let clone = live.clone();
        live.replace(2);
        assert_eq!(**clone.load(), 2);
    }
}
