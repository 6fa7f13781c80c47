//! Diagnosis of a moim server and of its visitors' networks: facts in, findings out.
//!
//! `server` judges what `moim doctor` gathers on the server's machine, `visitor` what the page
//! `/doctor` gathers in a browser; both see `reach`, what earlier visitors proved. A [`Finding`]
//! has a stable [`Code`], and words that name what to do: one sentence, one remedy, in each
//! [`Language`].
//!
//! A false alarm is worse than silence: a rule finds nothing when a fact is missing, and has a
//! test of the clean case beside that of the sick one.

mod code;
mod finding;
mod particle;
pub mod reach;
mod report;
pub mod server;
pub mod visitor;
mod words;

pub use code::{Code, Severity};
pub use finding::{Certainty, Finding};
pub use report::{Report, Told};
pub use words::{Language, Words};
