//! A visitor: facts that the page `/doctor` gathers in a browser, and their judgement.

pub use crate::code::VisitorCode;
