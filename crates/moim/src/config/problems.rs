//! All mistakes of a configuration, collected before any is reported.

use std::fmt;

/// Mistakes, each a sentence for the operator with the remedy.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    /// Adds a mistake.
    pub(crate) fn add(&mut self, sentence: impl Into<String>) {
        self.0.push(sentence.into());
    }

    /// The value, or `None` after its error was added.
    pub(crate) fn take<T>(&mut self, result: anyhow::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(in_one_sentence(&error))).ok()
    }

    /// Adds a mistake unless `holds`.
    pub(super) fn ensure(&mut self, holds: bool, sentence: impl FnOnce() -> String) {
        if !holds {
            self.add(sentence());
        }
    }

    /// Rewrites each sentence.
    pub(super) fn map(self, rewrite: impl FnMut(String) -> String) -> Self {
        Self(self.0.into_iter().map(rewrite).collect())
    }

    /// `Ok` if there is none.
    pub(crate) fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The sentences, in the order of discovery.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl From<anyhow::Error> for Problems {
    fn from(error: anyhow::Error) -> Self {
        Self(vec![in_one_sentence(&error)])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

/// Formats an error as one sentence: problem and remedy, then the causes in parentheses.
fn in_one_sentence(error: &anyhow::Error) -> String {
    let mut causes = error.chain().skip(1).map(ToString::to_string).collect::<Vec<_>>();
    causes.dedup();
    match causes.as_slice() {
        [] => format!("{error}"),
        causes => format!("{error} ({})", causes.join(": ")),
    }
}
