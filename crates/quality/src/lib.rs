//! The quality of calls: samples of each participant's links, the rules that name the cause of a
//! trouble, and the sentences about it.
//!
//! Pure: samples in, findings and words out.

mod finding;
mod judge;
mod sample;
mod words;

pub use finding::{Cause, Direction, Facts, Finding, Symptom};
pub use judge::{Participant, judge};
pub use sample::{EncoderLimit, Sample, Transport, is_overloaded, is_witness};
pub use words::Language;
