//! Findings in the order in which they are read: the verdict is the first.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    code::{Code, Severity},
    finding::{Certainty, Finding},
    words::Language,
};

/// Ordered findings, without repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Orders `findings`.
    #[must_use]
    pub fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| a.facts.cmp(&b.facts)));
        findings.dedup();
        Self { findings }
    }

    /// The most important finding.
    #[must_use]
    pub fn verdict(&self) -> Option<&Finding> {
        self.findings.first()
    }

    /// All findings, the verdict first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The worst severity.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.verdict().map(|finding| finding.code.severity())
    }

    /// Findings with their texts, for JSON.
    #[must_use]
    pub fn told(&self, language: Language) -> Vec<Told<'_>> {
        self.findings.iter().map(|finding| Told::new(finding, language)).collect()
    }
}

/// A finding with its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told<'a> {
    /// Which one.
    pub code: Code,
    /// Weight.
    pub severity: Severity,
    /// Strength of the evidence.
    pub certainty: Certainty,
    /// What is wrong.
    pub sentence: String,
    /// What to do.
    pub remedy: String,
    /// Values named in the texts.
    pub facts: &'a BTreeMap<String, String>,
}

impl<'a> Told<'a> {
    /// Writes the texts of `finding`.
    #[must_use]
    pub fn new(finding: &'a Finding, language: Language) -> Self {
        Self {
            code: finding.code,
            severity: finding.code.severity(),
            certainty: finding.certainty,
            sentence: finding.sentence(language),
            remedy: finding.remedy(language),
            facts: &finding.facts,
        }
    }
}
