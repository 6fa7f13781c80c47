//! Answers that wait for rows: what a host or the operator is told to be done must not be undone by a
//! crash.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

/// Answers that may wait at once.
const MAX_WAITS: usize = 1024;
/// Time for a row to be written.
const PATIENCE: Duration = Duration::from_secs(5);

/// A decision is not written: the store stands still, or more answers wait for it than may. It
/// counts, and is written once the store can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it counts, but is not saved yet: if the server crashes before that, it is undone")]
pub(in super::super) struct Unwritten;

/// The row that is to be written for a room's decisions so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Unsaved {
    /// Nothing.
    Nothing,
    /// A row, at least of this revision.
    Row { id: i64, revision: u64 },
    /// The deletion of a row.
    Removal { id: i64 },
}

/// A row on its way to the disk.
#[derive(Debug)]
#[must_use = "nobody knows whether it is written"]
pub(in super::super) enum Writing {
    Over(Result<(), Unwritten>),
    Waiting {
        written: oneshot::Receiver<()>,
        /// Among those who may wait at once.
        place: OwnedSemaphorePermit,
    },
}

impl Writing {
    /// Waits until it is written.
    ///
    /// # Errors
    /// It is not written in time.
    pub(in super::super) async fn wait(self) -> Result<(), Unwritten> {
        match self {
            Self::Over(result) => result,
            Self::Waiting { written, place } => {
                let result = timeout(PATIENCE, written).await;
                drop(place);
                match result {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(_)) | Err(_) => Err(Unwritten),
                }
            }
        }
    }
}

/// Answers that wait, by the ids of their rows.
#[derive(Debug)]
pub(super) struct Waits {
    of_rows: BTreeMap<i64, Vec<Wait>>,
    /// Number of these, with those who have given up: at most twice as many as may wait.
    count: usize,
    places: Arc<Semaphore>,
    /// Rows that are not deleted yet, each of a room that was kept.
    removing: BTreeSet<i64>,
}

#[derive(Debug)]
struct Wait {
    /// `None`: it waits for the deletion.
    revision: Option<u64>,
    written: oneshot::Sender<()>,
}

impl Default for Waits {
    fn default() -> Self {
        let places = Arc::new(Semaphore::new(MAX_WAITS));
        Self { of_rows: BTreeMap::new(), count: 0, places, removing: BTreeSet::new() }
    }
}

impl Waits {
    /// Begins to wait for a revision of a row, or for its deletion.
    fn add(&mut self, id: i64, revision: Option<u64>) -> Writing {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Writing::Over(Err(Unwritten));
        };
        if self.count >= 2 * MAX_WAITS {
            self.forget_those_who_gave_up();
        }
        let (written, writing) = oneshot::channel();
        self.of_rows.entry(id).or_default().push(Wait { revision, written });
        self.count += 1;
        Writing::Waiting { written: writing, place }
    }

    /// Begins to wait for a revision of a row that is not written yet.
    pub(super) fn add_row(&mut self, id: i64, revision: u64) -> Writing {
        self.add(id, Some(revision))
    }

    /// Begins to wait for the deletion of a row, unless it is deleted.
    pub(super) fn add_removal(&mut self, id: i64) -> Writing {
        match self.removing.contains(&id) {
            true => self.add(id, None),
            false => Writing::Over(Ok(())),
        }
    }

    /// A row is to be deleted.
    pub(super) fn removes(&mut self, id: i64) {
        self.removing.insert(id);
    }

    /// Nothing is kept, so nothing is ever deleted.
    pub(super) fn forget_removals(&mut self) {
        self.removing.clear();
    }

    /// Returns whether somebody waits for a row.
    pub(super) fn has(&self, id: i64) -> bool {
        self.of_rows.contains_key(&id)
    }

    /// A row is written as of this revision.
    pub(super) fn written(&mut self, id: i64, revision: u64) {
        self.resolve(id, |wait| wait.revision.is_some_and(|waited| waited <= revision));
    }

    /// A row is deleted, and with it whatever it had.
    pub(super) fn removed(&mut self, id: i64) {
        self.removing.remove(&id);
        self.resolve(id, |_| true);
    }

    fn resolve(&mut self, id: i64, is_over: impl Fn(&Wait) -> bool) {
        let Some(waits) = self.of_rows.get_mut(&id) else { return };
        for wait in waits.extract_if(.., |wait| is_over(wait)) {
            self.count -= 1;
            // Whoever asked may have given up.
            let _ = wait.written.send(());
        }
        if waits.is_empty() {
            self.of_rows.remove(&id);
        }
    }

    fn forget_those_who_gave_up(&mut self) {
        self.of_rows.retain(|_, waits| {
            waits.retain(|wait| !wait.written.is_closed());
            !waits.is_empty()
        });
        self.count = self.of_rows.values().map(Vec::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_over(writing: &mut Writing) -> bool {
        match writing {
            Writing::Over(result) => result.is_ok(),
            Writing::Waiting { written, .. } => written.try_recv().is_ok(),
        }
    }

    #[test]
    fn answer_waits_for_its_revision_or_the_deletion_of_its_row() {
        let mut waits = Waits::default();
        let (mut first, mut second) = (waits.add_row(7, 1), waits.add_row(7, 2));
        let mut other = waits.add_row(8, 1);
        waits.written(7, 1);
        assert!(is_over(&mut first) && !is_over(&mut second) && !is_over(&mut other));
        waits.removes(7);
        let mut removal = waits.add_removal(7);
        waits.written(7, 1);
        assert!(!is_over(&mut second) && !is_over(&mut removal));
        waits.removed(7);
        assert!(is_over(&mut second) && is_over(&mut removal) && !is_over(&mut other));
        assert!(is_over(&mut waits.add_removal(7)), "it is deleted");
        assert!(waits.has(8) && !waits.has(7));
        assert_eq!(waits.count, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_wait_are_bounded_and_give_up() {
        let mut waits = Waits::default();
        for _ in 0..5 {
            let waiting: Vec<_> = (0..MAX_WAITS).map(|_| waits.add_row(7, 1)).collect();
            assert_eq!(waits.add_row(8, 1).wait().await, Err(Unwritten), "there is no place");
            for writing in waiting {
                assert_eq!(writing.wait().await, Err(Unwritten));
            }
            assert!(waits.count <= 2 * MAX_WAITS);
        }
        let mut last = waits.add_row(8, 1);
        waits.written(8, 1);
        assert!(is_over(&mut last));
    }
}
