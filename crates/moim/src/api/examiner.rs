//! Examinations of this server by the doctor.

use std::{sync::Arc, time::Duration};

use doctor::Language;
use serde_json::Value;
use tokio::{sync::Mutex, task::spawn_blocking, time::Instant};

/// Time for which an examination is not repeated.
const FRESH: Duration = Duration::from_secs(30);

/// Examines the server as `moim doctor` does, and returns the report that it prints as JSON. Takes
/// some seconds, and blocks.
pub(crate) type Examine = Arc<dyn Fn(Language) -> Value + Send + Sync>;

/// One examination at a time.
pub(super) struct Examiner {
    examine: Examine,
    last: Arc<Mutex<Option<Examination>>>,
}

struct Examination {
    at: Instant,
    language: Language,
    report: Value,
}

impl Examiner {
    pub(super) fn new(examine: Examine) -> Self {
        Self { examine, last: Arc::default() }
    }

    pub(super) async fn report(&self, language: Language) -> anyhow::Result<Value> {
        // Whoever asks meanwhile waits for the same report.
        let mut last = Arc::clone(&self.last).lock_owned().await;
        let fresh = last.as_ref().filter(|last| last.at.elapsed() < FRESH);
        if let Some(last) = fresh.filter(|last| last.language == language) {
            return Ok(last.report.clone());
        }
        let examine = Arc::clone(&self.examine);
        let report = spawn_blocking(move || {
            let report = examine(language);
            // Also for the next one if whoever asked gave up.
            *last = Some(Examination { at: Instant::now(), language, report: report.clone() });
            report
        });
        Ok(report.await?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn examination_is_shared_for_a_while_and_by_language() {
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        let examiner =
            Examiner::new(Arc::new(move |_| counted.fetch_add(1, Ordering::Relaxed).into()));
        let (one, other) =
            tokio::join!(examiner.report(Language::En), examiner.report(Language::En));
        assert_eq!(one.unwrap(), other.unwrap());
        assert_eq!(examiner.report(Language::Ko).await.unwrap(), 1);
        tokio::time::advance(FRESH).await;
        assert_eq!(examiner.report(Language::Ko).await.unwrap(), 2);
    }
}
