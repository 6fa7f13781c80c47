//! Names by which visitors reached this server.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Names that wait for a look. Further ones come again with their visitors.
const MAX_NAMES: usize = 16;

/// Names since the last look. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct VisitedNames(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Somebody looks at them.
    wanted: AtomicBool,
    names: Mutex<BTreeSet<String>>,
    noted: Notify,
}

impl VisitedNames {
    /// True if names are to be noted.
    pub(crate) fn are_wanted(&self) -> bool {
        self.0.wanted.load(Ordering::Relaxed)
    }

    /// Notes a name in lower case.
    pub(crate) fn note(&self, name: &str) {
        let mut names = self.0.names.lock();
        if names.len() < MAX_NAMES && !names.contains(name) {
            names.insert(name.to_owned());
            self.0.noted.notify_one();
        }
    }

    pub(super) fn want(&self, wanted: bool) {
        self.0.wanted.store(wanted, Ordering::Relaxed);
    }

    /// The names, which are forgotten.
    pub(super) fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.0.names.lock())
    }

    /// Returns once there is a name.
    pub(super) async fn noted(&self) {
        while self.0.names.lock().is_empty() {
            self.0.noted.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_limited_until_they_are_taken() {
        let visited = VisitedNames::default();
        for n in 0..40 {
            visited.note(&format!("{n}.example"));
        }
        assert_eq!(visited.take().len(), MAX_NAMES);
        visited.note("a.example");
        assert_eq!(visited.take(), BTreeSet::from(["a.example".to_owned()]));
    }
}
