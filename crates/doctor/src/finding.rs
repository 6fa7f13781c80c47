//! One diagnosis with the facts that its texts name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    code::{Code, Severity},
    particle,
    words::{Language, fill},
};

/// Strength of the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Seen directly.
    Certain,
    /// Every other explanation is far-fetched.
    Likely,
    /// One of several explanations.
    Possible,
}

/// A diagnosis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which one.
    pub code: Code,
    /// Strength of the evidence.
    pub certainty: Certainty,
    /// Values for the placeholders of the texts, by name.
    pub facts: BTreeMap<String, String>,
}

impl Finding {
    /// A finding without facts.
    #[must_use]
    pub fn new(code: impl Into<Code>, certainty: Certainty) -> Self {
        Self { code: code.into(), certainty, facts: BTreeMap::new() }
    }

    /// Adds the value of a placeholder.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers give temporary values")]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }

    /// One sentence: what is wrong.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        self.fill(self.code.words(language).sentence, language)
    }

    /// One thing to do.
    #[must_use]
    pub fn remedy(&self, language: Language) -> String {
        self.fill(self.code.words(language).remedy, language)
    }

    fn fill(&self, template: &str, language: Language) -> String {
        let text = fill(template, &self.facts);
        match language {
            Language::En => text,
            Language::Ko => particle::choose(text),
        }
    }

    /// Placeholders without a fact, in any language: a mistake of the rule.
    #[must_use]
    pub fn unfilled(&self) -> Vec<&'static str> {
        let all = Language::ALL.map(|language| self.code.words(language));
        let names = all.iter().flat_map(|words| words.placeholders());
        names.filter(|name| !self.facts.contains_key(*name)).collect()
    }

    /// Order of a report: what breaks calls first, then by evidence, then by the order of codes.
    pub(crate) fn rank(&self) -> (Severity, Certainty, Code) {
        (self.code.severity(), self.certainty, self.code)
    }
}
