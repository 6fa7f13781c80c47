//! The quality of calls: samples of each participant's links, the rules that name the cause of a
//! trouble, and the sentences about it.
//!
//! Pure: samples in, findings and words out.

mod sample;

pub use sample::{EncoderLimit, Sample, Transport};
